--- Who is online, for Phoenix Channels and for any program. This file only gathers what users call:
-- the pure layer at once, everything that needs a runtime at its first use.
local core = require "presence.core"

local presence = { _VERSION = "0.1.0" }

-- The pure layer: immutable states, without runtime and I/O.
for _, name in ipairs {
  "new_state", "track_state", "untrack_state", "update_state",
  "list_state", "count_presences", "is_present", "connection_count",
  "make_meta", "meta_pid", "meta_data", "make_entry", "entry_metas", "entry_count",
  "list_json", "join_diff_json", "leave_diff_json",
  "diff", "diff_json", "patch", "encode", "decode",
} do
  presence[name] = core[name]
end

--- The runtime of the process that calls, else the default one.
local function current_runtime()
  return require("presence.default").get()
end

-- Presences: on the current runtime.
for _, name in ipairs {
  "track", "update", "put", "untrack", "list",
  "count", "get_by_key", "online", "topics", "where", "snapshot",
} do
  presence[name] = function(...)
    return current_runtime()[name](...)
  end
end

-- Processes and PubSub: on the current runtime.
presence.process = {}
for _, name in ipairs {
  "spawn", "send", "monitor", "exit", "register", "unregister", "whereis",
} do
  presence.process[name] = function(...)
    return current_runtime().process[name](...)
  end
end

presence.pubsub = {}
for _, name in ipairs { "subscribe", "unsubscribe", "broadcast", "broadcast_from" } do
  presence.pubsub[name] = function(_, ...)
    local pubsub = current_runtime().pubsub
    return pubsub[name](pubsub, ...)
  end
end

--- The pid of the process that runs, or nil outside of one.
---@return integer|nil
function presence.process.self()
  return require("presence.process").self()
end

--- The next message of the calling process's mailbox; waits for one.
---@param timeout_s number|nil
---@return any message nil, "timeout" when none came in time
function presence.process.receive(timeout_s)
  return require("presence.process").receive(timeout_s)
end

--- Make a runtime of its own.
---@param opts table see docs/options.md; `loop` is required
---@return presence.Runtime
function presence.new(opts)
  return require("presence.runtime").new(opts)
end

--- Set the options of the default runtime, before its first use.
---@param opts table see docs/options.md
function presence.configure(opts)
  return require("presence.default").configure(opts)
end

--- Define a channel.
---@param callbacks table|nil
---@return table channel
function presence.channel(callbacks)
  return require("presence.channels.definition").define(callbacks)
end

--- Describe an endpoint.
---@param opts table see docs/options.md
---@return presence.Endpoint
function presence.endpoint(opts)
  return require("presence.channels.endpoint").new(opts)
end

--- A payload of bytes, which goes out as a binary message.
---@param bytes string
---@return presence.Binary
function presence.binary(bytes)
  return require("presence.binary").new(bytes)
end

--- Serve an endpoint, stand-alone, until the server is stopped.
---@param endpoint presence.Endpoint
---@param opts table|nil see docs/options.md
function presence.serve(endpoint, opts)
  return require("presence.luv.server").serve(endpoint, opts)
end

-- Modules that are loaded when they are asked for.
local lazy = {
  testing = "presence.testing",
  client = "presence.client",
  token = "presence.channels.guard.token",
}

return setmetatable(presence, {
  __index = function(self, name)
    local module_name = lazy[name]
    if module_name then
      self[name] = require(module_name)
      return self[name]
    end
  end,
})
