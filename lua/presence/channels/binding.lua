--- An endpoint bound to a runtime: its connections, from the one that is let in to the end of all.
local admission = require "presence.channels.admission"
local connection = require "presence.channels.connection"
local guarded_log = require "presence.guarded_log"
local longpoll = require "presence.channels.longpoll"
local origin = require "presence.channels.guard.origin"
local outboxes = require "presence.channels.outboxes"

local M = {}

---@class presence.BoundEndpoint
---@field longpoll presence.LongPoll
---@field on_empty fun()|nil called when the last connection has ended
local Bound = {}
Bound.__index = Bound

local going_away, service_restart = 1001, 1012

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
---@param transport {close: function, framing: "websocket"|"message"|nil, executor: table|nil,
---  send: fun(data: string, is_binary: boolean|nil): boolean|nil, integer|nil} send: may say,
---  second, to which descriptor further frames may be written until it is called again or the
---  transport is closed; executor: runs the callbacks of the connection's channels, where the
---  platform ties them to it
---@return presence.Connection|nil
---@return integer|nil status
---@return string|nil reason
function Bound:connect(request, transport)
  local assigns, wire, id, expires_at = admission.admit(self, request)
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

--- Bind an endpoint to a runtime.
---@param endpoint presence.Endpoint
---@param runtime presence.Runtime
---@return presence.BoundEndpoint
function M.new(endpoint, runtime)
  local options = endpoint.options
  local self = setmetatable({
    endpoint = endpoint,
    runtime = runtime,
    options = options,
    log = guarded_log.new {
      log = runtime.log, max_per_s = options.max_logged_per_s,
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
  self.outboxes = outboxes.new(runtime.turn_)
  self.longpoll = longpoll.new(self)
  runtime.endpoints_[#runtime.endpoints_ + 1] = self
  return self
end

return M
