--- What waits to be sent to one connection, in order: one write a turn, bounded while the client
-- does not read. The bytes lie in C, never as Lua strings.
local core = require "presence.core"

local M = {}

---@class presence.Outbox
local Outbox = {}
Outbox.__index = Outbox

local close_opcode, pong_opcode = 8, 10

local function schedule(self)
  if not self.scheduled_ then
    self.scheduled_ = true
    self.turn_:add("write", self)
  end
end

local function queued(self)
  if not self.blocked_ then
    schedule(self)
  elseif self.queue_:bytes() > self.max_bytes_ and not self.overflowed_ then
    self.overflowed_ = true
    self.on_overflow_()
  end
end

--- Queue an encoded message.
---@param message userdata
function Outbox:add(message)
  if not (self.closing_ or self.gone_) then
    self.queue_:add(message)
    queued(self)
  end
end

--- Answer a ping (websocket framing only).
function Outbox:pong(payload)
  if not (self.closing_ or self.gone_) then
    self.queue_:add_frame(pong_opcode, payload)
    queued(self)
  end
end

--- Does the client keep up? Presence diffs pass over one that does not.
---@return boolean
function Outbox:is_writable()
  return not (self.blocked_ or self.closing_ or self.gone_)
end

local function block(self)
  self.blocked_ = true
  self.blocked_at_ = self.now_()
end

--- How long the client has read nothing of what waits for it.
---@param now number
---@return number seconds 0 while it reads
function Outbox:unread_s(now)
  return self.blocked_ and now - self.blocked_at_ or 0
end

local function write_websocket(self)
  local bytes = self.queue_:take()
  if bytes and self.transport_.send(bytes) == false then
    block(self)
  end
end

local function write_messages(self)
  while not self.blocked_ do
    local data, is_binary = self.queue_:take()
    if not data then
      return
    end
    if self.transport_.send(data, is_binary) == false then
      block(self)
    end
  end
end

--- The outbox's turn to write.
function Outbox:turn()
  self.scheduled_ = false
  if self.gone_ then
    return
  end
  if self.closing_ then
    -- The last bytes go to the transport even when it is not writable: it closes after them.
    self.blocked_ = false
  end
  if not self.blocked_ then
    if self.framing_ == "websocket" then
      write_websocket(self)
    else
      write_messages(self)
    end
  end
  if self.closing_ then
    self.gone_ = true
    self.queue_:clear()
    self.transport_.close(self.closing_.code, self.closing_.reason)
  end
end

--- The transport is writable again.
function Outbox:drained()
  if self.blocked_ then
    self.blocked_ = false
    schedule(self)
  end
end

--- Send what is queued and a close frame, then close the transport. A client that does not read
--- gets the close frame only.
---@param code integer|nil nil: a close frame without a code
---@param reason string
function Outbox:close(code, reason)
  if self.closing_ or self.gone_ then
    return
  end
  if self.blocked_ then
    self.queue_:clear()
  end
  if self.framing_ == "websocket" then
    self.queue_:add_frame(close_opcode, code and core.close_payload(code, reason) or "")
  end
  self.closing_ = { code = code, reason = reason }
  schedule(self)
end

--- The transport is gone: drop everything.
function Outbox:abandon()
  self.gone_ = true
  self.queue_:clear()
end

---@param opts {turn: presence.Turn, now: (fun(): number), transport: table,
---  framing: "websocket"|"message", max_bytes: integer, on_overflow: function}
---@return presence.Outbox
function M.new(opts)
  return setmetatable({
    turn_ = opts.turn,
    now_ = opts.now,
    transport_ = opts.transport,
    framing_ = opts.framing,
    max_bytes_ = opts.max_bytes,
    on_overflow_ = opts.on_overflow,
    queue_ = core.outbox(opts.framing),
    blocked_ = false,
    scheduled_ = false,
  }, Outbox)
end

return M
