--- One client's connection: bytes or messages in, channels by topic, one outbox.
local bucket = require "presence.bucket"
local channel = require "presence.channels.channel"
local core = require "presence.core"
local outbox = require "presence.channels.outbox"

local M = {}

---@class presence.Connection
local Connection = {}
Connection.__index = Connection

-- Close codes of RFC 6455, section 7.4.1, and of its registry.
local going_away, unsupported, policy_violation = 1001, 1003, 1008
local internal_error, try_again_later = 1011, 1013

local busy = '{"reason":"busy"}'

-- The topics of ended channels that were told a presence_diff. A client may join and leave topics
-- without end: past a limit every topic counts as one of them.
local ToldDiffs = {}
ToldDiffs.__index = ToldDiffs

function ToldDiffs:add(topic)
  if not self.topics[topic] and self.count < self.most then
    self.topics[topic] = true
    self.count = self.count + 1
  end
end

function ToldDiffs:has(topic)
  return self.topics[topic] or self.count == self.most
end

--- Send what the wire has encoded; nothing when it cannot say it, which is counted.
---@param encoded userdata|nil|false
function Connection:send(encoded)
  if encoded then
    self.outbox:add(encoded)
  else
    local counts = self.bound.counts
    counts.binary_skipped_total = counts.binary_skipped_total + 1
  end
end

---@param response string|presence.Binary
function Connection:reply(join_ref, ref, topic, status, response)
  self:send(self.wire.reply(join_ref, ref, topic, status, response))
end

--- A channel of this connection has ended.
function Connection:forget(ended)
  if self.channels[ended.topic] == ended then
    self.channels[ended.topic] = nil
    self.channel_count = self.channel_count - 1
  end
end

-- Messages in.

local function join(self, join_ref, ref, topic, payload)
  local definition = self.bound:match(topic)
  if not definition then
    self:reply(nil, ref, topic, "error", '{"reason":"unmatched topic"}')
    return
  elseif #topic > self.runtime.options.max_topic_bytes then
    self:reply(join_ref, ref, topic, "error", '{"reason":"topic too long"}')
    return
  end
  local old = self.channels[topic]
  local grows = not old or old.process:is_busy()
  if grows and self.channel_count + self.lingering >= self.options.max_channels then
    self:reply(join_ref, ref, topic, "error", '{"reason":"too many channels joined"}')
    return
  end
  local ok, params = self.runtime:decode(payload)
  if not ok then
    self:reply(join_ref, ref, topic, "error", '{"reason":"bad payload"}')
    return
  end
  local held_bytes = #topic + #(join_ref or "") + #payload
  if self.held_bytes + held_bytes - (old and old.held_bytes or 0) > self.options.max_held_bytes then
    self:reply(join_ref, ref, topic, "error", '{"reason":"too much held for this socket"}')
    return
  end
  local close_old = old and old:supersede()
  if self.ended then
    -- The old channel's `terminate`, or what ran while it waited, has ended the socket.
    return
  end
  local started = channel.start {
    connection = self, definition = definition, topic = topic, join_ref = join_ref, ref = ref,
    params = params, held_bytes = held_bytes, close_old = close_old,
  }
  self.channels[topic] = started
  self.channel_count = self.channel_count + 1
  started.process:post_now(started.join_message)
end

local function is_stale(joined, join_ref)
  return join_ref ~= nil and join_ref ~= joined.join_ref
end

local function leave(self, join_ref, ref, topic)
  local joined = self.channels[topic]
  if not joined then
    self:reply(join_ref, ref, topic, "ok", "{}")
  elseif not is_stale(joined, join_ref) then
    if not joined:leave(ref) then
      self:reply(joined.join_ref, ref, topic, "error", busy)
    end
  end
end

local function event(self, join_ref, ref, topic, name, payload)
  local joined = self.channels[topic]
  if not joined then
    self:reply(nil, ref, topic, "error", '{"reason":"unmatched topic"}')
  elseif is_stale(joined, join_ref) then
    return
  elseif not joined:post { kind = "event", event = name, ref = ref, payload = payload } then
    self:reply(joined.join_ref, ref, topic, "error", busy)
  end
end

local function dispatch(self, join_ref, ref, topic, name, payload)
  if topic == "phoenix" and name == "heartbeat" then
    self:reply(nil, ref, topic, "ok", "{}")
  elseif name == "phx_join" then
    join(self, join_ref, ref, topic, payload)
  elseif name == "phx_leave" then
    leave(self, join_ref, ref, topic)
  else
    event(self, join_ref, ref, topic, name, payload)
  end
end

local function message(self, decode, data)
  local ok, join_ref, ref, topic, name, payload =
    decode(data, self.runtime.options.max_json_depth)
  if not ok then
    self:close(internal_error, "malformed message")
    return
  end
  local admitted, wait_s = true, nil
  if self.bucket then
    admitted, wait_s = self.bucket:take(self.runtime.loop:now())
  end
  if not admitted then
    self:reply(join_ref, ref, topic, "error",
      string.format('{"reason":"rate limited","retry_after_ms":%d}', math.ceil(wait_s * 1000)))
    return
  end
  dispatch(self, join_ref, ref, topic, name, payload)
end

local frames = {}

function frames.text(self, text)
  message(self, self.wire.decode, text)
end

function frames.binary(self, bytes)
  if self.wire.decode_binary then
    message(self, self.wire.decode_binary, bytes)
  else
    self:close(unsupported, "this protocol version has no binary messages")
  end
end

function frames.ping(self, payload)
  self.outbox:pong(payload)
end

function frames.pong() end

function frames.close(self, code)
  self:close(code, "")
end

