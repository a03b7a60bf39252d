--- What somebody may try with long polls of nginx, and what stops it.

local json = require "cjson"
local clients = require "spec.nginx.clients"
local longpoll_stage = require "spec.nginx.longpoll_stage"

local ask, open_session, request =
  longpoll_stage.ask, longpoll_stage.open_session, longpoll_stage.request

local session_count, requests_a_connection = 10000, 100
local max_session_bytes = 6144
local slow_count = 200
local max_slow_kib = 16 * 1024

local beat = '[null,"b","phoenix","heartbeat",{}]'
local beat_reply = '[null,"b","phoenix","phx_reply",{"status":"ok","response":{}}]'

describe("long polls inside of nginx stand", function()
  local stage

  before_each(function() stage = longpoll_stage.new() end)
  after_each(function() stage:finish() end)

  -- Statuses of so many first GETs, one after another on each connection.
  local function open_many(count)
    local statuses = {}
    for _ = 1, count / requests_a_connection do
      local client = stage:open()
      client:send(request("GET", { user_id = "ann" }):rep(requests_a_connection))
      for _ = 1, requests_a_connection do
        local status = json.decode(client:response().body).status
        statuses[status] = (statuses[status] or 0) + 1
      end
      client:close()
    end
    return statuses
  end

  it("10,000 sessions that are opened and never polled, and none more", function()
    stage:start { endpoint = {
      longpoll_max_sessions_per_address = false, longpoll_session_s = 5,
    } }
    open_many(100)
    local before = stage:figures()
    assert.same({ [410] = session_count - 100 }, open_many(session_count - 100))
    local full = stage:figures()
    assert.equal(session_count, full.sessions)
    assert.same({ [500] = 200 }, open_many(200))
    local bytes = (full.lua_kib - before.lua_kib) * 1024 / (session_count - 100)
    print(("a session that waits costs %.0f bytes in Lua, %.0f resident"):format(bytes,
      (full.resident_kib - before.resident_kib) * 1024 / (session_count - 100)))
    assert.is_true(bytes < max_session_bytes, bytes .. " bytes a session")
    assert.truthy(stage:wait_for(function() return stage:figures().sessions == 0 end, 10))
    local after = stage:figures()
    assert.equal(0, after.sockets)
    assert.is_true(after.lua_kib < before.lua_kib + 2048, after.lua_kib .. " KiB are left")
    assert.truthy(open_session(stage:open(), { user_id = "ann" }))
    assert.same({}, stage.nginx:complaints())
  end)

  it("too many sessions of one address", function()
    stage:start()
    assert.same({ [410] = 1000, [500] = 100 }, open_many(1100))
    assert.same({}, stage.nginx:complaints())
  end)

  it("many bodies that drip", function()
    stage:start { server = { body_timeout_s = 1 } }
    local polling = stage:open()
    local token = open_session(polling, { user_id = "ann" })
    local before, slow = stage:figures(), {}
    for i = 1, slow_count do
      slow[i] = stage:open()
      slow[i]:send(request("POST", { token = token }, { ["Content-Length"] = 1000000 }, "["))
    end
    for round = 1, 5 do
      for _, client in ipairs(slow) do client:send " " end
      local other = stage:open()
      assert.equal(200, ask(other, "POST", { token = token }, nil, beat).status)
      assert.same({ beat_reply }, ask(polling, "GET", { token = token }).messages)
      if round == 4 then
        local grown_kib = stage:figures().resident_kib - before.resident_kib
        assert.is_true(grown_kib < max_slow_kib, grown_kib .. " KiB")
      end
      stage:wait(0.1)
    end
    for _, client in ipairs(slow) do
      assert.equal(408, client:response().status)
    end
    assert.same({}, stage.nginx:complaints())
  end)

  it("many polls at once for one session: the last one waits", function()
    stage:start()
    local token = open_session(stage:open(), { user_id = "ann" })
    local polls = {}
    for i = 1, 50 do
      polls[i] = stage:open()
      polls[i]:send(request("GET", { token = token }))
    end
    for i = 1, 50 do
      stage:wait_for(function() return polls[i].tcp.received ~= "" end, i < 50 and 5 or 0.05)
    end
    assert.equal(200, ask(stage:open(), "POST", { token = token }, nil, beat).status)
    local taken_over, taken = 0, {}
    for i = 1, 50 do
      local answer = json.decode(polls[i]:response().body)
      assert.equal(token, answer.token)
      taken_over = taken_over + (answer.status == 204 and 1 or 0)
      for _, text in ipairs(answer.messages) do taken[#taken + 1] = text end
    end
    assert.same({ 49, { beat_reply } }, { taken_over, taken })
    assert.same({}, stage.nginx:complaints())
  end)

  it("somebody with a token that is not his", function()
    stage:start()
    local ann, mallory = stage:open(), stage:open()
    local token = open_session(ann, { user_id = "ann" })
    assert.equal(200, ask(ann, "POST", { token = token }, nil, beat).status)
    for _, guess in ipairs {
      token:sub(1, -2), token .. "0", token:upper(), token:reverse(), "", " " .. token,
      token:sub(1, -2) .. (token:sub(-1) == "0" and "1" or "0"), "%", token .. "\0",
    } do
      if guess ~= token then
        local answer = ask(mallory, "GET", { token = guess, user_id = "mallory" })
        assert.same({ 410, {} }, { answer.status, answer.messages })
        assert.not_equal(token, answer.token)
        assert.equal(410, ask(mallory, "POST", { token = guess }, nil, beat).status)
      end
    end
    -- A page that learned of it cannot use it from elsewhere.
    local evil = { Host = "chat.example.org", Origin = "https://evil.test" }
    assert.same({ status = 403 }, (ask(mallory, "GET", { token = token }, evil)))
    assert.same({ status = 403 }, (ask(mallory, "POST", { token = token }, evil, beat)))
    assert.same({ beat_reply }, ask(ann, "GET", { token = token }).messages)
  end)

  it("sessions of a worker that is no more", function()
    stage:start { server = { drain_spread_s = 0 } }
    local old = stage:open()
    local token = open_session(old, { user_id = "ann" })
    assert.equal(200, ask(old, "POST", { token = token }, nil,
      '["1","1","room:lobby","phx_join",{}]').status)
    local worker = stage:figures().pid
    stage.nginx:signal "hup"
    assert.truthy(stage:wait_for(function()
      return stage:figures().pid ~= worker and #stage.nginx:workers() == 1
    end))
    local client = stage:open()
    assert.equal(410, ask(client, "POST", { token = token }, nil, beat).status)
    local answer = ask(client, "GET", { token = token, user_id = "ann" })
    assert.equal(410, answer.status)
    assert.equal("", stage:figures().keys)
    -- Older phoenix.js goes on with this one as if nothing had been: it is told.
    assert.same({ status = 500 }, (ask(client, "GET", { token = answer.token })))
    assert.same({}, stage.nginx:complaints())
  end)

  it("clients who never read their answers", function()
    stage:start { endpoint = { max_messages_per_s = false } }
    local ann = clients.new(stage.nginx.port, "ann", "room:lobby")
    assert.truthy(stage:wait_for(function() return ann.state == "joined" end))
    local slow = stage:open()
    local token = open_session(slow, { user_id = "slow" })
    assert.equal(200, ask(slow, "POST", { token = token }, nil,
      '["1","1","room:lobby","phx_join",{}]').status)
    slow.tcp.handle:read_stop()
    local before = stage:figures().resident_kib
    slow:send(request("GET", { token = token }))
    for i = 1, 100 do
      ann:push("shout", ('{"n":%d,"text":"%s"}'):format(i, ("x"):rep(60000)))
      stage:wait(0.005)
    end
    assert.truthy(stage:wait_for(function() return stage:figures().sessions == 0 end))
    assert.is_true(stage:figures().resident_kib - before < max_slow_kib)
    assert.equal("ann", stage:figures().keys)
    assert.equal("joined", ann.state)
    ann:vanish()
    assert.matches("a client reads too slowly", stage.nginx:log(), 1, true)
  end)
end)
