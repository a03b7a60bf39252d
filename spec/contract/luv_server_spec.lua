--- The stand-alone server's sockets: listening, limits, slow readers, the end.

local uv = require "luv"
local app = require "spec.contract.raw.app"
local http_client = require "spec.contract.raw.http_client"
local luv_loop = require "presence.luv.loop"
local luv_server = require "presence.luv.server"
local platform = require "spec.contract.raw.luv_platform"
local presence = require "presence"
local raw = require "spec.contract.raw.client"
local client_side = require "spec.contract.raw.handshake"

local function upgrade(query)
  return client_side.request({ vsn = "2.0.0", user_id = query or "ann" }, {})
end

describe("the stand-alone server", function()
  local server, loop, logged, clients
  local other_loops = {}

  local function start(opts, endpoint)
    endpoint = endpoint or app.endpoint(opts and opts.endpoint)
    server, loop, logged = platform.start_server(endpoint, { server = opts and opts.server })
    return endpoint
  end

  local function open()
    local client = http_client.open(loop, server.port)
    clients[#clients + 1] = client
    return client
  end

  -- A WebSocket whose frames are the test's to write and read.
  local function open_socket()
    local client = open()
    client:send(upgrade())
    local answer = client:response()
    assert.equal(101, answer and answer.status)
    client.tcp.received = answer.body
    return client
  end

  local function wait_for(is_done, timeout_s)
    return platform.run_until(loop, timeout_s or 5, is_done)
  end

  before_each(function()
    server, clients = nil, {}
  end)

  after_each(function()
    for _, client in ipairs(clients) do client:close() end
    if server then
      local is_stopped = false
      server:stop(function() is_stopped = true end)
      assert.truthy(wait_for(function() return is_stopped end))
      loop:close()
    end
    while other_loops[1] do
      table.remove(other_loops):close()
    end
    platform.expect_no_handles()
  end)

  describe("listens", function()
    local function new(opts)
      local own_loop = luv_loop.new()
      other_loops[#other_loops + 1] = own_loop
      opts.runtime = presence.new { loop = own_loop }
      return luv_server.new(app.endpoint(), opts)
    end

    it("on a free port, and says where", function()
      start()
      assert.is_true(server.port > 0)
      assert.equal("http://127.0.0.1:" .. server.port, server.url)
      assert.equal(404, open():ask("GET", "/").status)
    end)

    it("on IPv6", function()
      server = new { host = "::1", port = 0 }
      loop = server.loop
      assert(server:listen())
      assert.equal("http://[::1]:" .. server.port, server.url)
      local client = http_client.open(loop, server.port, "::1")
      clients[1] = client
      assert.equal(404, client:ask("GET", "/").status)
    end)

    it("on every address of a name", function()
      server = new { host = "localhost", port = 0 }
      loop = server.loop
      assert(server:listen())
      assert.equal(404, open():ask("GET", "/").status)
    end)

    it("not where somebody else does", function()
      start()
      local second = new { port = server.port }
      local ok, word, detail = second:listen()
      assert.same({ nil, "address_in_use" }, { ok, word })
      assert.matches("cannot listen on http://127.0.0.1:" .. server.port .. ": ", detail, 1, true)
      second:stop()
    end)

    it("not on a host that is none, or not of this machine", function()
      for _, host in ipairs { "no.such.host.invalid", "203.0.113.1", "not a host" } do
        local ok, word, detail = new({ host = host, port = 0 }):listen()
        assert.same({ nil, "bad_host" }, { ok, word })
        assert.is_truthy(detail:find(host, 1, true))
      end
    end)

    it("not without its folder", function()
      local ok, word, detail = new({ static = "/no/such/folder", port = 0 }):listen()
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
      start()
      local client = open()
      client:send(upgrade() .. raw.frame(raw.text, raw.message(nil, "1", "phoenix", "heartbeat")))
      assert.truthy(wait_for(function()
        return client.tcp.received:find('[null,1,"phoenix","phx_reply"', 1, true)
      end))
      assert.matches("^HTTP/1.1 101 Switching Protocols\r\n", client.tcp.received)
    end)

    it("after a request for a file on the same connection", function()
      start()
      local client = open()
      client:send(http_client.request("GET", "/nothing") .. upgrade())
      assert.equal(404, client:response().status)
      assert.equal(101, client:response().status)
    end)

    it("nothing that does not ask for it", function()
      start()
      local answer = open():ask("GET", "/socket/websocket?vsn=2.0.0")
      assert.equal(426, answer.status)
      assert.equal("websocket", answer.headers.upgrade)
      assert.equal(405, open():ask("POST", "/socket/websocket").status)
    end)

    it("not a version that it does not speak", function()
      start()
      local client = open()
      client:send((upgrade():gsub("Version: 13", "Version: 8")))
      local answer = client:response()
      assert.equal(426, answer.status)
      assert.equal("13", answer.headers["sec-websocket-version"])
      assert.is_true(client:is_gone())
    end)

    it("not a query with a broken escape", function()
      start()
      local client = open()
      client:send((upgrade():gsub("vsn=2", "x=%%zz&vsn=2")))
      assert.equal(400, client:response().status)
    end)

    it("and tells who is refused why, on one line", function()
      start(nil, app.endpoint {
        connect = function() return nil, "go away\r\nX-Injected: 1", 429 end,
      })
      local client = open()
      client:send(upgrade())
      local answer = client:response()
      assert.equal(429, answer.status)
      assert.matches("go away", answer.body)
      assert.is_nil(answer.headers["x-injected"])
      assert.equal("text/plain; charset=utf-8", answer.headers["content-type"])
      assert.is_true(client:is_gone())
    end)

    it("with the address of whoever asks", function()
      local seen
      start(nil, app.endpoint {
        connect = function(_, request)
          seen = request.remote_address
          return {}
        end,
      })
      open_socket()
      assert.equal("127.0.0.1", seen)
    end)
  end)

  describe("limits connections", function()
    it("in all, 503", function()
      start { server = { max_connections = 2 } }
      local first = open()
      open()
      assert.equal(503, open():ask("GET", "/").status)
      first:close()
      assert.truthy(wait_for(function() return server:connections() == 1 end))
      assert.equal(404, open():ask("GET", "/").status)
    end)

    it("of one address, 429, sockets too", function()
      start { server = { max_connections_per_address = 2 } }
      local first = open_socket()
      open_socket()
      local refused = open()
      refused:send(upgrade())
      assert.equal(429, refused:response().status)
      assert.is_true(refused:is_gone())
      first:close()
      assert.truthy(wait_for(function() return server:connections() == 1 end))
      open_socket()
    end)

    it("not where they are false", function()
      start { server = { max_connections_per_address = false, max_connections = false } }
      for _ = 1, 20 do open_socket() end
      assert.equal(20, server:connections())
    end)

    it("and by default lets 1,000 sockets of one address in at once", function()
      start()
      for _ = 1, 1000 do
        local handle = uv.new_tcp()
        clients[#clients + 1] = { close = function() handle:close() end }
        handle:connect("127.0.0.1", server.port, function(err)
          assert(not err, err)
          handle:write(upgrade())
        end)
      end
      assert.truthy(wait_for(function() return server.bound:connections() == 1000 end, 20))
      assert.equal(404, open():ask("GET", "/").status)
    end)
  end)

  describe("a client that reads slowly", function()
    local text = ("x"):rep(30000)

    -- Joins, stops reading, and asks for `count` answers of 30 kB.
    local function ask_much(client, count)
      client:send(raw.frame(raw.text, raw.message('"1"', '"1"', "plain:1", "phx_join")))
      assert.truthy(wait_for(function() return client.tcp.received:find("phx_reply", 1, true) end))
      client.tcp.received = ""
      client.tcp.handle:read_stop()
      for i = 1, count do
        client:send(raw.frame(raw.text,
          raw.message('"1"', tostring(i), "plain:1", "echo", '{"t":"' .. text .. '"}')))
      end
    end

    it("gets everything, in order, once it reads on", function()
      start {
        endpoint = { max_outbox_bytes = 1e8, max_messages_per_s = false },
        server = { write_high_water_bytes = 10000 },
      }
      local client = open_socket()
      ask_much(client, 300)
      wait_for(function() return false end, 0.1)
      local pieces = {}
      client.tcp.handle:read_start(function(_, bytes) pieces[#pieces + 1] = bytes end)
      local codec = require("presence.core").websocket {
        role = "client", max_message_bytes = 1e7, max_fragments = 100,
      }
      local got = 0
      wait_for(function()
        for i = 1, #pieces do
          codec:feed(pieces[i])
          pieces[i] = nil
        end
        local kind, data = codec:next()
        while kind do
          got = got + 1
          assert.matches(('^%%["1",%d,'):format(got), data:sub(1, 20))
          kind, data = codec:next()
        end
        return got == 300
      end, 20)
      assert.equal(300, got)
    end)

    it("too slowly is closed, and its presences leave", function()
      local endpoint = start {
        endpoint = { max_outbox_bytes = 100000, max_messages_per_s = false },
        server = { write_high_water_bytes = 10000 },
      }
      local client = open_socket()
      client:send(raw.frame(raw.text,
        raw.message('"7"', '"7"', "room:1", "phx_join", '{"key":"ann"}')))
      ask_much(client, 600)
      assert.truthy(wait_for(function() return endpoint:metrics().connections == 0 end, 20))
      assert.truthy(wait_for(function() return server:connections() == 0 end))
      assert.equal(0, #server.options.runtime.topics())
    end)

    it("and resets the connection while it is written to harms nobody", function()
      start {
        endpoint = { max_outbox_bytes = 1e8, max_messages_per_s = false },
        server = { write_high_water_bytes = 1e8 },
      }
      for _ = 1, 5 do
        local client = open_socket()
        ask_much(client, 50)
        wait_for(function() return false end, 0.02)
        client.tcp.handle:close_reset()
      end
      assert.truthy(wait_for(function() return server:connections() == 0 end))
      assert.equal(404, open():ask("GET", "/").status)
    end)
  end)

  describe("stops", function()
    it("with 1012 for every socket, and is gone then", function()
      start { server = { drain_spread_s = 0.05 } }
      local sockets = { open_socket(), open_socket(), open_socket() }
      local idle, is_stopped = open(), false
      local port = server.port
      wait_for(function() return server:connections() == 4 end)
      server:stop(function() is_stopped = true end)
      for _, socket in ipairs(sockets) do
        assert.is_true(socket:is_gone())
        assert.equal("\136", socket.tcp.received:sub(1, 1))
        assert.equal(string.char(3, 244), socket.tcp.received:sub(3, 4)) -- 1012
        socket:close()
      end
      assert.is_true(idle:is_gone())
      assert.truthy(wait_for(function() return is_stopped end))
      assert.has_error(function() http_client.open(loop, port) end)
    end)

    it("whoever is in the middle of a file gets the rest", function()
      local path = os.tmpname()
      os.remove(path)
      assert(uv.fs_mkdir(path, 448))
      local file = assert(io.open(path .. "/big.bin", "wb"))
      file:write(("x"):rep(3000000))
      file:close()
      start { server = { static = path } }
      local client, is_stopped = open(), false
      client:send(http_client.request("GET", "/big.bin"))
      wait_for(function() return #client.tcp.received > 0 end)
      server:stop(function() is_stopped = true end)
      local answer = client:response()
      assert.equal(3000000, answer and #answer.body)
      assert.is_true(client:is_gone())
      client:close()
      assert.truthy(wait_for(function() return is_stopped end))
      os.remove(path .. "/big.bin")
      uv.fs_rmdir(path)
    end)

    it("also when a client does not hang up", function()
      start { server = { drain_timeout_s = 0.1, linger_timeout_s = 60 } }
      local socket, is_stopped = open_socket(), false
      socket.tcp.handle:read_stop()
      server:stop(function() is_stopped = true end)
      assert.truthy(wait_for(function() return is_stopped end))
      assert.equal(0, server:connections())
    end)

    it("once, however often it is told to, and whoever asked is told", function()
      start()
      open_socket()
      local told = 0
      for _ = 1, 3 do server:stop(function() told = told + 1 end) end
      assert.equal(0, told)
      assert.truthy(wait_for(function() return told == 3 end))
      server:stop(function() told = told + 1 end)
      assert.truthy(wait_for(function() return told == 4 end))
    end)

    it("before it ever listened", function()
      loop = luv_loop.new()
      local unused = luv_server.new(app.endpoint(), { runtime = presence.new { loop = loop } })
      local is_stopped = false
      unused:stop(function() is_stopped = true end)
      assert.truthy(wait_for(function() return is_stopped end))
      loop:close()
    end)

    it("at once by abort", function()
      start { server = { drain_timeout_s = 60, linger_timeout_s = 60 } }
      local socket, is_stopped = open_socket(), false
      socket.tcp.handle:read_stop()
      server:stop(function() is_stopped = true end)
      wait_for(function() return false end, 0.02)
      assert.is_false(is_stopped)
      server:abort()
      assert.truthy(wait_for(function() return is_stopped end))
    end)
  end)

  it("logs no error of its own in all of this", function()
    start()
    open_socket():close()
    wait_for(function() return server:connections() == 0 end)
    assert.same({}, logged)
  end)
end)
