--- What waits to be sent to one connection, in order: one write a turn, bounded while the client
-- does not read. The bytes lie in C, never as Lua strings, and the usual write is made there
-- (outboxes.lua); here is what needs a transport: one that is no socket, one that does not take all
-- at once, the end.
local core = require "presence.core"

local M = {}

---@class presence.Outbox
---@field queue presence.outbox what waits, in C; audiences hold it, too
local Outbox = {}
Outbox.__index = Outbox

local close_opcode, pong_opcode = 8, 10

--- Queue an encoded message. After the end nothing is queued.
---@param message userdata
function Outbox:add(message)
  if self.queue:add(message) then
    self.outboxes_:schedule()
  end
end

local function add_frame(self, opcode, payload)
  if self.queue:add_frame(opcode, payload) then
    self.outboxes_:schedule()
  end
end

--- Answer a ping (websocket framing only).
function Outbox:pong(payload)
  add_frame(self, pong_opcode, payload)
end

--- Does the client keep up? Presence diffs pass over one that does not.
---@return boolean
function Outbox:is_writable()
  return self.queue:is_writable()
end

local function block(self)
  self.blocked_ = true
  self.blocked_at_ = self.now_()
  self.queue:block(true)
end

--- How long the client has read nothing of what waits for it.
---@param now number
---@return number seconds 0 while it reads
function Outbox:unread_s(now)
  return self.blocked_ and now - self.blocked_at_ or 0
end

-- A transport that has taken everything may lend its descriptor: until it says otherwise the next
-- frames are written to that, without us.
local function write_websocket(self)
  local bytes = self.queue:take()
  if bytes then
    local more, descriptor = self.transport_.send(bytes)
    self.queue:direct(more ~= false and descriptor or nil)
    if more == false then
      block(self)
    end
  end
end

local function write_messages(self)
  while not self.blocked_ do
    local data, is_binary = self.queue:take()
    if not data then
      return
    end
    if self.transport_.send(data, is_binary) == false then
      block(self)
    end
  end
end

local function be_gone(self)
  self.gone_ = true
  self.queue:abandon()
  self.outboxes_:forget(self.number_)
end

--- The outbox's turn, when a write in C was not enough.
function Outbox:turn()
  if self.gone_ then
    return
  elseif self.closing_ then
    -- The last bytes go to the transport even when it is not writable: it closes after them.
    self.blocked_ = false
  elseif self.blocked_ then
    -- A client that does not read is waited for within a bound.
    if not self.overflowed_ and self.queue:bytes() > self.max_bytes_ then
      self.overflowed_ = true
      self.on_overflow_()
    end
    return
  end
  if self.framing_ == "websocket" then
    write_websocket(self)
  else
    write_messages(self)
  end
  if self.closing_ then
    be_gone(self)
    self.transport_.close(self.closing_.code, self.closing_.reason)
  end
end

--- The transport is writable again.
function Outbox:drained()
  if self.blocked_ then
    self.blocked_ = false
    if self.queue:block(false) then
      self.outboxes_:schedule()
    end
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
    self.queue:clear()
  end
  if self.framing_ == "websocket" then
    add_frame(self, close_opcode, code and core.close_payload(code, reason) or "")
  end
  self.closing_ = { code = code, reason = reason }
  if self.queue:close() then
    self.outboxes_:schedule()
  end
end

--- The transport is gone: drop everything.
function Outbox:abandon()
  be_gone(self)
end

---@param opts {outboxes: presence.Outboxes, now: (fun(): number), transport: table,
---  framing: "websocket"|"message", max_bytes: integer, on_overflow: function}
---@return presence.Outbox
function M.new(opts)
  local self = setmetatable({
    outboxes_ = opts.outboxes,
    now_ = opts.now,
    transport_ = opts.transport,
    framing_ = opts.framing,
    max_bytes_ = opts.max_bytes,
    on_overflow_ = opts.on_overflow,
    blocked_ = false,
  }, Outbox)
  self.queue, self.number_ = opts.outboxes:open(self, opts.framing, opts.max_bytes)
  return self
end

return M
