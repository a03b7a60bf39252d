--- The endpoint: what an application offers, a description that every server shares.
local binding = require "presence.channels.binding"
local config = require "presence.config"
local definitions = require "presence.channels.definition"
local origin = require "presence.channels.guard.origin"
local process = require "presence.process"

local M = {}

---@class presence.Endpoint
---@field mount string
---@field channels table<string, table> topic pattern → channel
local Endpoint = {}
Endpoint.__index = Endpoint

-- Description.

local allowed = { connect = true, id = true, expires_at = true, channels = true }

local function check_description(opts)
  if type(opts) ~= "table" then
    error("endpoint: needs a table, got " .. type(opts), 3)
  end
  if type(opts.channels) ~= "table" then
    error("endpoint: channels must be a table of topic pattern → channel", 3)
  end
  for pattern, definition in pairs(opts.channels) do
    if type(pattern) ~= "string" or type(definition) ~= "table" then
      error("endpoint: channels must be a table of topic pattern → channel", 3)
    end
    local star = pattern:find("*", 1, true)
    if star and star ~= #pattern then
      error("endpoint: '" .. pattern .. "': a * stands at the end of a topic pattern only", 3)
    end
    if type(definition.handle_in) ~= "table" then
      error("endpoint: the channel of '" .. pattern .. "' is not made by presence.channel", 3)
    end
    definitions.check(definition, 3)
  end
  for _, name in ipairs { "connect", "id", "expires_at" } do
    if opts[name] ~= nil and type(opts[name]) ~= "function" then
      error("endpoint: " .. name .. " must be a function", 3)
    end
  end
end

local function split_patterns(channels)
  local exact, prefixes = {}, {}
  for pattern, definition in pairs(channels) do
    if pattern:sub(-1) == "*" then
      prefixes[#prefixes + 1] = { prefix = pattern:sub(1, -2), definition = definition }
    else
      exact[pattern] = definition
    end
  end
  table.sort(prefixes, function(a, b)
    return #a.prefix > #b.prefix
  end)
  return exact, prefixes
end

--- Describe an endpoint. It acts once a server, or a test, binds it to a runtime.
---@param opts table see docs/options.md
---@return presence.Endpoint
function M.new(opts)
  check_description(opts)
  local options = config.merge("endpoint", config.endpoint, opts, allowed)
  if type(options.mount) ~= "string" or not options.mount:match "^/" then
    error("endpoint: mount must be a path that begins with /", 2)
  end
  if type(options.longpoll) ~= "boolean" then
    error("endpoint: the option longpoll must be true or false", 2)
  end
  local is_mode, mode_error = pcall(origin.check_mode, options.check_origin)
  if not is_mode then
    error("endpoint: " .. tostring(mode_error), 2)
  end
  local exact, prefixes = split_patterns(options.channels)
  return setmetatable({
    mount = (options.mount:gsub("/+$", "")),
    channels = options.channels,
    options = options,
    exact_ = exact,
    prefixes_ = prefixes,
    bindings_ = setmetatable({}, { __mode = "k" }),
  }, Endpoint)
end

--- The channel of a topic: the exact pattern first, then the longest prefix.
---@param topic string
---@return table|nil channel
function Endpoint:match(topic)
  local exact = self.exact_[topic]
  if exact then
    return exact
  end
  for _, pattern in ipairs(self.prefixes_) do
    if topic:sub(1, #pattern.prefix) == pattern.prefix then
      return pattern.definition
    end
  end
end

--- What a request path asks of this endpoint.
---@param path string
---@return "websocket"|"longpoll"|nil
function Endpoint:matches(path)
  if path == self.mount .. "/websocket" then
    return "websocket"
  elseif path == self.mount .. "/longpoll" and self.options.longpoll then
    return "longpoll"
  end
end

-- The binding that a call on the description means: the one of the process that calls, else the
-- newest.
local function binding_of(self, what)
  local current = process.current()
  local bound = current and self.bindings_[current.runtime] or self.bound_
  if not bound then
    error("endpoint:" .. what .. ": no server serves this endpoint", 3)
  end
  return bound
end

--- Broadcast to everybody on a topic, from outside of a channel.
---@param topic string
---@param event string
---@param payload table|string|nil
---@return integer delivered
function Endpoint:broadcast(topic, event, payload)
  return binding_of(self, "broadcast").runtime.pubsub:broadcast(topic, event, payload)
end

--- Close every socket of an id (the endpoint's option `id`), 1001.
---@param socket_id string
---@return integer closed
function Endpoint:disconnect(socket_id)
  return binding_of(self, "disconnect"):disconnect(socket_id)
end

--- Refuse new connections and close those there are, spread over time.
---@param opts {spread_s: number|nil, code: integer|nil}|nil
function Endpoint:drain(opts)
  binding_of(self, "drain"):drain(opts)
end

--- Figures of the serving binding.
---@return table figures connections, channels, connected_total, refused_total, …
function Endpoint:metrics()
  return binding_of(self, "metrics"):metrics()
end

--- Bind to a runtime: what servers and tests do.
---@param runtime presence.Runtime
---@return presence.BoundEndpoint
function Endpoint:bind(runtime)
  for _, definition in pairs(self.channels) do
    definitions.check(definition, 2) -- callbacks may have been set since
  end
  local bound = binding.new(self, runtime)
  self.bindings_[runtime] = bound
  self.bound_ = bound
  return bound
end

return M
