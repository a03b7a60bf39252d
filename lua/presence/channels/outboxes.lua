--- The outboxes of all connections of an endpoint. Which of them have something to write is known
-- in C, where most of it is written, too: frames to sockets, all those of a turn in one walk.
local core = require "presence.core"

local M = {}

---@class presence.Outboxes
local Outboxes = {}
Outboxes.__index = Outboxes

--- Something was queued: it is written at the end of this turn. Called once for all.
function Outboxes:schedule()
  self.turn_:add("write", self)
end

--- The same, where nobody has been told yet: after a walk over many.
function Outboxes:notice()
  if self.due_:tell() then
    self.turn_:add("write", self)
  end
end

--- The turn to write.
function Outboxes:turn()
  local numbers = self.due_:write()
  if not numbers then
    return
  end
  for i = 1, #numbers do
    local outbox = self.open_[numbers[i]]
    if outbox then
      self.turn_:add("write", outbox)
    end
  end
end

--- A queue for an outbox, whose `turn` is called when what waits in it needs more than a write.
---@param outbox presence.Outbox
---@param framing "websocket"|"message"
---@param max_bytes integer that may wait for a client that does not read
---@return presence.outbox queue
---@return integer number by which it is forgotten
function Outboxes:open(outbox, framing, max_bytes)
  local number = self.last_ + 1
  self.last_ = number
  self.open_[number] = outbox
  return core.outbox(framing, self.due_, number, max_bytes), number
end

---@param number integer
function Outboxes:forget(number)
  self.open_[number] = nil
end

---@param turn presence.Turn
---@return presence.Outboxes
function M.new(turn)
  return setmetatable({ turn_ = turn, due_ = core.due(), open_ = {}, last_ = 0 }, Outboxes)
end

return M
