--- Phoenix Channels protocol, version 2: `[join_ref, ref, topic, event, payload]` as text.
-- Refs are kept as the raw JSON text they came in, so that they are echoed verbatim and
-- `1` is never taken for `"1"`.
local core = require "presence.core"

local M = { name = "v2" }

--- Cut a text message. The payload stays JSON text.
---@param text string
---@param max_depth integer
---@return boolean|nil ok, string|nil join_ref, string|nil ref, string topic, string event
---@return string payload
function M.decode(text, max_depth)
  return core.cut_v2(text, max_depth)
end

--- An encoded message, to be shared by all who get it.
---@param join_ref string|nil raw JSON text
---@param ref string|nil raw JSON text
---@param topic string
---@param event string
---@param payload string JSON text
---@return userdata message
function M.message(join_ref, ref, topic, event, payload)
  return core.message_v2(join_ref, ref, topic, event, payload)
end

return M
