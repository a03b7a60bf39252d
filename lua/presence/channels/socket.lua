--- The socket that a channel's callbacks get: one client on one topic.
local core = require "presence.core"

local M = {}

---@class presence.Socket
---@field topic string
---@field assigns table what `connect` answered with; shared by the connection's channels
---@field pid integer the channel's process
---@field params any the join's params
---@field id string|nil from the endpoint's option `id`
---@field ref any the ref of the message in hand, for `reply`
---@field runtime presence.Runtime
local Socket = {}
Socket.__index = Socket

local function check_event(what, event)
  if type(event) ~= "string" then
    error(what .. ": event must be a string, got " .. type(event), 3)
  elseif not core.utf8_valid(event) then
    error(what .. ": event is not UTF-8", 3)
  end
end

--- Send an event to this client alone.
---@param event string
---@param payload table|string|presence.Binary|nil
function Socket:push(event, payload)
  check_event("push", event)
  self.channel_:push(event, self.runtime:payload(payload))
end

--- Send an event to everybody on the topic.
---@param event string
---@param payload table|string|presence.Binary|nil
---@return integer delivered
function Socket:broadcast(event, payload)
  check_event("broadcast", event)
  return self.runtime.pubsub:dispatch(nil, self.topic, event, payload)
end

--- Send an event to everybody on the topic but this client.
---@param event string
---@param payload table|string|presence.Binary|nil
---@return integer delivered
function Socket:broadcast_from(event, payload)
  check_event("broadcast_from", event)
  return self.runtime.pubsub:dispatch(self.pid, self.topic, event, payload)
end

--- Answer a message, now or later.
---@param ref any the `socket.ref` it had
---@param status "ok"|"error"
---@param response table|string|presence.Binary|nil
function Socket:reply(ref, status, response)
  if status ~= "ok" and status ~= "error" then
    error("reply: status must be 'ok' or 'error'", 2)
  end
  self.channel_:reply(ref, status, self.runtime:payload(response))
end

--- Track this client under key. See `presence.track`.
---@return string|nil ref, string|nil word, string|nil detail
---@param opts {leave_after: number|nil}|nil
function Socket:track(key, meta, opts)
  return self.runtime.track(self, key, meta, opts)
end

--- Replace the meta under key. See `presence.update`.
---@return string|nil ref, string|nil word, string|nil detail
function Socket:update(key, meta)
  return self.runtime.update(self, key, meta)
end

--- Track or update. See `presence.put`.
---@return string|nil ref, string|nil word, string|nil detail
---@param opts {leave_after: number|nil}|nil
function Socket:put(key, meta, opts)
  return self.runtime.put(self, key, meta, opts)
end

--- Untrack one key, or everything that this client's process tracks.
---@return integer removed
function Socket:untrack(key)
  return self.runtime.untrack(self, key)
end

--- Everybody on the topic.
---@return {[1]: string, [2]: string}[]
function Socket:list()
  return self.runtime.list(self.topic)
end

---@return presence.Socket
function M.new(fields)
  return setmetatable(fields, Socket)
end

return M
