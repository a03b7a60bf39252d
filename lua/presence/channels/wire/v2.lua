--- Phoenix Channels protocol, version 2: `[join_ref, ref, topic, event, payload]` as text, and
-- binary messages for payloads of bytes.
-- Refs are kept as the raw JSON text they came in, so that they are echoed verbatim and
-- `1` is never taken for `"1"`. Those of binary messages are strings, an empty one is null.
local binary = require "presence.binary"
local core = require "presence.core"

-- What is queued at once, and kept by nobody else, is encoded into `passing`, over and over: no
-- garbage comes of it.
local passing = core.message ""
local M = { name = "v2", passing = passing }

--- Cut a text message. The payload stays JSON text.
---@param text string
---@param max_depth integer
---@return boolean|nil ok, string|nil join_ref, string|nil ref, string topic, string event
---@return string payload
function M.decode(text, max_depth)
  return core.cut_v2(text, max_depth)
end

--- Cut a binary message.
---@param bytes string
---@return boolean|nil ok, string|nil join_ref, string|nil ref, string topic, string event
---@return presence.Binary payload
function M.decode_binary(bytes)
  local ok, join_ref, ref, topic, event, data = core.cut_binary(bytes)
  if not ok then
    return nil, join_ref, ref
  end
  return true, join_ref, ref, topic, event, binary.new(data)
end

--- An encoded text message; good until the next one is encoded.
---@param join_ref string|nil raw JSON text
---@param ref string|nil raw JSON text
---@param topic string
---@param event string
---@param payload string JSON text
---@return userdata message
function M.message(join_ref, ref, topic, event, payload)
  return core.message_v2(join_ref, ref, topic, event, payload, passing)
end

--- An event for one client; good until the next message is encoded.
---@param join_ref string|nil
---@param payload string|presence.Binary
---@return userdata message
function M.push(join_ref, topic, event, payload)
  if type(payload) == "string" then
    return core.message_v2(join_ref, nil, topic, event, payload, passing)
  end
  return core.message_binary("push", join_ref, nil, topic, event, payload.bytes, passing)
end

--- The answer to a message; good until the next one is encoded.
---@param response string|presence.Binary
---@return userdata message
function M.reply(join_ref, ref, topic, status, response)
  if type(response) == "string" then
    return core.message_v2(join_ref, ref, topic, "phx_reply",
      '{"status":"' .. status .. '","response":' .. response .. "}", passing)
  end
  return core.message_binary("reply", join_ref, ref, topic, status, response.bytes, passing)
end

--- An event for everybody, shared by all who get it.
---@param payload string|presence.Binary
---@param box userdata|nil `passing`, where it is queued at once; default: a new one
---@return userdata message
function M.broadcast(topic, event, payload, box)
  if type(payload) == "string" then
    return core.message_v2(nil, nil, topic, event, payload, box)
  end
  return core.message_binary("broadcast", nil, nil, topic, event, payload.bytes, box)
end

return M
