--- A channel: one client's membership of one topic, served by a process. Client events, the leave
-- and broadcasts with a `handle_out` are the process's work, one after another; `handle_info` gets
-- its mailbox.
local audience = require "presence.channels.audience"
local callbacks = require "presence.channels.callbacks"
local socket = require "presence.channels.socket"

local M = {}

---@class presence.Channel
local Channel = {}
Channel.__index = Channel

-- Frames out.

function Channel:send(join_ref, ref, event, json)
  local connection = self.connection
  connection.outbox:add(connection.wire.message(join_ref, ref, self.topic, event, json))
end

--- Push to this client alone. After the end nothing goes out.
---@param payload string|presence.Binary
function Channel:push(event, payload)
  if not self.ended then
    local connection = self.connection
    connection:send(connection.wire.push(self.join_ref, self.topic, event, payload))
  end
end

--- Reply to a message. After the end nothing goes out.
---@param response string|presence.Binary
function Channel:reply(ref, status, response)
  if not self.ended then
    self.connection:reply(self.join_ref, ref, self.topic, status, response)
  end
end

-- As a subscriber of the feed and of PubSub: a frame is encoded once for all who get it.

--- Send to this client what others get as well.
---@param payload string|presence.Binary
---@param shared table in which encoded frames are kept
function Channel:send_shared(event, payload, shared)
  local wire = self.connection.wire
  local message = shared[wire]
  if message == nil then
    message = wire.broadcast(self.topic, event, payload) or false
    shared[wire] = message
  end
  self.connection:send(message)
end

-- The turn of a channel whose callbacks do not keep up with its broadcasts.
local FallenBehind = {}
FallenBehind.__index = FallenBehind

function FallenBehind:turn()
  local channel = self.channel
  channel.connection.bound.log("warn", "a channel's callbacks fall behind its broadcasts",
    { topic = channel.topic })
  channel:finish("crashed", "phx_error")
end

function Channel:tell(event, json, shared)
  self.was_told_diff = true
  self:send_shared(event, json, shared)
end

function Channel:tell_state(json)
  self:send(self.join_ref, nil, "presence_state", json)
  if self.connection.told_diffs:has(self.topic) then
    -- Diffs name no join: one told to an earlier join of this topic may reach the client after it
    -- has sent this one. phoenix.js then keeps it and applies it on top of this state, which could
    -- bring back who has left; the same state once more puts that right.
    self:send(self.join_ref, nil, "presence_state", json)
  end
end

function Channel:is_writable()
  return self.connection.outbox:is_writable()
end

--- As a subscriber of PubSub and of the feed: with whom it gets the same frames.
---@return presence.Audience
function Channel:new_audience()
  return audience.new(self)
end

--- A broadcast for which the application has a `handle_out`.
---@param handler fun(socket: presence.Socket, payload: any): any
---@param payload string|presence.Binary
---@param is_text boolean it was given as JSON text
function Channel:intercept(handler, event, payload, is_text)
  local posted = self:post {
    kind = "out", event = event, handler = handler, payload = payload, is_text = is_text,
  }
  if not posted and not self.falls_behind then
    -- Later: whoever broadcasts is walking the subscribers that the end removes.
    self.falls_behind = true
    self.runtime.turn_:add("run", setmetatable({ channel = self }, FallenBehind))
  end
end

-- Work.

-- What an item keeps of what strangers sent.
local function bytes_of(item)
  local payload = item.payload or ""
  return #(type(payload) == "string" and payload or payload.bytes) + #(item.ref or "")
end

-- Behind a callback that waits so much may wait. One that runs will be done before anybody else has
-- a turn, so that what the application itself broadcasts meanwhile is not counted.
local function has_room(self, kind, bytes)
  local process, connection = self.process, self.connection
  local options, is_waiting = connection.options, process:is_waiting()
  if not is_waiting and kind == "out" then
    return true
  end
  return process:work_length() < options.max_queued_events
    and (not is_waiting or connection.held_bytes + bytes <= options.max_held_bytes)
end

-- From inside of somebody else's callback (a broadcast) it begins at the end of the turn, else at
-- once.
local function post(self, item, bytes)
  item.bytes = bytes
  self.connection.held_bytes = self.connection.held_bytes + bytes
  if item.kind == "out" then
    self.process:post(item)
  else
    self.process:post_now(item)
  end
end

--- Give the process work, unless too much waits for it already.
---@param item {kind: "event"|"leave"|"out", ref: string|nil, payload: any}
---@return boolean posted
function Channel:post(item)
  local bytes = bytes_of(item)
  if not has_room(self, item.kind, bytes) then
    return false
  end
  post(self, item, bytes)
  return true
end

