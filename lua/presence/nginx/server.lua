--- An endpoint inside of one nginx worker: requests become connections, and the end of the worker
-- closes them.

local config = require "presence.config"
local core = require "presence.core"
local handshake = require "presence.channels.handshake"
local longpolls = require "presence.nginx.longpolls"
local peer = require "presence.nginx.peer"
local request = require "presence.nginx.request"

local M = {}

---@class presence.nginx.Server
---@field options table
---@field loop presence.nginx.Loop
---@field bound presence.BoundEndpoint
---@field is_stopping boolean no new connections are taken, those there are end
---@field peer_count integer
---@field private peers_ table<presence.nginx.Peer, boolean>
---@field private longpolls_ presence.nginx.LongPolls
local Server = {}
Server.__index = Server

local service_restart = 1012

local allowed = { runtime = true }

--- Binds an endpoint, on the option `runtime` or else the default one, whose loop must be nginx's.
---@param endpoint presence.Endpoint
---@param opts table|nil see docs/options.md
---@return presence.nginx.Server
function M.new(endpoint, opts)
  if type(endpoint) ~= "table" or type(endpoint.bind) ~= "function" then
    error("start: needs an endpoint, made by presence.endpoint", 2)
  end
  local options = config.merge("start", config.nginx, opts, allowed)
  local runtime = options.runtime or require("presence.default").get()
  if runtime.loop.name ~= "nginx" then
    error("start: the runtime's loop must be nginx's, it is " .. tostring(runtime.loop.name), 2)
  end
  local self = setmetatable({
    options = options,
    runtime_ = runtime,
    loop = runtime.loop,
    peers_ = {},
    peer_count = 0,
    is_stopping = false,
    on_stopped_ = {},
  }, Server)
  self.bound = endpoint:bind(runtime)
  self.bound.on_empty = function() self:check_end() end
  self.longpolls_ = longpolls.new(self)
  self.loop:on_worker_end(function(done) self:stop(done) end)
  return self
end

-- Connections.

local function connect(self, head, accepted, query)
  local new_peer = peer.new(self)
  local connection, status, reason = self.bound:connect({
    path = head.path, query = query, headers = head.headers,
    remote_address = ngx.var.remote_addr, secure = ngx.var.scheme == "https",
    auth_token = accepted.auth_token,
  }, new_peer:transport())
  if not connection then
    return request.answer(handshake.refusal_status(status), reason)
  end
  ngx.status = 101 -- for nginx's access log; the bytes are ours
  local sock, err = ngx.req.socket(true)
  if not sock then
    connection:closed()
    self.runtime_.log("error", "nginx gives no socket: " .. tostring(err))
    return request.answer(500, "no socket")
  end
  self.peers_[new_peer] = true
  self.peer_count = self.peer_count + 1
  if self.bound.draining then
    -- `connect` waited for something, and the worker was told to end meanwhile.
    connection:close(service_restart, "restart")
  end
  new_peer:run(sock, connection, handshake.response(accepted.accept_key, accepted.protocol))
end

local function serve_socket(self, head)
  local accepted, status, reason, headers = handshake.check(head, ngx.sha1_bin)
  if not accepted then
    return request.answer(status, reason, headers)
  end
  local query = core.query_decode(head.query)
  if not query then
    return request.answer(400, "the query has a broken escape")
  end
  connect(self, head, accepted, query)
end

--- Serves the request in hand: a WebSocket until it ends, or a long poll; anything else is refused.
function Server:serve()
  local head = request.head()
  local kind = self.bound:matches(head.path)
  if kind == "websocket" then
    serve_socket(self, head)
  elseif kind == "longpoll" then
    self.longpolls_:serve(head)
  else
    request.answer(404, "Not Found")
  end
end

-- The end.

--- Something has ended; when it was the last thing, so has the stop that is under way.
function Server:check_end()
  if not self.is_stopping or self.peer_count > 0 or self.bound:connections() > 0
    or not self.longpolls_:is_idle() then
    return
  end
  self.stop_timer_:cancel()
  self.longpolls_:close()
  local waiting = self.on_stopped_
  self.on_stopped_ = {}
  for _, on_stopped in ipairs(waiting) do
    on_stopped()
  end
end

--- A peer has ended. Harmless when it is said twice.
---@param ended presence.nginx.Peer
function Server:forget(ended)
  if self.peers_[ended] then
    self.peers_[ended] = nil
    self.peer_count = self.peer_count - 1
    self:check_end()
  end
end

local function abort(self)
  self.bound:drain() -- what was spread over a longer time
  self.longpolls_:cut()
  local peers = {}
  for one in pairs(self.peers_) do
    peers[#peers + 1] = one
  end
  for _, one in ipairs(peers) do
    one:cut(true)
  end
end

--- Stops: nobody new is let in, sockets close with 1012, spread over time. What is left after
--- `drain_timeout_s` is ended. Stopping again is harmless.
---@param on_stopped fun()|nil called when every connection has ended
function Server:stop(on_stopped)
  self.on_stopped_[#self.on_stopped_ + 1] = on_stopped
  if not self.is_stopping then
    self.is_stopping = true
    self.stop_timer_ = self.loop:after(self.options.drain_timeout_s, function() abort(self) end)
    self.bound:drain { spread_s = self.options.drain_spread_s }
  end
  -- In the loop's time: whoever stops is told after `stop` has returned.
  self.loop:defer(function() self:check_end() end)
end

return M
