--- Long polling: sessions by token, messages in by POST, out as answers to polls that wait.

local busted = require "busted"
local assert = require "luassert"
local app = require "spec.contract.raw.app"
local json = require "cjson"
local core = require "presence.core"
local raw = require "spec.contract.raw.client"
local describe, it, after_each = busted.describe, busted.it, busted.after_each

local ndjson = "application/x-ndjson"

return function(platform)
  local stage = raw.stage(platform)

  after_each(function() stage.finish() end)

  local function start(opts)
    opts = opts or {}
    opts.longpoll_wait_s = opts.longpoll_wait_s or 2
    local endpoint = app.endpoint(opts)
    stage.start(endpoint)
    return endpoint
  end

  local function request(method, token, headers, body, query)
    query = query or {}
    query.vsn, query.token = query.vsn or "2.0.0", token
    return stage.server.http(method, query, headers, body)
  end

  -- What an exchange was answered with: the body, decoded, and the response.
  local function answer_of(exchange)
    local response = exchange.response(platform.patience_s * 4)
    assert.truthy(response, "no response came")
    assert.equal(200, response.status)
    assert.matches("^application/json", response.headers["content-type"])
    return json.decode(response.body), response
  end

  local function get(...) return answer_of(request("GET", ...)) end

  local function post(token, lines, headers)
    headers = headers or {}
    headers["Content-Type"] = headers["Content-Type"] or ndjson
    local body = type(lines) == "table" and table.concat(lines, "\n") or lines
    return answer_of(request("POST", token, headers, body)).status
  end

  local function open(query, headers)
    local answer = get(nil, headers, nil, query)
    assert.equal(410, answer.status)
    assert.same({}, answer.messages)
    return answer.token
  end

  -- Polls until so many messages have come.
  local function take(token, count)
    local messages = {}
    while #messages < count do
      local answer = get(token)
      assert.equal(200, answer.status)
      assert.equal(token, answer.token)
      for _, message in ipairs(answer.messages) do messages[#messages + 1] = message end
    end
    assert.equal(count, #messages)
    return messages
  end

  local beat = raw.message(nil, '"b"', "phoenix", "heartbeat")
  local beat_reply = raw.message(nil, '"b"', "phoenix", "phx_reply", raw.ok())

  local function join(token, topic, params)
    assert.equal(200, post(token, raw.message('"1"', '"1"', topic, "phx_join", params)))
    assert.same({ raw.message('"1"', '"1"', topic, "phx_reply", raw.ok()) }, take(token, 1))
  end

  describe("a session", function()
    it("is opened by a first GET, each with a token of its own that nobody guesses", function()
      start()
      local tokens = {}
      for _ = 1, 5 do
        local token = open()
        assert.is_true(#token >= 32)
        assert.is_nil(tokens[token])
        tokens[token] = true
      end
    end)

    it("is a new one for a token that is unknown", function()
      start()
      local answer = get "null"
      assert.equal(410, answer.status)
      assert.not_equal("null", answer.token)
      assert.equal(200, post(answer.token, beat))
      assert.equal(410, post("unknown", beat))
    end)

    it("takes its token from the header too", function()
      start()
      local token = open()
      local header = { ["X-Phoenix-Longpoll-Token"] = token, ["Content-Type"] = ndjson }
      assert.equal(200, answer_of(request("POST", nil, header, beat)).status)
      local answer = get(nil, { ["X-Phoenix-Longpoll-Token"] = token })
      assert.same({ beat_reply }, answer.messages)
    end)

    it("ends when nobody polls, and its presences leave", function()
      start { longpoll_session_s = 0.3, longpoll_wait_s = 0.1 }
      local watcher = stage.open()
      watcher:enter("room:1", '"1"')
      local token = open()
      post(token, raw.message('"1"', '"1"', "room:1", "phx_join", '{"key":"ann"}'))
      assert.truthy(watcher:expect_event("presence_diff").joins.ann)
      for _ = 1, 4 do -- longer than a session lasts without polls
        get(token)
        stage.server.wait(0.1)
      end
      assert.truthy(watcher:expect_event("presence_diff").leaves.ann)
      local answer = get(token)
      assert.equal(410, answer.status)
      assert.not_equal(token, answer.token)
    end)

    it("goes on while it polls", function()
      start { longpoll_session_s = 0.3, longpoll_wait_s = 0.1 }
      local token = open()
      for _ = 1, 6 do
        local answer = get(token)
        assert.same({ 204, token, {} }, { answer.status, answer.token, answer.messages })
      end
      assert.equal(200, post(token, beat))
      assert.same({ beat_reply }, take(token, 1))
    end)

    it("refused is 403, or 500 when the server is at fault", function()
      start { connect = function(params)
        if params.user_id == "raise" then error "as it was asked to" end
        if params.user_id == "rate" then return nil, "slow down", 429 end
        return params.user_id and {} or nil, "no user"
      end }
      assert.same({ status = 403 }, get())
      assert.same({ status = 403 }, get(nil, nil, nil, { user_id = "rate" }))
      assert.same({ status = 500 }, get(nil, nil, nil, { user_id = "raise" }))
      assert.same({ status = 403 }, get(nil, nil, nil, { user_id = "ann", vsn = "3.0.0" }))
      open { user_id = "ann" }
    end)

    it("carries the auth token", function()
      local token
      start { connect = function(_, seen)
        token = seen.auth_token
        return {}
      end }
      open()
      assert.is_nil(token)
      open({}, { ["X-Phoenix-AuthToken"] = "secret-token" })
      assert.equal("secret-token", token)
    end)

    it("over the limit of all, or of one address, is refused for now", function()
      for option, most in pairs { longpoll_max_sessions = 2, longpoll_max_sessions_per_address = 2 }
      do
        local endpoint = start { [option] = most, longpoll_session_s = 0.3 }
        for _ = 1, most do open() end
        assert.same({ status = 500 }, get())
        assert.equal(most, endpoint:metrics().longpoll_sessions)
        stage.server.wait(0.5)
        assert.equal(0, endpoint:metrics().longpoll_sessions)
        open()
        stage.finish()
      end
    end)
  end)

  describe("a poll", function()
    it("is answered at once with what waits, in order", function()
      start()
      local token = open()
      local lines, expected = {}, {}
      for i = 1, 20 do
        lines[i] = raw.message(nil, tostring(i), "phoenix", "heartbeat")
        expected[i] = raw.message(nil, tostring(i), "phoenix", "phx_reply", raw.ok())
      end
      assert.equal(200, post(token, lines))
      assert.same(expected, take(token, 20))
    end)

    it("that waits is answered when something comes", function()
      start()
      local token = open()
      join(token, "plain:1")
      local poll = request("GET", token)
      local other = stage.open()
      other:join("plain:1", '"1"')
      other:send('"1"', '"2"', "plain:1", "whisper", '{"text":"\\"é\\""}')
      local answer = answer_of(poll)
      assert.same({ raw.message(nil, nil, "plain:1", "whisper", '{"text":"\\"é\\""}') },
        answer.messages)
    end)

    it("is taken over by a second one", function()
      start()
      local token = open()
      local first = request("GET", token)
      stage.server.wait(0.05)
      local second = request("GET", token)
      assert.same({ status = 204, token = token, messages = {} }, (answer_of(first)))
      assert.equal(200, post(token, beat))
      assert.same({ beat_reply }, answer_of(second).messages)
    end)

    it("whose client hangs up loses nothing", function()
      start()
      local token = open()
      local poll = request("GET", token)
      stage.server.wait(0.05)
      poll.vanish()
      stage.server.wait(0.05)
      assert.equal(200, post(token, beat))
      assert.same({ beat_reply }, take(token, 1))
    end)

    it("gets what is too much for one answer in several", function()
      start { longpoll_max_batch_bytes = 1000 }
      local token = open()
      join(token, "plain:1")
      local payload = ('{"text":"%s"}'):format(("x"):rep(400))
      local lines = {}
      for i = 1, 10 do
        lines[i] = raw.message('"1"', tostring(i), "plain:1", "echo", payload)
      end
      assert.equal(200, post(token, lines))
      local answer = get(token)
      assert.is_true(#answer.messages < 10)
      assert.equal(10, #answer.messages + #take(token, 10 - #answer.messages))
    end)
  end)

  describe("a post", function()
    it("may end with a newline, and hold nothing", function()
      start()
      local token = open()
      assert.equal(200, post(token, beat .. "\n"))
      assert.same({ beat_reply }, take(token, 1))
      assert.equal(200, post(token, ""))
    end)

    it("of another content type is one message, as older clients send it", function()
      start()
      local token = open()
      assert.equal(200, post(token, '[null,"b",\n"phoenix","heartbeat",{}]',
        { ["Content-Type"] = "application/json" }))
      assert.same({ beat_reply }, take(token, 1))
    end)

    it("has at most 100 lines: of more, none is taken", function()
      start()
      local token = open()
      local lines = {}
      for i = 1, 101 do lines[i] = beat end
      assert.equal(413, post(token, lines))
      table.remove(lines)
      assert.equal(200, post(token, table.concat(lines, "\n") .. "\n"))
      assert.equal(100, #take(token, 100))
    end)

    it("over the limit of bytes is refused, the session lives on", function()
      start { longpoll_max_body_bytes = 1000 }
      local token = open()
      if platform.limits_bodies then
        assert.equal(413, post(token, ("x"):rep(1001)))
      end
      assert.equal(200, post(token, beat .. (" "):rep(1000 - #beat)))
      assert.same({ beat_reply }, take(token, 1))
    end)

    for what, line in pairs {
      ["no message"] = "hello", ["no base64"] = "AA=A", ["cut JSON"] = '[null,"1"',
      ["an empty line between others"] = beat .. "\n\n" .. beat,
      ["bytes that are no message"] = core.base64_encode "\1\0\0\0\0",
    } do
      it("with " .. what .. " ends the session", function()
        start()
        local watcher = stage.open()
        watcher:enter("room:1", '"1"')
        local token = open()
        post(token, raw.message('"1"', '"1"', "room:1", "phx_join", '{"key":"ann"}'))
        assert.truthy(watcher:expect_event("presence_diff").joins.ann)
        assert.equal(410, post(token, line))
        assert.truthy(watcher:expect_event("presence_diff").leaves.ann)
        assert.equal(410, post(token, beat))
        assert.not_equal(token, get(token).token)
      end)
    end

    it("over the message limit ends the session", function()
      start { max_message_bytes = 100 }
      local token = open()
      assert.equal(410, post(token, raw.message(nil, '"' .. ("r"):rep(200) .. '"', "phoenix", "x")))
    end)
  end)

  it("bytes go up and down as base64", function()
    start()
    local token = open()
    join(token, "plain:1")
    local up = "\0\1\1\7\8" .. "12plain:1raw_echo" .. "\0\255"
    assert.equal(200, post(token, { core.base64_encode(up), beat }))
    local messages = take(token, 2)
    assert.equal("\1\1\1\7\2" .. "12plain:1ok" .. "\0\255", core.base64_decode(messages[1]))
    assert.equal(beat_reply, messages[2])
  end)

  it("version 1 is spoken", function()
    start()
    local token = open { vsn = "1.0.0" }
    post(token, '{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"1"}')
    local reply = '{"topic":"phoenix","event":"phx_reply","ref":"1","payload":' .. raw.ok() .. "}"
    assert.same({ reply }, take(token, 1))
  end)

  it("presence comes as state and diffs", function()
    start()
    local token = open()
    assert.equal(200, post(token, raw.message('"1"', '"1"', "room:1", "phx_join", '{"key":"ann"}')))
    local messages = take(token, 2)
    assert.equal("presence_state", json.decode(messages[2])[4])
    local other = stage.open()
    local state = other:enter("room:1", '"1"', '{"key":"ben"}')
    assert.truthy(state.ann)
    assert.truthy(json.decode(take(token, 1)[1])[5].joins.ben)
    -- Between two polls many changes are one diff.
    for i = 1, 5 do
      other:send('"1"', tostring(i), "room:1", "update",
        ('{"key":"ben","meta":{"n":%d}}'):format(i))
      stage.server.wait(0.06)
    end
    local diffs = take(token, 2) -- the first was let through before anything waited
    assert.equal(5, json.decode(diffs[2])[5].joins.ben.metas[1].n)
    assert.equal(1, #json.decode(diffs[2])[5].joins.ben.metas)
  end)

  it("a client that does not poll is closed when too much waits for it", function()
    local endpoint = start { max_outbox_bytes = 2000 }
    local token = open()
    join(token, "plain:1")
    local other = stage.open()
    other:join("plain:1", '"1"')
    for i = 1, 10 do
      other:push('"1"', tostring(i), "plain:1", "whisper", ('{"t":"%s"}'):format(("x"):rep(400)))
    end
    other:expect_nothing()
    assert.equal(0, endpoint:metrics().longpoll_sessions)
    assert.not_equal(token, get(token).token)
  end)

  describe("the end of a session by the server", function()
    it("is told to the poll that waits so that every client comes back", function()
      local endpoint = start { id = function() return "id" end }
      local token = open()
      local poll = request("GET", token)
      stage.server.wait(0.05)
      assert.equal(1, endpoint:disconnect "id")
      assert.same({ status = 500 }, answer_of(poll))
      assert.not_equal(token, get(token).token)
    end)

    it("brings what still waited", function()
      start()
      local token = open()
      join(token, "plain:1")
      local poll = request("GET", token)
      stage.server.wait(0.05)
      assert.equal(410, post(token, { beat, "no message" }))
      local answer = answer_of(poll)
      assert.same({ 200, { beat_reply } }, { answer.status, answer.messages })
    end)

    it("comes with a drain, which lets no new one in", function()
      local endpoint = start()
      local token = open()
      local poll = request("GET", token)
      stage.server.wait(0.05)
      endpoint:drain()
      assert.same({ status = 500 }, answer_of(poll))
      assert.same({ status = 500 }, get())
      assert.equal(410, post(token, beat))
    end)
  end)

  describe("CORS", function()
    local function from(origin)
      return { Host = "chat.example.org", Origin = origin }
    end

    it("follows the Origin check", function()
      start { check_origin = { "https://page.example.org" } }
      local _, response = get(nil, from "https://page.example.org")
      assert.equal("https://page.example.org", response.headers["access-control-allow-origin"])
      local answer
      answer, response = get(nil, from "https://evil.test")
      assert.same({ status = 403 }, answer)
      assert.is_nil(response.headers["access-control-allow-origin"])
      local token = open({}, from "https://page.example.org")
      assert.equal(403, post(token, beat, from "https://evil.test"))
      assert.equal(200, post(token, beat, from "https://page.example.org"))
      _, response = get(token)
      assert.is_nil(response.headers["access-control-allow-origin"])
    end)

    it("a preflight is answered, for allowed pages only", function()
      start { check_origin = { "https://page.example.org" } }
      local ok = request("OPTIONS", nil, from "https://page.example.org")
        .response(platform.patience_s)
      assert.same({ 200, "" }, { ok.status, ok.body })
      assert.equal("https://page.example.org", ok.headers["access-control-allow-origin"])
      assert.matches("POST", ok.headers["access-control-allow-methods"])
      assert.matches("X%-Phoenix%-AuthToken", ok.headers["access-control-allow-headers"])
      local answer, response = answer_of(request("OPTIONS", nil, from "https://evil.test"))
      assert.same({ status = 403 }, answer)
      assert.is_nil(response.headers["access-control-allow-methods"])
    end)
  end)

  it("other methods are refused", function()
    start()
    local response = request("PUT", nil, nil, "x").response(platform.patience_s)
    assert.equal(405, response.status)
    assert.matches("GET", response.headers.allow)
  end)
end
