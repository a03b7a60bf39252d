-- What HTTP itself has to do with long polls on the stand-alone server: bodies, connections.
local client_side = require "spec.contract.raw.handshake"
local json = require "cjson"
local server_stage = require "spec.contract.raw.server_stage"

describe("long polls on the luv server:", function()
  local stage
  local beat = '[null,"1","phoenix","heartbeat",{}]'

  before_each(function() stage = server_stage.new() end)
  after_each(function() stage:finish() end)

  local function start(server, endpoint)
    stage:start { server = server, endpoint = endpoint or { longpoll_wait_s = 0.2 } }
  end

  local function request(method, query, headers, body)
    query.vsn = "2.0.0"
    return client_side.http_request(method, "/socket/longpoll", query, headers or {}, body)
  end

  local function open(client)
    client:send(request("GET", {}))
    return json.decode(client:response().body).token
  end

  it("a connection carries one request after another", function()
    start()
    local client = stage:open()
    local token = open(client)
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

  it("a body may come in pieces, and be waited for", function()
    start()
    local client = stage:open()
    local token = open(client)
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

  it("a body that is too slow is refused with 408", function()
    start { body_timeout_s = 0.2 }
    local client = stage:open()
    local token = open(client)
    client:send(request("POST", { token = token }, { ["Content-Length"] = 100 }, beat))
    assert.equal(408, client:response().status)
    assert.is_true(client:is_gone())
  end)

  it("a body that is too large is not read", function()
    start(nil, { longpoll_max_body_bytes = 100 })
    local client = stage:open()
    local token = open(client)
    client:send(request("POST", { token = token }, { ["Content-Length"] = "9999999999" },
      "x"))
    local response = client:response()
    assert.same({ 200, '{"status":413}', "close" },
      { response.status, response.body, response.headers.connection })
    assert.is_true(client:is_gone())
  end)

  it("a chunked body is refused with 411", function()
    start()
    local client = stage:open()
    local token = open(client)
    client:send(request("POST", { token = token }, { ["Transfer-Encoding"] = "chunked" })
      .. "0\r\n\r\n")
    assert.equal(411, client:response().status)
    assert.is_true(client:is_gone())
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
    local token = open(client)
    client:send(request("POST", { token = token }, { ["Content-Length"] = 100 }, beat))
    local polling = stage:open()
    polling:send(request("GET", { token = token }))
    stage:wait(0.05)
    client:close()
    polling:close()
    assert.truthy(stage:wait_for(function() return stage.server.bound:connections() == 0 end, 2))
    assert.truthy(stage:wait_for(function() return stage.server:connections() == 0 end, 2))
  end)

  it("a stop ends polls that wait, and sessions between two polls", function()
    start({ drain_spread_s = 0.1 }, { longpoll_wait_s = 5 })
    local polling, idle = stage:open(), stage:open()
    local token = open(polling)
    open(idle)
    idle:close()
    polling:send(request("GET", { token = token }))
    stage:wait(0.05)
    local is_stopped = stage:stop()
    assert.equal('{"status":500}', polling:response().body)
    assert.truthy(stage:wait_for(is_stopped))
    assert.equal(0, stage.server.bound:connections())
  end)
end)
