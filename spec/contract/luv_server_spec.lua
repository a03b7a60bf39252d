--- The stand-alone server's sockets: listening, upgrades, the end.

local uv = require "luv"
local app = require "spec.contract.raw.app"
local http_client = require "spec.contract.raw.http_client"
local luv_loop = require "presence.luv.loop"
local luv_server = require "presence.luv.server"
local presence = require "presence"
local raw = require "spec.contract.raw.client"
local server_stage = require "spec.contract.raw.server_stage"

describe("the stand-alone server", function()
  local stage = server_stage.new()

  after_each(function() stage:finish() end)

  describe("listens", function()
    it("on a free port, and says where", function()
      stage:start()
      assert.is_true(stage.server.port > 0)
      assert.equal("http://127.0.0.1:" .. stage.server.port, stage.server.url)
      assert.equal(404, stage:open():ask("GET", "/").status)
    end)

    it("on IPv6", function()
      stage:adopt(stage:new_server { host = "::1", port = 0 })
      assert.equal("http://[::1]:" .. stage.server.port, stage.server.url)
      assert.equal(404, stage:open("::1"):ask("GET", "/").status)
    end)

    it("on every address of a name", function()
      stage:adopt(stage:new_server { host = "localhost", port = 0 })
      assert.equal(404, stage:open():ask("GET", "/").status)
    end)

    it("not where somebody else does", function()
      stage:start()
      local second = stage:new_server { port = stage.server.port }
      local ok, word, detail = second:listen()
      assert.same({ nil, "address_in_use" }, { ok, word })
      assert.truthy(detail:find("cannot listen on " .. stage.server.url .. ": ", 1, true))
      second:stop()
    end)

    it("not on a host that is none, or not of this machine", function()
      for _, host in ipairs { "no.such.host.invalid", "203.0.113.1", "not a host" } do
        local ok, word, detail = stage:new_server({ host = host, port = 0 }):listen()
        assert.same({ nil, "bad_host" }, { ok, word })
        assert.is_truthy(detail:find(host, 1, true))
      end
    end)

    it("not without its folder", function()
      local ok, word, detail = stage:new_server({ static = "/no/such/folder", port = 0 }):listen()
      assert.same({ nil, "no_folder" }, { ok, word })
      assert.matches("/no/such/folder", detail)
    end)

    it("and refuses options that are none", function()
      for _, opts in ipairs {
        { port = "80" }, { port = 70000 }, { port = 1.5 }, { host = 1 }, { static = 1 },
        { static = { public = "x" } }, { prot = 1 }, { on_listen = 1 },
      } do
        opts.runtime = presence.new { loop = luv_loop.new() }
        assert.has_error(function() luv_server.new(app.endpoint(), opts) end)
      end
      assert.has_error(function() luv_server.new({}) end)
      assert.has_error(function()
        luv_server.new(app.endpoint(),
          { runtime = presence.new { loop = require("presence.manual.loop").new() } })
      end)
    end)
  end)

  describe("upgrades", function()
    it("and feeds the frames that came with the head", function()
      stage:start()
      local client = stage:open()
      client:send(server_stage.upgrade()
        .. raw.frame(raw.text, raw.message(nil, "1", "phoenix", "heartbeat")))
      assert.truthy(stage:wait_for(function()
        return client.tcp.received:find('[null,1,"phoenix","phx_reply"', 1, true)
      end))
      assert.matches("^HTTP/1.1 101 Switching Protocols\r\n", client.tcp.received)
    end)

    it("after a request for a file on the same connection", function()
      stage:start()
      local client = stage:open()
      client:send(http_client.request("GET", "/nothing") .. server_stage.upgrade())
      assert.equal(404, client:response().status)
      assert.equal(101, client:response().status)
    end)

    it("nothing that does not ask for it", function()
      stage:start()
      local answer = stage:open():ask("GET", "/socket/websocket?vsn=2.0.0")
      assert.equal(426, answer.status)
      assert.equal("websocket", answer.headers.upgrade)
      assert.equal(405, stage:open():ask("POST", "/socket/websocket").status)
    end)

    it("not a version that it does not speak", function()
      stage:start()
      local client = stage:open()
      client:send((server_stage.upgrade():gsub("Version: 13", "Version: 8")))
      local answer = client:response()
      assert.equal(426, answer.status)
      assert.equal("13", answer.headers["sec-websocket-version"])
      assert.is_true(client:is_gone())
    end)

    it("not a query with a broken escape", function()
      stage:start()
      local client = stage:open()
      client:send((server_stage.upgrade():gsub("vsn=2", "x=%%zz&vsn=2")))
      assert.equal(400, client:response().status)
    end)

    it("and tells who is refused why, on one line", function()
      stage:start(nil, app.endpoint {
        connect = function() return nil, "go away\r\nX-Injected: 1", 429 end,
      })
      local client = stage:open()
      client:send(server_stage.upgrade())
      local answer = client:response()
      assert.equal(429, answer.status)
      assert.matches("go away", answer.body)
      assert.is_nil(answer.headers["x-injected"])
      assert.equal("text/plain; charset=utf-8", answer.headers["content-type"])
      assert.is_true(client:is_gone())
    end)

    it("with the address of whoever asks", function()
      local seen
      stage:start(nil, app.endpoint {
        connect = function(_, request)
          seen = request.remote_address
          return {}
        end,
      })
      stage:open_socket()
      assert.equal("127.0.0.1", seen)
    end)
  end)

  describe("stops", function()
    it("with 1012 for every socket, and is gone then", function()
      stage:start { server = { drain_spread_s = 0.05 } }
      local sockets = { stage:open_socket(), stage:open_socket(), stage:open_socket() }
      local idle = stage:open()
      local port = stage.server.port
      stage:wait_for(function() return stage.server:connections() == 4 end)
      local is_stopped = stage:stop()
      for _, socket in ipairs(sockets) do
        assert.is_true(socket:is_gone())
        assert.equal("\136", socket.tcp.received:sub(1, 1))
        assert.equal(string.char(3, 244), socket.tcp.received:sub(3, 4)) -- 1012
        socket:close()
      end
      assert.is_true(idle:is_gone())
      assert.truthy(stage:wait_for(is_stopped))
      assert.has_error(function() http_client.open(stage.loop, port) end)
    end)

    it("whoever is in the middle of a file gets the rest", function()
      local path = os.tmpname()
      os.remove(path)
      assert(uv.fs_mkdir(path, 448))
      local file = assert(io.open(path .. "/big.bin", "wb"))
      file:write(("x"):rep(3000000))
      file:close()
      stage:start { server = { static = path } }
      local client = stage:open()
      client:send(http_client.request("GET", "/big.bin"))
      stage:wait_for(function() return #client.tcp.received > 0 end)
      local is_stopped = stage:stop()
      local answer = client:response()
      assert.equal(3000000, answer and #answer.body)
      assert.is_true(client:is_gone())
      client:close()
      assert.truthy(stage:wait_for(is_stopped))
      os.remove(path .. "/big.bin")
      uv.fs_rmdir(path)
    end)

    it("also when a client does not hang up", function()
      stage:start { server = { drain_timeout_s = 0.1, linger_timeout_s = 60 } }
      local socket = stage:open_socket()
      socket.tcp.handle:read_stop()
      local is_stopped = stage:stop()
      assert.truthy(stage:wait_for(is_stopped))
      assert.equal(0, stage.server:connections())
    end)

    it("once, however often it is told to, and whoever asked is told", function()
      stage:start()
      stage:open_socket()
      local told = 0
      for _ = 1, 3 do stage.server:stop(function() told = told + 1 end) end
      assert.equal(0, told)
      assert.truthy(stage:wait_for(function() return told == 3 end))
      stage.server:stop(function() told = told + 1 end)
      assert.truthy(stage:wait_for(function() return told == 4 end))
    end)

    it("before it ever listened", function()
      stage.server = stage:new_server { port = 0 }
      stage.loop = stage.server.loop
      assert.truthy(stage:wait_for(stage:stop()))
    end)

    it("at once by abort", function()
      stage:start { server = { drain_timeout_s = 60, linger_timeout_s = 60 } }
      local socket = stage:open_socket()
      socket.tcp.handle:read_stop()
      local is_stopped = stage:stop()
      stage:wait(0.02)
      assert.is_false(is_stopped())
      stage.server:abort()
      assert.truthy(stage:wait_for(is_stopped))
    end)
  end)

  it("logs no error of its own in all of this", function()
    stage:start()
    stage:open_socket():close()
    stage:wait_for(function() return stage.server:connections() == 0 end)
    assert.same({}, stage.logged)
  end)
end)
