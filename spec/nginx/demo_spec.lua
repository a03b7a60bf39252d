--- scripts/demo-nginx.sh by the demo's contract.

local uv = require "luv"
local clients = require "spec.nginx.clients"
local server = require "spec.nginx.server"

describe("scripts/demo-nginx.sh", function()
  local running

  local function start(environment)
    local out, err = uv.new_pipe(), uv.new_pipe()
    local all = { "PRESENCE_BUILD=" .. (os.getenv "BUILD" or "build") }
    running = { printed = "" }
    for name, value in pairs(uv.os_environ()) do
      if name ~= "HOST" and name ~= "PORT" and name ~= "PRESENCE_BUILD" then
        all[#all + 1] = name .. "=" .. value
      end
    end
    for name, value in pairs(environment) do
      all[#all + 1] = name .. "=" .. value
    end
    local this = running
    this.handle = uv.spawn("bash", {
      args = { "scripts/demo-nginx.sh" }, env = all, stdio = { nil, out, err },
    }, function(exit_code)
      this.code = exit_code
      this.handle:close()
    end)
    assert(this.handle, "bash cannot be started")
    for _, pipe in ipairs { out, err } do
      pipe:read_start(function(_, bytes)
        this.printed = this.printed .. (bytes or "")
        if not bytes then
          pipe:close()
        end
      end)
    end
    return this
  end

  after_each(function()
    if running and not running.code then
      running.handle:kill "sigterm"
      server.wait_until(function() return running.code end)
    end
    uv.run "nowait"
  end)

  it("prints its address, serves the page and the socket, and stops on TERM", function()
    local port = server.free_port()
    local demo = start { PORT = tostring(port) }
    local address = ("http://127.0.0.1:%d"):format(port)
    assert.is_true(server.wait_until(function()
      return ("\n" .. demo.printed):find("\n" .. address .. "\n", 1, true)
    end))
    local page, status = server.at(port):get "/"
    assert.equal(200, status)
    assert.matches("<!doctype html>", page:lower(), 1, true)
    local ann = clients.new(port, "ann", "room:lobby")
    assert.is_true(server.wait_until(function() return ann.state == "joined" end))
    demo.handle:kill "sigterm"
    assert.is_true(server.wait_until(function() return demo.code end))
    assert.equal(0, demo.code)
    assert.same({ 1012 }, ann.codes)
    assert.equal(address .. "\n", demo.printed)
  end)

  it("fails when the port is taken, or none", function()
    local taken = uv.new_tcp()
    assert(taken:bind("127.0.0.1", 0))
    taken:listen(1, function() end)
    local demo = start { PORT = tostring(taken:getsockname().port) }
    assert.is_true(server.wait_until(function() return demo.code end))
    taken:close()
    assert.not_equal(0, demo.code)
    assert.matches("Address already in use", demo.printed, 1, true)
    assert.is_nil(demo.printed:find("http://", 1, true))
    demo = start { PORT = "99999" }
    assert.is_true(server.wait_until(function() return demo.code end))
    assert.equal(1, demo.code)
    assert.matches("PORT must be a number from 1 to 65535", demo.printed, 1, true)
  end)
end)
