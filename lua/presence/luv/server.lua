--- The stand-alone server: an endpoint and the files of a page over plain HTTP/1.1. TLS is the work
-- of a proxy before it.

local uv = require "luv"
local address = require "presence.luv.address"
local config = require "presence.config"
local peer = require "presence.luv.peer"
local static = require "presence.luv.static"

local M = {}

---@class presence.luv.Server
---@field host string
---@field port integer|nil the port it listens on, once it does
---@field url string|nil
---@field options table
---@field bound presence.BoundEndpoint
---@field loop presence.luv.Loop
---@field is_stopping boolean no new connections are taken, those there are end
---@field private listeners_ userdata[]
---@field private peers_ table<presence.luv.Peer, string> → address
---@field private peers_by_address_ table<string, integer>
local Server = {}
Server.__index = Server

-- Refused clients who are still told so; more than these are just hung up on.
local max_refused_peers = 256

-- Out of file descriptors, accepting fails as often as somebody knocks: once in this time is told.
local accept_error_interval_s = 10

local function new_sha1()
  local found, digest = pcall(require, "openssl.digest")
  if not found then
    error("serve: luaossl is needed for the WebSocket handshake (Debian: lua-luaossl)\n"
      .. tostring(digest), 0)
  end
  return function(bytes) return digest.new("sha1"):final(bytes) end
end

local allowed = { static = true, runtime = true, log = true, on_listen = true }

local function check_options(options, level)
  local port, folders = options.port, options.static
  if type(options.host) ~= "string" then
    error("serve: the option host must be a string", level)
  elseif port < 0 or port > 65535 or port % 1 ~= 0 then
    error("serve: the option port must be an integer from 0 to 65535", level)
  elseif folders and type(folders) ~= "string" and type(folders) ~= "table" then
    error("serve: the option static must be a folder, or a table of path → folder", level)
  end
  for prefix, folder in pairs(type(folders) == "table" and folders or {}) do
    if type(prefix) ~= "string" or prefix:sub(1, 1) ~= "/" or type(folder) ~= "string" then
      error("serve: the option static must be a folder, or a table of path → folder", level)
    end
  end
  for _, name in ipairs { "log", "on_listen" } do
    if options[name] ~= nil and type(options[name]) ~= "function" then
      error("serve: the option " .. name .. " must be a function", level)
    end
  end
end

-- `level`, as for `error`: whose mistake it is when the arguments are wrong.
local function new_server(endpoint, opts, level)
  if type(endpoint) ~= "table" or type(endpoint.bind) ~= "function" then
    error("serve: needs an endpoint, made by presence.endpoint", level)
  end
  if type(opts) == "string" then
    opts = nil -- the second result of require in `serve(require "app")`, by Lua 5.4
  end
  local options = config.merge("serve", config.server, opts, allowed, level + 1)
  check_options(options, level + 1)
  local runtime = options.runtime or require("presence.default").get()
  local loop = type(runtime) == "table" and runtime.loop
  if not loop or loop.name ~= "luv" then
    error("serve: the option runtime must be a runtime on luv's loop"
      .. (loop and ", its loop is " .. tostring(loop.name) or ""), level)
  end
  return setmetatable({
    options = options,
    host = options.host,
    runtime_ = runtime,
    loop = runtime.loop,
    log_ = options.log or runtime.log,
    sha1 = new_sha1(),
    endpoint_ = endpoint,
    listeners_ = {},
    peers_ = {},
    peer_count_ = 0,
    refused_count_ = 0,
    next_accept_error_ = 0,
    peers_by_address_ = {},
    is_stopping = false,
    on_stopped_ = {},
  }, Server)
end

--- A server for an endpoint, on the option `runtime` or else the default one, whose loop must be
--- luv's. It does nothing until `listen`, and then what the loop runs.
---@param endpoint presence.Endpoint
---@param opts table|nil see docs/options.md
---@return presence.luv.Server
function M.new(endpoint, opts)
  local server = new_server(endpoint, opts, 3)
  return server
end

-- Accepting.

