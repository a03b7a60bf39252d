--- What a channel's process does: calls the application's callbacks, and does what they answer.
-- Each function is a kind of work; what it raises is a crash of the channel.
local binary = require "presence.binary"
local core = require "presence.core"
local definitions = require "presence.channels.definition"

local M = {}

-- Join.

local function reason_payload(self, reason)
  if reason == nil then
    return '{"reason":"join rejected"}'
  elseif type(reason) == "table" then
    return self.runtime:payload(reason)
  end
  return '{"reason":' .. (core.json_quote(tostring(reason)) or '"join rejected"') .. "}"
end

local function reject(self, reason)
  self:reply(self.join_message.ref, "error", reason_payload(self, reason))
  self:finish("rejected")
  self:after_reply()
end

local function track_client(self)
  local track = self.definition.track
  if not track then
    return
  end
  local key, meta = track(self.socket, self.socket.params)
  if key == nil or self.ended then
    return
  end
  local ref, word, detail = self.runtime.track(self.socket, key, meta)
  if not ref then
    error("track was refused: " .. word .. ": " .. tostring(detail), 0)
  end
end

local function presence_mode(self)
  local mode = self.definition.presence
  if type(mode) == "function" then
    mode = mode(self.socket)
  end
  mode = mode or "all"
  if not definitions.is_mode(mode) then
    error("presence must be 'all', 'none' or 'count', got " .. tostring(mode), 0)
  end
  return mode
end

local function accept(self, response)
  local runtime, definition = self.runtime, self.definition
  self:reply(self.join_message.ref, "ok", response)
  self.joined = true
  self:after_reply()
  runtime.pubsub:add(self.topic, self)
  runtime.tracker:commit_held(self.socket)
  track_client(self)
  if definition.after_join and not self.ended then
    definition.after_join(self.socket, self.socket.params)
  end
  if self.ended then
    return
  end
  self.presence_mode = presence_mode(self)
  if self.presence_mode ~= "none" and not self.ended then
    runtime.feed:join(self.topic, self)
  end
end

--- The join: `join` decides, then the reply, then `track` and `after_join`.
---@param self presence.Channel
---@param item {ref: string|nil}
function M.join(self, item)
  local client = self.socket
  client.ref = item.ref
  local accepted, reply = true, nil
  if self.definition.join then
    accepted, reply = self.definition.join(client, self.topic, client.params)
  end
  if self.ended then
    return
  end
  if accepted == true then
    accept(self, self.runtime:payload(reply))
  elseif not accepted then
    reject(self, reply)
  else
    error("join must return true [, reply] or nil, reason; got " .. type(accepted), 0)
  end
end

-- Events.

local function answer(self, ref, status, response)
  if status == nil or self.ended then
    return
  elseif status == "ok" or status == "error" then
    self:reply(ref, status, self.runtime:payload(response))
  elseif status == "stop" then
    self:finish(response == nil and "normal" or response, "phx_close")
  else
    error("a handler must return nothing, 'ok', 'error' or 'stop'; got " .. tostring(status), 0)
  end
end

--- An event of the client.
---@param self presence.Channel
---@param item {event: string, ref: string|nil, payload: string|presence.Binary}
function M.event(self, item)
  local client, definition = self.socket, self.definition
  client.ref = item.ref
  local raw = definition.handle_in_raw[item.event]
  if raw then
    answer(self, item.ref, raw(client, item.payload))
    return
  end
  local handler = definition.handle_in[item.event]
  if not handler then
    -- The client's mistake, not the application's: no error in the log, which it could fill.
    self.connection.bound.log("warn", "no handle_in for an event",
      { topic = self.topic, event = item.event })
    self:finish("crashed", "phx_error")
    return
  end
  local ok, payload = self.runtime:decode(item.payload)
  if not ok then
    self:reply(item.ref, "error", '{"reason":"bad payload"}')
    return
  end
  answer(self, item.ref, handler(client, payload))
end

--- The client leaves.
---@param self presence.Channel
---@param item {ref: string|nil}
function M.leave(self, item)
  self:reply(item.ref, "ok", "{}")
  self:finish("left", "phx_close")
end

-- Each callback gets a payload of its own: an edit of one changes nothing of what others get. To
-- decode the text again costs what a copy would, and nothing more waits in queues than that text.
local function own_payload(self, item)
  if item.is_text then
    return item.payload
  elseif binary.is(item.payload) then
    return binary.new(item.payload.bytes)
  end
  return self.runtime.json.decode(item.payload)
end

--- A broadcast that a `handle_out` sees first.
---@param self presence.Channel
---@param item {event: string, handler: function, payload: string|presence.Binary, is_text: boolean}
function M.out(self, item)
  local payload = item.handler(self.socket, own_payload(self, item))
  if payload ~= nil and not self.ended then
    self:send_shared(item.event, self.runtime:payload(payload), {})
  end
end

--- The channel has ended.
---@param self presence.Channel
---@param item {reason: any}
function M.terminate(self, item)
  self.definition.terminate(self.socket, item.reason)
end

--- A message of the process's mailbox.
---@param self presence.Channel
---@param message any
function M.info(self, message)
  local handle_info = self.definition.handle_info
  if not handle_info then
    return
  end
  self.socket.ref = nil
  local status, reason = handle_info(self.socket, message)
  -- No client asked: there is nothing to answer.
  if status ~= "ok" and status ~= "error" then
    answer(self, nil, status, reason)
  end
end

return M
