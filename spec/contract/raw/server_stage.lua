--- A stand-alone server and clients of it, for specs of its own promises.

local assert = require "luassert"
local app = require "spec.contract.raw.app"
local client_side = require "spec.contract.raw.handshake"
local http_client = require "spec.contract.raw.http_client"
local luv_loop = require "presence.luv.loop"
local luv_server = require "presence.luv.server"
local platform = require "spec.contract.raw.luv_platform"
local presence = require "presence"

local M = {}

--- The bytes that ask for a socket.
function M.upgrade()
  return client_side.request({ vsn = "2.0.0", user_id = "ann" }, {})
end

---@class presence.spec.ServerStage
local Stage = {}
Stage.__index = Stage

--- Starts `stage.server`; `opts.server` and `opts.endpoint` are options of both.
function Stage:start(opts, endpoint)
  opts = opts or {}
  endpoint = endpoint or app.endpoint(opts.endpoint)
  self.server, self.loop, self.logged =
    platform.start_server(endpoint, { server = opts.server })
  return endpoint
end

--- A server that is not started, on a runtime of its own.
function Stage:new_server(opts)
  local loop = luv_loop.new()
  self.other_loops[#self.other_loops + 1] = loop
  opts.runtime = presence.new { loop = loop }
  return luv_server.new(app.endpoint(), opts)
end

--- Makes a server of `new_server` the one that is played with.
function Stage:adopt(server)
  self.server, self.loop = server, server.loop
  assert(server:listen())
end

function Stage:open(host)
  local client = http_client.open(self.loop, self.server.port, host)
  self.clients[#self.clients + 1] = client
  return client
end

--- A WebSocket whose frames are the test's to write and read.
function Stage:open_socket()
  local client = self:open()
  client:send(M.upgrade())
  local answer = client:response()
  assert.equal(101, answer and answer.status)
  client.tcp.received = answer.body
  return client
end

function Stage:wait_for(is_done, timeout_s)
  return platform.run_until(self.loop, timeout_s or platform.patience_s, is_done)
end

--- Lets everything happen that happens within a time.
function Stage:wait(seconds)
  platform.run_until(self.loop, seconds, function() return false end)
end

--- Starts to stop; the function returned tells whether it has.
function Stage:stop()
  local is_stopped = false
  self.server:stop(function() is_stopped = true end)
  return function() return is_stopped end
end

--- Closes everything, and fails when something is left open.
function Stage:finish()
  for _, client in ipairs(self.clients) do client:close() end
  self.clients = {}
  if self.server then
    assert.truthy(self:wait_for(self:stop()))
    self.loop:close()
    self.server = nil
  end
  while self.other_loops[1] do
    table.remove(self.other_loops):close()
  end
  platform.expect_no_handles()
end

function M.new()
  return setmetatable({ clients = {}, other_loops = {} }, Stage)
end

return M