local function refusal(self, from)
  local options = self.options
  if options.max_connections and self.peer_count_ >= options.max_connections then
    return { status = 503, reason = "too many connections" }
  elseif options.max_connections_per_address
    and (self.peers_by_address_[from] or 0) >= options.max_connections_per_address then
    return { status = 429, reason = "too many connections from your address" }
  end
end

local function accept(self, listener)
  local handle = uv.new_tcp()
  local from = listener:accept(handle) and address.of_peer(handle)
  if not from then
    handle:close()
    return
  end
  local refused = refusal(self, from)
  if refused and self.refused_count_ >= max_refused_peers then
    handle:close()
    return
  end
  handle:nodelay(true)
  handle:keepalive(true, self.options.tcp_keepalive_s)
  local accepted = peer.new(self, handle, from, refused)
  if refused then
    self.refused_count_ = self.refused_count_ + 1
    self.peers_[accepted] = ""
  else
    self.peer_count_ = self.peer_count_ + 1
    self.peers_by_address_[from] = (self.peers_by_address_[from] or 0) + 1
    self.peers_[accepted] = from
  end
end

local function on_accept_error(self, err)
  local now = self.loop:now()
  if now >= self.next_accept_error_ then
    self.next_accept_error_ = now + accept_error_interval_s
    self.log_("error", "connections cannot be accepted: " .. err,
      { connections = self.peer_count_ })
  end
end

local function finish_stop(self)
  -- A long poll's session is a connection of the endpoint without one of ours.
  if not self.is_stopping or next(self.peers_) or self.bound and self.bound:connections() > 0 then
    return
  end
  self.stop_timer_:cancel()
  if self.sigpipe_ then
    self.sigpipe_:close()
    self.sigpipe_ = nil
  end
  local waiting = self.on_stopped_
  self.on_stopped_ = {}
  for _, on_stopped in ipairs(waiting) do
    on_stopped()
  end
end

--- A peer has ended.
---@param ended presence.luv.Peer
function Server:forget(ended)
  local from = self.peers_[ended]
  if not from then
    return
  end
  self.peers_[ended] = nil
  if from == "" then
    self.refused_count_ = self.refused_count_ - 1
  else
    local left = self.peers_by_address_[from] - 1
    self.peers_by_address_[from] = left > 0 and left or nil
    self.peer_count_ = self.peer_count_ - 1
  end
  finish_stop(self)
end

-- Listening.

local function close_listeners(self)
  for _, listener in ipairs(self.listeners_) do
    if not listener:is_closing() then
      listener:close()
    end
  end
  self.listeners_ = {}
end

-- A client that resets while it is written to must not end the whole process.
local function ignore_sigpipe(self)
  if not self.sigpipe_ then
    self.sigpipe_ = uv.new_signal()
    self.sigpipe_:start("sigpipe", function() end)
    self.sigpipe_:unref()
  end
end

