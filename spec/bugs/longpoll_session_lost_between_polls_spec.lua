-- A long-poll session that ended between two polls (a restart, a laptop that slept) was answered
-- with 410, which older phoenix.js takes for a connection that has opened: it stayed in channels
-- that were no more, and its mirrors for ever as they were.
local json = require "cjson"
local presence = require "presence"
local testing = require "presence.testing"

describe("a client whose long-poll session is lost", function()
  local t, poll, old_token

  local function ask(method, token, body)
    local answer
    poll:handle({
      method = method, path = "/socket/longpoll", body = body,
      query = { vsn = "2.0.0", token = token }, headers = {}, remote_address = "127.0.0.1",
    }, function(_, _, text) answer = json.decode(text) end)
    t.loop:turn()
    return answer
  end

  before_each(function()
    t = testing.new(presence.endpoint { channels = { ["room:*"] = presence.channel() } })
    poll = t.endpoint.longpoll
    old_token = ask("GET").token
    t:advance(15)
    assert.equal(410, ask("POST", old_token, "").status)
  end)

  after_each(function()
    t:advance(60)
    t:finish()
  end)

  it("gets another, whose first poll makes it join again", function()
    local answer = ask("GET", old_token)
    assert.equal(410, answer.status)
    assert.same({ status = 500 }, ask("GET", answer.token))
    assert.equal(0, t.endpoint:metrics().longpoll_sessions)
    assert.equal(0, t.endpoint:metrics().connections)
    -- It comes back without a token, as new.
    local token = ask("GET", "null").token
    assert.is_nil(ask("GET", token))
    assert.equal(1, t.endpoint:metrics().longpoll_sessions)
  end)

  it("goes on with the other when it says something first: it knows", function()
    local token = ask("GET", old_token).token
    assert.equal(200, ask("POST", token, '["1","1","room:1","phx_join",{}]').status)
    local answer = ask("GET", token)
    assert.equal(200, answer and answer.status)
    assert.equal(2, #answer.messages)
  end)
end)
