--- Long polls as a worker carries them: callbacks that wait, requests that end, the worker's end.

local uv = require "luv"
local clients = require "spec.nginx.clients"
local json = require "cjson"
local longpoll_stage = require "spec.nginx.longpoll_stage"

local ask, open_session = longpoll_stage.ask, longpoll_stage.open_session

describe("long polls inside of nginx", function()
  local stage

  before_each(function() stage = longpoll_stage.new() end)
  after_each(function() stage:finish() end)

  local function message(ref, event, payload)
    return ('["1","%s","room:lobby","%s",%s]'):format(ref, event, payload or "{}")
  end

  local function post(client, token, body)
    return ask(client, "POST", { token = token }, { ["Content-Type"] = "application/x-ndjson" },
      body).status
  end

  -- A client in the room; what came for it until it was there is taken.
  local function join(user_id)
    local client = stage:open()
    local token = open_session(client, { user_id = user_id })
    assert.equal(200, post(client, token, message(1, "phx_join")))
    local messages = ask(client, "GET", { token = token }).messages
    assert.matches("phx_reply", messages[1], 1, true)
    return client, token
  end

  -- Waits for a message that holds `text`; how often it had to ask.
  local function take(client, token, text)
    for asked = 1, 20 do
      local answer = ask(client, "GET", { token = token })
      if table.concat(answer.messages or {}):find(text, 1, true) then
        return asked
      end
    end
    error("nothing came with " .. text)
  end

  local function seconds_of(fn)
    local before = uv.hrtime()
    fn()
    return (uv.hrtime() - before) / 1e9
  end

  it("run callbacks that wait in nginx's own ways, and nobody else waits", function()
    stage:start()
    local ann, ann_token = join "ann"
    local ben, ben_token = join "ben"
    assert.equal(200, post(ann, ann_token, message(2, "slow", '{"seconds":0.5}')))
    assert.is_true(seconds_of(function()
      assert.equal(200, post(ben, ben_token, message(2, "shout")))
      take(ben, ben_token, '"2"')
    end) < 0.4)
    take(ann, ann_token, '"2"')
    assert.same({}, stage.nginx:complaints())
  end)

  it("keep the limit of sessions where `connect` waits", function()
    stage:start { endpoint = { longpoll_max_sessions = 3 } }
    local asking, opened, refused = {}, 0, 0
    for i = 1, 10 do
      asking[i] = stage:open()
      asking[i]:send(longpoll_stage.request("GET", { user_id = "user", wait_s = "0.2" }))
    end
    assert.truthy(open_session(stage:open(), { user_id = "ann" })) -- meanwhile
    for i = 1, 10 do
      local status = json.decode(asking[i]:response().body).status
      opened = opened + (status == 410 and 1 or 0)
      refused = refused + (status == 500 and 1 or 0)
    end
    assert.same({ 2, 8 }, { opened, refused })
    assert.same({ 3, 3 }, { stage:figures().sessions, stage:figures().sockets })
  end)

  it("let those go who hang up while `connect` waits", function()
    stage:start { endpoint = { longpoll_session_s = 0.2 } }
    for _ = 1, 20 do
      stage:open():send(longpoll_stage.request("GET", { user_id = "user", wait_s = "0.2" }))
    end
    stage:wait(0.1)
    for _, client in ipairs(stage.clients) do client:close() end
    stage:wait(0.2)
    assert.truthy(stage:wait_for(function()
      local sockets, tcp = stage:left()
      return sockets == 0 and tcp == 0
    end))
    assert.same({}, stage.nginx:complaints())
  end)

  it("end, and are opened again, when a callback ends its request by ngx.exit", function()
    stage:start()
    local socket = clients.new(stage.nginx.port, "socket", "room:lobby")
    stage:wait_for(function() return socket.state == "joined" end)
    local ann, ann_token = join "ann"
    local ben, ben_token = join "ben"
    assert.equal(200, post(ann, ann_token, message(2, "exit")))
    take(ann, ann_token, '"ben"') -- came before
    local polls = { [ann] = ann_token, [ben] = ben_token }
    for client, token in pairs(polls) do
      client:send(longpoll_stage.request("GET", { token = token }))
    end
    for client in pairs(polls) do
      assert.equal('{"status":500}', client:response().body)
    end
    assert.equal("socket", stage:figures().keys)
    local cho, cho_token = join "cho"
    assert.equal(200, post(cho, cho_token, message(2, "slow", '{"seconds":0.01}')))
    take(cho, cho_token, '"2"')
    assert.equal("joined", socket.state)
    socket:vanish()
    assert.matches("ngx.exit", stage.nginx:log(), 1, true)
  end)

  describe("where nginx was told nothing of them", function()
    it("take a body that came into a file", function()
      stage:start { directives = "" }
      local client = stage:open()
      local token = open_session(client, { user_id = "ann" })
      local beat = '[null,"1","phoenix","heartbeat",{}' .. (" "):rep(1000) .. "]"
      local lines = {}
      for i = 1, 100 do lines[i] = beat end
      assert.equal(200, post(client, token, table.concat(lines, "\n")))
      assert.equal(100, #ask(client, "GET", { token = token }).messages)
      for _, complaint in ipairs(stage.nginx:complaints()) do
        assert.matches("buffered to a temporary file", complaint, 1, true)
      end
    end)

    it("do without hearing of those who hang up", function()
      stage:start {
        directives = "", endpoint = { longpoll_wait_s = 0.3, longpoll_session_s = 0.3 },
      }
      local client = stage:open()
      local token = open_session(client, { user_id = "ann" })
      client:send(longpoll_stage.request("GET", { token = token }))
      stage:wait(0.05)
      client:close()
      assert.equal(1, (stage:left()))
      assert.truthy(stage:wait_for(function() return stage:left() == 0 end, 2))
      assert.same({}, stage.nginx:complaints())
    end)
  end)

  describe("of a worker that is told to end", function()
    it("are waited for with their callbacks", function()
      stage:start { server = { drain_spread_s = 0 } }
      local ann, token = join "ann"
      assert.equal(200, post(ann, token, message(2, "slow", '{"seconds":0.5}')))
      local is_stopped = stage:stop()
      assert.is_true(seconds_of(function() assert.truthy(stage:wait_for(is_stopped)) end) > 0.3)
      assert.same({}, stage.nginx:complaints())
    end)

    it("are refused when they come too late, and keep it no longer", function()
      stage:start { server = { drain_spread_s = 0 } }
      local idle, late, later = stage:open(), stage:open(), stage:open()
      local token = open_session(idle, { user_id = "ann" })
      local get = longpoll_stage.request("GET", { user_id = "ben" })
      local posted = longpoll_stage.request("POST", { token = token }, nil, message(1, "phx_join"))
      late:send(get:sub(1, 20))
      later:send(posted:sub(1, -10))
      stage:wait(0.05)
      local is_stopped = stage:stop()
      stage:wait(0.3)
      assert.is_falsy(is_stopped())
      late:send(get:sub(21))
      assert.equal('{"status":500}', late:response().body)
      later:send(posted:sub(-9))
      assert.equal('{"status":410}', later:response().body)
      later:close() -- else nginx lingers
      assert.truthy(stage:wait_for(is_stopped))
      assert.same({}, stage.nginx:complaints())
    end)

    it("end after drain_timeout_s, whatever callbacks do", function()
      stage:start { server = { drain_spread_s = 60, drain_timeout_s = 0.5 } }
      local ann, token = join "ann"
      assert.equal(200, post(ann, token, message(2, "slow", '{"seconds":60}')))
      for _ = 1, 5 do open_session(stage:open(), { user_id = "ben" }) end
      local is_stopped = stage:stop()
      assert.is_true(seconds_of(function() assert.truthy(stage:wait_for(is_stopped)) end) < 3)
      assert.same({}, stage.nginx:complaints())
    end)
  end)
end)
