--- Phoenix Channels protocol, version 1: objects with `topic`, `event`, `payload` and `ref` as
-- text; clients may add a `join_ref`, what goes out has none. Of members of one name the last
-- counts. Refs are raw JSON text, as in version 2. There are no binary messages: payloads of bytes
-- are not for these clients.
local binary = require "presence.binary"
local core = require "presence.core"

local M = { name = "v1" }

--- Cut a text message. The payload stays JSON text.
---@param text string
---@param max_depth integer
---@return boolean|nil ok, string|nil join_ref, string|nil ref, string topic, string event
---@return string payload
function M.decode(text, max_depth)
  return core.cut_v1(text, max_depth)
end

--- An encoded message, to be shared by all who get it.
---@param ref string|nil raw JSON text
---@param topic string
---@param event string
---@param payload string JSON text
---@return userdata message
function M.message(_, ref, topic, event, payload)
  return core.message_v1(ref, topic, event, payload)
end

--- An event for one client; nil when its payload is of bytes.
---@return userdata|nil message
function M.push(_, topic, event, payload)
  if not binary.is(payload) then
    return core.message_v1(nil, topic, event, payload)
  end
end

--- The answer to a message; nil when it is of bytes.
---@return userdata|nil message
function M.reply(_, ref, topic, status, response)
  if not binary.is(response) then
    return core.message_v1(ref, topic, "phx_reply",
      '{"status":"' .. status .. '","response":' .. response .. "}")
  end
end

--- An event for everybody; nil when its payload is of bytes.
---@return userdata|nil message
function M.broadcast(topic, event, payload)
  return M.push(nil, topic, event, payload)
end

return M
