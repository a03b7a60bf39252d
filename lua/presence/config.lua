--- Every option, limit and default of presence, in one place.
-- Units are in the names: `_s` seconds, `_bytes`, `_per_s`.
local M = {}

--- Options of a runtime: `presence.new(opts)`, `presence.configure(opts)`.
M.runtime = {
  flush_interval_s = 0.05, -- a busy topic sends at most one presence_diff in this time
  leaves = "last", -- policy of topics that no endpoint serves: "last" or "each"
  max_key_bytes = 1024,
  max_meta_bytes = 16 * 1024,
  max_topic_bytes = 1024,
  max_json_depth = 64,
}

--- Options of an endpoint: `presence.endpoint(opts)`.
M.endpoint = {
  mount = "/socket",
  check_origin = true, -- true: same host; false: off; a list of hosts; a function
  max_channels = 100, -- joined on one socket at once
  max_message_bytes = 64 * 1024, -- one message, all its fragments added up
  max_fragments = 64, -- of one message
  max_outbox_bytes = 1024 * 1024, -- waiting for a client that reads too slowly; over it: close 1013
  idle_timeout_s = 60, -- nothing received for so long: the socket closes
  max_messages_per_s = 100, -- what a socket may send on average; false: no limit
  max_messages_burst = 1000, -- and at once
}

--- Options of the stand-alone server: `presence.serve(endpoint, opts)`.
M.server = {}

local function typename(value)
  return type(value)
end

--- Merge the caller's options over defaults into a new table; the caller's table is not edited.
-- An option that `known` does not name raises: a typing error must not be a silent default.
---@param what string for the error message
---@param defaults table
---@param opts table|nil
---@param also table|nil names without a default that are allowed too: name → true
---@return table
function M.merge(what, defaults, opts, also)
  local merged = {}
  for name, value in pairs(defaults) do
    merged[name] = value
  end
  if opts == nil then
    return merged
  end
  if type(opts) ~= "table" then
    error(what .. ": options must be a table, got " .. typename(opts), 3)
  end
  for name, value in pairs(opts) do
    if defaults[name] == nil and not (also and also[name]) then
      error(what .. ": unknown option '" .. tostring(name) .. "'", 3)
    end
    local default = defaults[name]
    if default ~= nil and type(default) == "number" and value ~= false and type(value) ~= "number"
    then
      error(what .. ": option '" .. name .. "' must be a number, got " .. typename(value), 3)
    end
    merged[name] = value
  end
  return merged
end

return M
