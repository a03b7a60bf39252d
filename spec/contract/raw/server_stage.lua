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

function M.new()
  local stage = { clients = {} }
  local other_loops = {}

  --- Starts `stage.server`; `opts.server` and `opts.endpoint` are options of both.
  function stage.start(opts, endpoint)
    opts = opts or {}
    endpoint = endpoint or app.endpoint(opts.endpoint)
    stage.server, stage.loop, stage.logged =
      platform.start_server(endpoint, { server = opts.server })
    return endpoint
  end

  --- A server that is not started, on a runtime of its own.
  function stage.new_server(opts)
    local loop = luv_loop.new()
    other_loops[#other_loops + 1] = loop
    opts.runtime = presence.new { loop = loop }
    return luv_server.new(app.endpoint(), opts)
  end

  --- Makes a server of `new_server` the one that is played with.
  function stage.adopt(server)
    stage.server, stage.loop = server, server.loop
    assert(server:listen())
  end

  function stage.open(host)
    local client = http_client.open(stage.loop, stage.server.port, host)
    stage.clients[#stage.clients + 1] = client
    return client
  end

  --- A WebSocket whose frames are the test's to write and read.
  function stage.open_socket()
    local client = stage.open()
    client:send(M.upgrade())
    local answer = client:response()
    assert.equal(101, answer and answer.status)
    client.tcp.received = answer.body
    return client
  end

  function stage.wait_for(is_done, timeout_s)
    return platform.run_until(stage.loop, timeout_s or platform.patience_s, is_done)
  end

  --- Lets everything happen that happens within a time.
  function stage.wait(seconds)
    platform.run_until(stage.loop, seconds, function() return false end)
  end

  --- Starts to stop; the function returned tells whether it has.
  function stage.stop()
    local is_stopped = false
    stage.server:stop(function() is_stopped = true end)
    return function() return is_stopped end
  end

  --- Closes everything, and fails when something is left open.
  function stage.finish()
    for _, client in ipairs(stage.clients) do client:close() end
    stage.clients = {}
    if stage.server then
      assert.truthy(stage.wait_for(stage.stop()))
      stage.loop:close()
      stage.server = nil
    end
    while other_loops[1] do
      table.remove(other_loops):close()
    end
    platform.expect_no_handles()
  end

  return stage
end

return M
