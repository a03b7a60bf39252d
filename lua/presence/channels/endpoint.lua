--- The endpoint: what an application offers (a description, shared by every server), and its
-- binding to a runtime, which holds the connections.
local config = require "presence.config"
local connection = require "presence.channels.connection"
local definitions = require "presence.channels.definition"
local guarded_log = require "presence.channels.guard.log"
local longpoll = require "presence.channels.longpoll"
local origin = require "presence.channels.guard.origin"
local process = require "presence.process"
local v1 = require "presence.channels.wire.v1"
local v2 = require "presence.channels.wire.v2"

local M = {}

---@class presence.Endpoint
---@field mount string
---@field channels table<string, table> topic pattern → channel
local Endpoint = {}
Endpoint.__index = Endpoint

---@class presence.BoundEndpoint
---@field longpoll presence.LongPoll
---@field on_empty fun()|nil called when the last connection has ended
local Bound = {}
Bound.__index = Bound

local going_away, service_restart = 1001, 1012

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
  local bound = setmetatable({
    endpoint = self,
    runtime = runtime,
    options = self.options,
    log = guarded_log.new {
      log = runtime.log, max_per_s = self.options.max_logged_per_s,
      now = function()
        return runtime.loop:now()
      end,
    },
    connections_ = {},
    by_id_ = {},
    counts = {
      connections = 0, connected_total = 0, refused_total = 0, binary_skipped_total = 0,
    },
    draining = false,
  }, Bound)
  bound.longpoll = longpoll.new(bound)
  runtime.endpoints_[#runtime.endpoints_ + 1] = bound
  self.bindings_[runtime] = bound
  self.bound_ = bound
  return bound
end

-- Binding.

function Bound:match(topic)
  return self.endpoint:match(topic)
end

function Bound:matches(path)
  return self.endpoint:matches(path)
end

--- May the page that sent this request speak to this endpoint?
---@param request {headers: table<string, string>}
---@return boolean
function Bound:allows_origin(request)
  local is_allowed, origin_error = origin.allowed(self.options.check_origin, request)
  if origin_error then
    self.log("error", "check_origin raised: " .. tostring(origin_error))
  end
  return is_allowed
end

local default_version = "1.0.0" -- of clients that name none, as Phoenix has it

local function wire_of(version)
  version = version or default_version
  if version:match "^2%.0%.%d+$" then
    return v2
  elseif version:match "^1%.0%.%d+$" then
    return v1
  end
end

local function ask_application(self, request)
  local connect = self.options.connect
  if not connect then
    return {}
  end
  local ok, assigns, reason, status = xpcall(connect, debug.traceback, request.query, request)
  if not ok then
    self.log("error", "connect raised: " .. tostring(assigns))
    return nil, 500, "connect failed"
  end
  if not assigns then
    return nil, status or 403, reason or "refused"
  elseif assigns ~= true and type(assigns) ~= "table" then
    self.log("error", "connect must return a table of assigns, true, or nil and a reason; got "
      .. type(assigns))
    return nil, 500, "connect failed"
  end
  return assigns == true and {} or assigns
end

-- What the application's function `name`, if it has one, says of a client's assigns.
local function ask_of(self, name, assigns)
  if not self.options[name] then
    return nil
  end
  local ok, answer = xpcall(self.options[name], debug.traceback, assigns)
  if not ok then
    self.log("error", name .. " raised: " .. tostring(answer))
    return nil, 500, "connect failed"
  end
  return answer
end

local function expiry_of(self, assigns)
  local expires_at, status, reason = ask_of(self, "expires_at", assigns)
  if expires_at == nil then
    return nil, status, reason
  elseif type(expires_at) ~= "number" or expires_at ~= expires_at then
    self.log("error", "expires_at must return seconds since 1970 or nil")
    return nil, 500, "connect failed"
  elseif expires_at <= self.runtime.loop:time() then
    return nil, 403, "expired"
  end
  return expires_at
end

local function admit(self, request)
  if self.draining then
    return nil, 503, "draining"
  end
  local wire = wire_of(request.query.vsn)
  if not wire then
    return nil, 403, "unsupported protocol version"
  end
  if not self:allows_origin(request) then
    return nil, 403, "origin not allowed"
  end
  local assigns, status, reason = ask_application(self, request)
  if not assigns then
    return nil, status, reason
  end
  local id, expires_at
  id, status, reason = ask_of(self, "id", assigns)
  if not status then
    expires_at, status, reason = expiry_of(self, assigns)
  end
  if status then
    return nil, status, reason
  elseif self.draining then
    return nil, 503, "draining" -- since: `connect` may have waited
  end
  return assigns, wire, id, expires_at
end

-- The connections of a set that pass a test, in the order they came: a run that is played again
-- closes them in the same one.
local function in_order(set, passes)
  local connections = {}
  for one in pairs(set) do
    if not passes or passes(one) then
      connections[#connections + 1] = one
    end
  end
  table.sort(connections, function(a, b)
    return a.number < b.number
  end)
  return connections
end

-- One timer for the timeouts of all connections.

local function sweep(self)
  self.sweep_ = nil
  local now = self.runtime.loop:now()
  local function is_overdue(one)
    return one:is_overdue(now)
  end
  for _, one in ipairs(in_order(self.connections_, is_overdue)) do
    one:close_overdue(now)
  end
end

local function schedule_sweep(self)
  local shortest_s = math.min(self.options.idle_timeout_s or math.huge,
    self.options.unread_timeout_s or math.huge)
  if self.sweep_ or shortest_s == math.huge or self.counts.connections == 0 then
    return
  end
  self.sweep_ = self.runtime.loop:after(shortest_s / 4, function()
    sweep(self)
    schedule_sweep(self)
  end)
end

--- Accept a client that a transport brings, or say why not.
---@param request {path: string, query: table, headers: table, remote_address: string|nil,
---  secure: boolean|nil}
---@param transport {send: fun(data: string, is_binary: boolean|nil): boolean|nil, close: function,
---  framing: "websocket"|"message"|nil, executor: table|nil} executor: runs the callbacks of the
---  connection's channels, where the platform ties them to it
---@return presence.Connection|nil
---@return integer|nil status
---@return string|nil reason
function Bound:connect(request, transport)
  local assigns, wire, id, expires_at = admit(self, request)
  if not assigns then
    local status, reason = wire, id
    self.counts.refused_total = self.counts.refused_total + 1
    return nil, status, reason
  end
  local accepted = connection.new {
    bound = self, runtime = self.runtime, wire = wire, assigns = assigns, id = id,
    options = self.options, transport = transport, remote_address = request.remote_address,
    number = self.counts.connected_total + 1,
  }
  self.connections_[accepted] = true
  self.counts.connections = self.counts.connections + 1
  self.counts.connected_total = self.counts.connected_total + 1
  if id ~= nil then
    self.by_id_[id] = self.by_id_[id] or {}
    self.by_id_[id][accepted] = true
  end
  if expires_at then
    accepted:expire_after(expires_at - self.runtime.loop:time())
  end
  schedule_sweep(self)
  return accepted
end

--- A connection has ended.
function Bound:forget(ended)
  if not self.connections_[ended] then
    return
  end
  self.connections_[ended] = nil
  self.counts.connections = self.counts.connections - 1
  local same_id = ended.id ~= nil and self.by_id_[ended.id]
  if same_id then
    same_id[ended] = nil
    if next(same_id) == nil then
      self.by_id_[ended.id] = nil
    end
  end
  if self.counts.connections == 0 and self.sweep_ then
    self.sweep_:cancel()
    self.sweep_ = nil
  end
  if self.counts.connections == 0 and self.on_empty then
    self.on_empty()
  end
end

--- @return integer
function Bound:connections()
  return self.counts.connections
end

function Bound:metrics()
  local channels = 0
  for one in pairs(self.connections_) do
    channels = channels + one.channel_count
  end
  return {
    connections = self.counts.connections,
    longpoll_sessions = self.longpoll.session_count,
    channels = channels,
    connected_total = self.counts.connected_total,
    refused_total = self.counts.refused_total,
    binary_skipped_total = self.counts.binary_skipped_total,
    hogged_turns_total = self.runtime.watchdog.hogged_turns_total,
    flooded_mailboxes_total = self.runtime.watchdog.flooded_mailboxes_total,
  }
end

function Bound:disconnect(socket_id)
  local sockets = in_order(self.by_id_[socket_id] or {})
  for _, one in ipairs(sockets) do
    one:close(going_away, "disconnected", { is_clean = true })
  end
  return #sockets
end

--- Refuse new connections, close those there are, evenly over spread_s.
---@param opts {spread_s: number|nil, code: integer|nil}|nil
function Bound:drain(opts)
  opts = opts or {}
  local code, spread_s = opts.code or service_restart, opts.spread_s or 0
  self.draining = true
  local leaving = in_order(self.connections_)
  for i, one in ipairs(leaving) do
    if spread_s == 0 then
      one:close(code, "restart")
    else
      self.runtime.loop:after(spread_s * (i - 1) / #leaving, function()
        one:close(code, "restart")
      end)
    end
  end
end

return M
