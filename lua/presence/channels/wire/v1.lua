--- Phoenix Channels protocol, version 1: objects with `topic`, `event`, `payload` and `ref` as
-- text; clients may add a `join_ref`, what goes out has none. Of members of one name the last
-- counts. Refs are raw JSON text, as in version 2. There are no binary messages: payloads of bytes
-- are not for these clients.
local binary = require "presence.binary"
local core = require "presence.core"

-- What is queued at once, and kept by nobody else, is encoded into `passing`, over and over: no
-- garbage comes of it.
local passing = core.message ""
local M = { name = "v1", passing = passing }

--- Cut a text message. The payload stays JSON text.
---@param text string
---@param max_depth integer
---@return boolean|nil ok, string|nil join_ref, string|nil ref, string topic, string event
---@return string payload
function M.decode(text, max_depth)
  return core.cut_v1(text, max_depth)
end

--- An encoded message; good until the next one is encoded.
---@param ref string|nil raw JSON text
---@param topic string
---@param event string
---@param payload string JSON text
---@return userdata message
function M.message(_, ref, topic, event, payload)
  return core.message_v1(ref, topic, event, payload, passing)
end

--- An event for one client, good until the next message is encoded; nil when its payload is of
--- bytes.
---@return userdata|nil message
function M.push(_, topic, event, payload)
  if not binary.is(payload) then
    return core.message_v1(nil, topic, event, payload, passing)
  end
end

--- The answer to a message, good until the next one is encoded; nil when it is of bytes.
---@return userdata|nil message
function M.reply(_, ref, topic, status, response)
  if not binary.is(response) then
    return core.message_v1(ref, topic, "phx_reply",
      '{"status":"' .. status .. '","response":' .. response .. "}", passing)
  end
end

--- An event for everybody, shared by all who get it; nil when its payload is of bytes.
---@param box userdata|nil `passing`, where it is queued at once; default: a new one
---@return userdata|nil message
function M.broadcast(topic, event, payload, box)
  if not binary.is(payload) then
    return core.message_v1(nil, topic, event, payload, box)
  end
end

return M
