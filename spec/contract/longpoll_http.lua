--- What HTTP itself has to do with long polls, for any server that carries them: bodies,
-- connections, the end of the server.
--
-- A server is `new_stage() → stage` with
--   stage:start{server =, endpoint =}  options of both
--   stage:open() → client              of spec.contract.raw.http_client
--   stage:wait(s), stage:wait_for(is_done, s)
--   stage:left() → connections of the endpoint, connections of TCP
--   stage:stop() → is_stopped          begins to stop
--   stage:finish()

local assert = require "luassert"
local busted = require "busted"
local client_side = require "spec.contract.raw.handshake"
local json = require "cjson"
local describe, it = busted.describe, busted.it
local before_each, after_each = busted.before_each, busted.after_each

local beat = '[null,"1","phoenix","heartbeat",{}]'

local function request(method, query, headers, body)
  query.vsn = "2.0.0"
  return client_side.http_request(method, "/socket/longpoll", query, headers or {}, body)
end

local function open_session(client)
  client:send(request("GET", {}))
  return json.decode(client:response().body).token
end

---@param new_stage fun(): table
return function(new_stage)
  local stage

  before_each(function() stage = new_stage() end)
  after_each(function() stage:finish() end)

  local function start(server, endpoint)
    stage:start { server = server, endpoint = endpoint or { longpoll_wait_s = 0.2 } }
  end

  it("a connection carries one request after another", function()
    start()
    local client = stage:open()
    local token = open_session(client)
    for _ = 1, 3 do
      client:send(request("POST", { token = token }, {}, beat) .. request("GET", { token = token }))
      assert.equal('{"status":200}', client:response().body)
      assert.equal(200, json.decode(client:response().body).status)
    end
    client:send(request("GET", { token = token }))
    local response = client:response()
    assert.equal(204, json.decode(response.body).status)
    assert.equal("keep-alive", response.headers.connection)
  end)

  describe("a body", function()
    it("may come in pieces, and be waited for", function()
      start()
      local client = stage:open()
      local token = open_session(client)
      local bytes = request("POST", { token = token }, { Expect = "100-continue" }, beat)
      local head = bytes:sub(1, -#beat - 1)
      client:send(head)
      stage:wait(0.05)
      assert.equal("HTTP/1.1 100 Continue\r\n\r\n", client.tcp.received)
      client.tcp.received = ""
      for byte in beat:gmatch "." do
        client:send(byte)
      end
      assert.equal('{"status":200}', client:response().body)
    end)

    it("of a megabyte is taken", function()
      start()
      local client = stage:open()
      local token = open_session(client)
      local body = beat .. (" "):rep(1024 * 1024 - #beat)
      client:send(request("POST", { token = token }, {}, body))
      assert.equal('{"status":410}', client:response().body) -- for its one message is too large
      token = open_session(client)
      body = "[" .. (" "):rep(50000) .. 'null,"%d","phoenix","heartbeat",{}]'
      local lines = {}
      for i = 1, 20 do lines[i] = body:format(i) end
      client:send(request("POST", { token = token }, { ["Content-Type"] = "application/x-ndjson" },
        table.concat(lines, "\n")))
      assert.equal('{"status":200}', client:response().body)
      client:send(request("GET", { token = token }))
      assert.equal(20, #json.decode(client:response().body).messages)
    end)

    it("that is too slow is refused with 408, however steadily it drips", function()
      start { body_timeout_s = 0.3 }
      local client, other = stage:open(), stage:open()
      local token = open_session(client)
      client:send(request("POST", { token = token }, { ["Content-Length"] = 100 }, "["))
      for _ = 1, 10 do
        client:send " "
        assert.truthy(open_session(other))
        stage:wait(0.05)
      end
      assert.equal(408, client:response().status)
      assert.is_true(client:is_gone())
    end)

    it("that is too large is not read", function()
      start(nil, { longpoll_max_body_bytes = 100 })
      local client = stage:open()
      local token = open_session(client)
      client:send(request("POST", { token = token }, { ["Content-Length"] = "9999999999" },
        "x"))
      local response = client:response()
      assert.same({ 200, '{"status":413}', "close" },
        { response.status, response.body, response.headers.connection })
      client:close()
      local again = stage:open()
      again:send(request("POST", { token = token }, {}, beat .. (" "):rep(100 - #beat)))
      assert.equal('{"status":200}', again:response().body)
    end)

    it("in chunks is refused with 411", function()
      start()
      local client = stage:open()
      local token = open_session(client)
      client:send(request("POST", { token = token }, { ["Transfer-Encoding"] = "chunked" })
        .. "0\r\n\r\n")
      local response = client:response()
      assert.same({ 411, "close" }, { response.status, response.headers.connection })
    end)
  end)

  it("a broken query is refused with 400", function()
    start()
    local client = stage:open()
    client:send "GET /socket/longpoll?vsn=%zz HTTP/1.1\r\nHost: a\r\n\r\n"
    assert.equal(400, client:response().status)
  end)

  it("are not served when they are switched off", function()
    start(nil, { longpoll = false })
    local client = stage:open()
    client:send(request("GET", {}))
    assert.equal(404, client:response().status)
  end)

  it("a client that hangs up while it posts or polls leaves nothing behind", function()
    start(nil, { longpoll_session_s = 0.2, longpoll_wait_s = 5 })
    local client = stage:open()
    local token = open_session(client)
    client:send(request("POST", { token = token }, { ["Content-Length"] = 100 }, beat))
    local polling = stage:open()
    polling:send(request("GET", { token = token }))
    stage:wait(0.05)
    client:close()
    polling:close()
    assert.truthy(stage:wait_for(function()
      local connections, tcp = stage:left()
      return connections == 0 and tcp == 0
    end, 2))
  end)

  it("a stop ends polls that wait, and sessions between two polls", function()
    start({ drain_spread_s = 0.1 }, { longpoll_wait_s = 5 })
    local polling, idle = stage:open(), stage:open()
    local token = open_session(polling)
    open_session(idle)
    idle:close()
    polling:send(request("GET", { token = token }))
    stage:wait(0.05)
    local is_stopped = stage:stop()
    assert.equal('{"status":500}', polling:response().body)
    assert.truthy(stage:wait_for(is_stopped, 2))
  end)
end