local function listen_on(self, ip, port)
  local listener = uv.new_tcp()
  self.listeners_[#self.listeners_ + 1] = listener
  local ok, err, name = listener:bind(ip, port)
  if ok then
    ok, err, name = listener:listen(self.options.backlog, self.loop:wrap(function(failed)
      if failed then
        on_accept_error(self, failed)
      else
        accept(self, listener)
      end
    end))
  end
  if ok then
    return listener:getsockname().port
  end
  listener:close()
  self.listeners_[#self.listeners_] = nil
  return nil, name, err
end

local function listen_failure(self, name, err)
  local detail = ("cannot listen on %s: %s"):format(
    address.url(self.host, self.options.port), err)
  if name == "EADDRINUSE" then
    return nil, "address_in_use", detail
  elseif name == "EADDRNOTAVAIL" then
    return nil, "bad_host", detail
  end
  return nil, "listen_failed", detail
end

-- Families that this machine does not have are passed over when the host has others.
local passed_over = { EADDRNOTAVAIL = true, EAFNOSUPPORT = true }

-- On every address of the host, on one port.
local function listen_on_all(self, addresses)
  local port, failed, failed_err = self.options.port, nil, nil
  for _, ip in ipairs(addresses) do
    local got, name, err = listen_on(self, ip, port)
    if got then
      port = got
    else
      failed, failed_err = name, err
      if not passed_over[name] then
        break
      end
    end
  end
  if #self.listeners_ > 0 and (not failed or passed_over[failed]) then
    return port
  end
  close_listeners(self)
  return listen_failure(self, failed, failed_err)
end

--- Opens the port. `port` and `url` tell where, also when the option was 0: any free one.
---@return true|nil
---@return string|nil word "address_in_use", "bad_host", "listen_failed", "no_folder"
---@return string|nil detail
function Server:listen()
  if self.port then
    error("listen: this server listens, or did", 2)
  end
  if self.options.static and not self.static then
    local folders, word, detail = static.new(self.options.static)
    if not folders then
      return nil, word, detail
    end
    self.static = folders
  end
  local addresses, word, detail = address.resolve(self.host)
  if not addresses then
    return nil, word, detail
  end
  local port
  port, word, detail = listen_on_all(self, addresses)
  if not port then
    return nil, word, detail
  end
  ignore_sigpipe(self)
  self.port, self.url = port, address.url(self.host, port)
  self.bound = self.endpoint_:bind(self.runtime_)
  self.bound.on_empty = function() finish_stop(self) end
  return true
end

--- How many TCP connections there are.
---@return integer
function Server:connections()
  return self.peer_count_
end

-- Stopping.

local function peers_of(self)
  local peers = {}
  for one in pairs(self.peers_) do
    peers[#peers + 1] = one
  end
  return peers
end

--- Ends every connection now.
function Server:abort()
  if self.is_stopping and self.bound then
    self.bound:drain() -- long polls too
  end
  for _, one in ipairs(peers_of(self)) do
    one:close()
  end
end

--- Stops: nobody new is let in, sockets close with 1012, answers under way are finished. What is
--- left after `drain_timeout_s` is ended. Stopping again is harmless.
---@param on_stopped fun()|nil called when every connection has ended
function Server:stop(on_stopped)
  if on_stopped then
    self.on_stopped_[#self.on_stopped_ + 1] = on_stopped
  end
  -- In the loop's time: whoever stops is told after `stop` has returned.
  self.loop:defer(function() finish_stop(self) end)
  if self.is_stopping then
    return
  end
  self.is_stopping = true
  close_listeners(self)
  if self.bound then
    self.bound:drain { spread_s = self.options.drain_spread_s }
  end
  self.stop_timer_ = self.loop:after(self.options.drain_timeout_s, function() self:abort() end)
  for _, one in ipairs(peers_of(self)) do
    one:finish()
  end
end

-- Serving.

-- What `serve` raises when the port is taken and the like: interpreters print it as it is, without
-- a traceback, and exit with 1.
local ListenError = { __tostring = function(self) return self.message end }

local function announce(server)
  io.stdout:write("presence: listening on ", server.url, "\n")
  io.stdout:flush()
end

local function stop_on_signals(server, on_stopped)
  local handles = {}
  local function on_signal()
    if server.is_stopping then
      return server:abort()
    end
    server:stop(function()
      for _, handle in ipairs(handles) do
        handle:close()
      end
      on_stopped()
    end)
  end
  for i, name in ipairs { "sigterm", "sigint" } do
    handles[i] = uv.new_signal()
    handles[i]:start(name, server.loop:wrap(on_signal))
  end
end

--- Serves an endpoint until SIGTERM or SIGINT, then stops gracefully; a second signal stops at
--- once. Raises when it cannot listen.
---@param endpoint presence.Endpoint
---@param opts table|nil see docs/options.md
---@return true
function M.serve(endpoint, opts)
  local server = new_server(endpoint, opts, 3)
  local ok, word, detail = server:listen()
  if not ok then
    -- luv 1.44 crashes when a Lua state ends before the handles that were closed have been.
    uv.run("nowait")
    error(setmetatable({ word = word, message = "presence: " .. detail }, ListenError), 0)
  end
  stop_on_signals(server, function() server.loop:stop() end)
  local on_listen = server.options.on_listen or announce
  on_listen(server)
  server.loop:run()
  return true
end

return M