--- The client leaves, once what it sent before is done. For one leave there is always room.
---@param ref string|nil
---@return boolean posted
function Channel:leave(ref)
  local item = { kind = "leave", ref = ref }
  if self.leaves then
    return self:post(item)
  end
  self.leaves = true
  post(self, item, bytes_of(item))
  return true
end

-- The end.

--- The one way a channel ends. Its presences go, the client is told, `terminate` is called.
---@param reason any for `terminate`, and what those who stay see
---@param last_event "phx_close"|"phx_error"|nil
---@param is_clean boolean|nil no `leave_after`: it meant to go; default: after phx_close
function Channel:finish(reason, last_event, is_clean)
  if self.ended then
    return
  end
  self.ended = true
  self.connection.held_bytes = self.connection.held_bytes - self.held_bytes
  local runtime = self.runtime
  runtime.pubsub:remove(self.topic, self)
  if runtime.feed:leave(self.topic, self) or self.was_told_diff then
    self.connection.told_diffs:add(self.topic)
  end
  self.connection:forget(self)
  self.process:finish(reason, is_clean or last_event == "phx_close")
  if last_event == "phx_error" then
    self:send(self.join_ref, self.join_ref, "phx_error", '{"reason":"channel_crash"}')
  elseif last_event == "phx_close" then
    self:send(self.join_ref, self.join_ref, "phx_close", "{}")
  end
  if self.joined and self.definition.terminate then
    self.process:post_now { kind = "terminate", reason = reason }
  end
  if self.process:is_busy() then
    self.lingers = true
    self.connection.lingering = self.connection.lingering + 1
  end
end

--- It has ended, and no callback of it is under way any more.
function Channel:on_rest()
  if self.lingers then
    self.lingers = false
    self.connection.lingering = self.connection.lingering - 1
  end
end

--- End in favour of a new join of the same topic. A leave that waits its turn is answered.
---@return fun() close sends this channel's phx_close, after the reply to the new join
function Channel:supersede()
  for _, item in ipairs(self.process:take_work()) do
    self.connection.held_bytes = self.connection.held_bytes - (item.bytes or 0)
    if item.kind == "leave" then
      self:reply(item.ref, "ok", "{}")
    end
  end
  self:finish("left")
  return function()
    self:after_reply() -- where this join was not answered: the end of the channel before it
    self:send(self.join_ref, self.join_ref, "phx_close", "{}")
  end
end

-- Ended before `join` had decided.
local function end_joining(self, reason)
  self:reply(self.join_message.ref, "error", '{"reason":"join crashed"}')
  self:finish(reason)
  self:after_reply()
end

--- process.exit from outside or from a callback.
function Channel:on_exit(reason)
  if not self.joined then
    end_joining(self, reason)
    return
  end
  local is_clean = reason == "normal" or reason == "shutdown"
  self:finish(reason, is_clean and "phx_close" or "phx_error")
end

function Channel:on_crash(err)
  self.connection.bound.log("error", "channel crashed: " .. err, { topic = self.topic })
  if self.ended then
    return
  elseif self.joined then
    self:finish("crashed", "phx_error")
  else
    end_joining(self, "crashed")
  end
end

--- The join has been answered: now the client is told of the end of the channel before it.
function Channel:after_reply()
  local close_old = self.close_old
  self.close_old = nil
  if close_old then
    close_old()
  end
end

function Channel:on_work(item)
  if item.bytes then
    self.connection.held_bytes = self.connection.held_bytes - item.bytes
  end
  if not self.ended or item.kind == "terminate" then
    callbacks[item.kind](self, item)
  end
end

function Channel:on_message(message)
  if self.joined and not self.ended then
    callbacks.info(self, message)
  end
end

--- Start a channel for a join, and let `join` decide.
---@param opts {connection: table, definition: table, topic: string, join_ref: string|nil,
---  ref: string|nil, params: any, held_bytes: integer, close_old: function|nil} held_bytes: what it
---  keeps of what its client sent
---@return presence.Channel
function M.start(opts)
  local connection = opts.connection
  local runtime = connection.runtime
  local self = setmetatable({
    connection = connection,
    runtime = runtime,
    definition = opts.definition,
    topic = opts.topic,
    join_ref = opts.join_ref,
    join_message = { kind = "join", ref = opts.ref },
    close_old = opts.close_old,
    held_bytes = opts.held_bytes,
    joined = false,
    ended = false,
  }, Channel)
  connection.held_bytes = connection.held_bytes + opts.held_bytes
  self.process = runtime.processes:open(self, connection.executor)
  self.process.topic = opts.topic
  self.pid = self.process.pid
  self.socket = socket.new {
    topic = opts.topic,
    assigns = connection.assigns,
    pid = self.pid,
    params = opts.params,
    id = connection.id,
    runtime = runtime,
    channel_ = self,
    held_ = {},
  }
  return self
end

return M
