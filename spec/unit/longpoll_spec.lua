-- The clock of long polls, with the options as they are by default.
local json = require "cjson"
local manual_loop = require "presence.manual.loop"
local presence = require "presence"

describe("a long poll", function()
  local loop, bound, ended

  before_each(function()
    loop, ended = manual_loop.new(), nil
    local Room = presence.channel {
      terminate = function(_, reason) ended = reason end,
    }
    local endpoint = presence.endpoint { channels = { ["room:*"] = Room } }
    bound = endpoint:bind(presence.new { loop = loop, log = function() end })
  end)

  after_each(function()
    bound:drain()
    loop:advance(1)
    assert.equal(0, bound:connections())
    assert.equal(0, loop:pending())
  end)

  -- `answers` of the exchange grows by one when it is answered.
  local function ask(method, token, body)
    local exchange = { answers = {} }
    exchange.poll = bound.longpoll:handle({
      method = method, path = "/socket/longpoll", query = { vsn = "2.0.0", token = token },
      headers = { ["content-type"] = "application/x-ndjson" }, body = body,
      remote_address = "10.0.0.1",
    }, function(status, _, answer)
      assert.equal(200, status)
      exchange.answers[#exchange.answers + 1] = json.decode(answer)
    end)
    loop:turn()
    return exchange
  end

  local function open()
    return ask("GET").answers[1].token
  end

  local function status_of(exchange)
    assert.is_true(#exchange.answers <= 1)
    return exchange.answers[1] and exchange.answers[1].status
  end

  it("waits for 10 s", function()
    local poll = ask("GET", open())
    loop:advance(9.9)
    assert.is_nil(status_of(poll))
    loop:advance(0.2)
    assert.equal(204, status_of(poll))
    poll.poll:cancel() -- late, and harmless
    loop:advance(5)
    assert.equal(1, bound:connections())
  end)

  it("keeps its session for 15 s after it, whatever is posted meanwhile", function()
    local token = open()
    ask("POST", token, '["1","1","room:1","phx_join",{}]')
    assert.equal(200, status_of(ask("GET", token)))
    for _ = 1, 14 do
      loop:advance(1)
      assert.equal(200, status_of(ask("POST", token, '[null,"2","phoenix","heartbeat",{}]')))
    end
    loop:advance(0.9)
    assert.equal(1, bound:connections())
    loop:advance(0.2)
    assert.equal(0, bound:connections())
    assert.equal("closed", ended)
    assert.equal(410, status_of(ask("POST", token, "")))
  end)

  it("that is cancelled is as if it had ended", function()
    local token = open()
    local poll = ask("GET", token)
    loop:advance(9)
    poll.poll:cancel()
    loop:advance(14.9)
    assert.equal(1, bound:connections())
    loop:advance(0.2)
    assert.equal(0, bound:connections())
    assert.same({}, poll.answers)
  end)

  it("gets in one answer what its whole turn brings", function()
    local token = open()
    local poll = ask("GET", token)
    ask("POST", token, '["1","1","room:1","phx_join",{}]\n[null,"2","phoenix","heartbeat",{}]')
    assert.equal(3, #poll.answers[1].messages) -- two replies, and presence_state
  end)

  it("keeps a client alive for longer than an idle socket lives", function()
    local token = open()
    for _ = 1, 10 do
      local poll = ask("GET", token)
      loop:advance(11)
      assert.equal(204, status_of(poll))
    end
  end)

  it("answered for a client that reads nothing does not keep the session open", function()
    local token = open()
    ask("GET", token)
    loop:advance(10 + 15.1)
    assert.equal(0, bound:connections())
  end)

  it("session has a token of 24 random bytes", function()
    assert.matches("^%x+$", open())
    assert.equal(48, #open())
  end)

  it("is not served when the option is off", function()
    local endpoint = presence.endpoint { channels = {}, longpoll = false, mount = "/live" }
    assert.is_nil(endpoint:matches "/live/longpoll")
    assert.equal("websocket", endpoint:matches "/live/websocket")
    assert.equal("longpoll", presence.endpoint({ channels = {} }):matches "/socket/longpoll")
    assert.has_error(function() presence.endpoint { channels = {}, longpoll = 1 } end)
  end)
end)