function frames.error(self, code, reason)
  self:close(code, reason)
end

--- Raw bytes from the client (framing "websocket").
---@param bytes string
function Connection:feed(bytes)
  if self.ended then
    return
  end
  self.last_seen = self.runtime.loop:now()
  local codec = self.codec
  codec:feed(bytes)
  repeat
    local kind, data, more = codec:next()
    if kind then
      frames[kind](self, data, more)
    end
  until not kind or self.ended
end

--- A whole message from the client (framing "message").
---@param data string
---@param is_binary boolean|nil
function Connection:receive(data, is_binary)
  if self.ended then
    return
  end
  self.last_seen = self.runtime.loop:now()
  if #data > self.options.max_message_bytes then
    self:close(1009, "message too large")
  elseif is_binary then
    frames.binary(self, data)
  elseif not core.utf8_valid(data) then
    self:close(1007, "invalid UTF-8")
  else
    frames.text(self, data)
  end
end

--- The client is alive (framing "message": a ping came).
function Connection:alive()
  self.last_seen = self.runtime.loop:now()
end

-- The channels in the order they were joined: a run that is played again does the same.
local function in_join_order(self)
  local channels = {}
  for _, joined in pairs(self.channels) do
    channels[#channels + 1] = joined
  end
  table.sort(channels, function(a, b)
    return a.pid < b.pid
  end)
  return channels
end

--- The transport is writable again.
function Connection:drained()
  if self.ended then
    return
  end
  self.outbox:drained()
  for _, joined in ipairs(in_join_order(self)) do
    self.runtime.feed:catch_up(joined.topic, joined)
  end
end

-- The end.

local function finish(self, reason, is_clean)
  if self.ended then
    return
  end
  self.ended = true
  if self.expiry_ then
    self.expiry_:cancel()
    self.expiry_ = nil
  end
  for _, joined in ipairs(in_join_order(self)) do
    joined:finish(reason, nil, is_clean)
  end
  self.bound:forget(self)
end

--- Close from this side: presences leave, what is queued and a close frame go out.
---@param code integer|nil
---@param reason string|nil
---@param ended {reason: "closed"|"timeout"|nil, is_clean: boolean|nil}|nil for its presences
function Connection:close(code, reason, ended)
  if not self.ended then
    ended = ended or {}
    finish(self, ended.reason or "closed", ended.is_clean)
    self.outbox:close(code, reason or "")
  end
end

--- The transport is gone, however it went. Harmless when it is said twice.
function Connection:closed()
  self.outbox:abandon()
  finish(self, "closed")
end

--- Close when what let the client in is no longer good.
---@param seconds number
function Connection:expire_after(seconds)
  self.expiry_ = self.runtime.loop:after(seconds, function()
    self.expiry_ = nil
    self:close(policy_violation, "expired")
  end)
end

local function is_unread(self, now)
  local unread_timeout_s = self.options.unread_timeout_s
  return unread_timeout_s and self.outbox:unread_s(now) >= unread_timeout_s
end

local function is_idle(self, now)
  local idle_timeout_s = self.options.idle_timeout_s
  return idle_timeout_s and now - self.last_seen >= idle_timeout_s
end

--- Has nothing come for too long, or nothing been read?
---@param now number
---@return boolean
function Connection:is_overdue(now)
  return is_unread(self, now) or is_idle(self, now) or false
end

--- Close for that.
---@param now number
function Connection:close_overdue(now)
  if is_unread(self, now) then
    self:close(try_again_later, "too slow")
  elseif is_idle(self, now) then
    self:close(going_away, "idle timeout", { reason = "timeout" })
  end
end

local Overflow = {}
Overflow.__index = Overflow

function Overflow:turn()
  if self.connection.ended then
    return
  end
  self.connection.bound.log("warn", "a client reads too slowly and is closed",
    { remote_address = self.connection.remote_address })
  self.connection:close(try_again_later, "too slow")
end

---@param opts {bound: table, runtime: presence.Runtime, wire: table, assigns: any, id: string|nil,
---  number: integer, options: table, transport: table, remote_address: string|nil} number: counts
---  the connections of `bound`
---@return presence.Connection
function M.new(opts)
  local options, runtime = opts.options, opts.runtime
  local now = runtime.loop:now()
  local framing = opts.transport.framing or "websocket"
  local self = setmetatable({
    bound = opts.bound,
    runtime = runtime,
    wire = opts.wire,
    assigns = opts.assigns,
    id = opts.id,
    number = opts.number,
    options = options,
    remote_address = opts.remote_address,
    executor = opts.transport.executor, -- runs the callbacks of its channels; nil: the loop does
    channels = {},
    channel_count = 0,
    lingering = 0, -- channels that have ended, with a callback under way
    held_bytes = 0, -- of joins, and of what waits for callbacks
    told_diffs = setmetatable({ topics = {}, count = 0, most = options.max_channels }, ToldDiffs),
    last_seen = now,
    ended = false,
  }, Connection)
  if framing == "websocket" then
    self.codec = core.websocket {
      max_message_bytes = options.max_message_bytes, max_fragments = options.max_fragments,
    }
  end
  if options.max_messages_per_s then
    self.bucket = bucket.new(options.max_messages_per_s, options.max_messages_burst, now)
  end
  self.outbox = outbox.new {
    outboxes = opts.bound.outboxes, transport = opts.transport, framing = framing,
    now = function()
      return runtime.loop:now()
    end,
    max_bytes = options.max_outbox_bytes,
    on_overflow = function()
      -- Later: whoever fills the outbox is walking the subscribers that the close removes.
      runtime.turn_:add("run", setmetatable({ connection = self }, Overflow))
    end,
  }
  return self
end

return M
