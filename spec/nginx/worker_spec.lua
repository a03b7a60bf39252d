--- A worker as people configure it: what nginx is told, what it answers, how it ends.

local uv = require "luv"
local json = require "cjson"
local clients = require "spec.nginx.clients"
local room = require "spec.nginx.room"
local server = require "spec.nginx.server"

describe("an nginx worker", function()
  local nginx, people

  before_each(function()
    people = {}
  end)

  after_each(function()
    for _, one in ipairs(people) do
      one:vanish()
    end
    if nginx then
      nginx:stop()
    end
    nginx = nil
  end)

  local function open(user_id, topic)
    local one = clients.new(nginx.port, user_id, topic or "room:lobby")
    people[#people + 1] = one
    return one
  end

  local function join(user_id, topic)
    local one = open(user_id, topic)
    assert.is_true(server.wait_until(function() return one.state == "joined" end))
    return one
  end

  local function figures(topic)
    return json.decode((nginx:get("/figures" .. (topic and "?topic=" .. topic or ""))))
  end

  it("serves examples/nginx/minimal.conf as it is", function()
    local file = assert(io.open "examples/nginx/minimal.conf")
    nginx = server.start((file:read("*a"):gsub("127%.0%.0%.1:4000", "127.0.0.1:$port")))
    file:close()
    local ann, said = join "ann", nil
    ann.on_message = function(data) said = data:match '"shout",(.*)%]$' or said end
    ann:push("shout", '{"body":"hello"}')
    assert.is_true(server.wait_until(function() return said end))
    assert.equal('{"body":"hello"}', said)
    assert.same({}, nginx:complaints())
    assert.is_true(nginx:stop())
    nginx = nil
  end)

  describe("refuses", function()
    it("what asks for no socket", function()
      nginx = server.start(room.http())
      local body, status = nginx:get "/socket/websocket"
      assert.same({ "this path speaks WebSocket\n", 426 }, { body, status })
      body, status = nginx:get "/socket/elsewhere"
      assert.same({ "Not Found\n", 404 }, { body, status })
    end)

    it("to serve with lua_code_cache off, and says so", function()
      nginx = server.start("lua_code_cache off;\n" .. room.http())
      local body, status = nginx:get "/socket/websocket"
      assert.equal(500, status)
      assert.equal("presence is not started; nginx's error log says why\n", body)
      assert.matches("leave lua_code_cache on", nginx:log(), 1, true)
    end)

    it("to serve what was not started, to start twice and to start too late", function()
      nginx = server.start [[
        server {
          listen 127.0.0.1:$port;
          location /socket { content_by_lua_block { require("presence.nginx").serve() } }
          location /start { content_by_lua_block {
            ngx.say(select(2, pcall(require("presence.nginx").start, {})))
          } }
        }
      ]]
      local _, status = nginx:get "/socket/websocket"
      assert.equal(500, status)
      assert.matches("only in init_worker_by_lua_block, not in content", (nginx:get "/start"), 1,
        true)
      nginx:stop()
      nginx = server.start [[
        init_worker_by_lua_block {
          local app = require("spec.nginx.room").endpoint
          require("presence.nginx").start(app)
          said = select(2, pcall(require("presence.nginx").start, app))
        }
        server {
          listen 127.0.0.1:$port;
          location / { content_by_lua_block { ngx.say(said) } }
        }
      ]]
      assert.matches("has started an endpoint already", (nginx:get "/"), 1, true)
    end)

    it("options that it does not know", function()
      nginx = server.start [[
        init_worker_by_lua_block {
          local ok, err = pcall(require("presence.nginx").start,
            require("spec.nginx.room").endpoint, { drain_spread = 1 })
          said = err
        }
        server {
          listen 127.0.0.1:$port;
          location / { content_by_lua_block { ngx.say(said) } }
        }
      ]]
      assert.matches("unknown option 'drain_spread'", (nginx:get "/"), 1, true)
    end)
  end)

  it("warns when workers would not know of each other", function()
    nginx = server.start(room.http(), nil, nil, nil, 2)
    assert.is_true(server.wait_until(function()
      return nginx:log():find("2 workers do not know of each other's presences", 1, true)
    end))
  end)

  describe("told to end", function()
    it("waits for a callback that comes to its end in time", function()
      nginx = server.start(room.http "{ drain_spread_s = 0 }")
      local ann, answer = join "ann", nil
      ann.on_message = function(data) answer = data:find('"ok"', 1, true) and data or answer end
      ann:push("slow", '{"seconds":0.3}')
      assert.is_true(server.wait_until(function() return figures().channels == 1 end))
      assert.is_true(nginx:stop())
      assert.same({ 1012 }, ann.codes)
      nginx = nil
    end)

    it("ends one that does not, after drain_timeout_s", function()
      nginx = server.start(room.http "{ drain_spread_s = 0, drain_timeout_s = 0.5 }")
      local ann = join "ann"
      ann:push("slow", '{"seconds":60}')
      assert.is_true(server.wait_until(function() return figures().channels == 1 end))
      local before = uv.hrtime()
      assert.is_true(nginx:stop())
      assert.is_true((uv.hrtime() - before) / 1e9 < 3)
      nginx = nil
    end)

    it("ends processes that wait for ever", function()
      nginx = server.start((room.http():gsub("server {", [[
        server {
          location /spawn { content_by_lua_block {
            local process = require("presence").process
            process.spawn(function() process.receive() end)
            process.spawn(function() ngx.sleep(600) end)
            ngx.say "spawned"
          } }
      ]], 1)))
      assert.equal("spawned\n", (nginx:get "/spawn"))
      assert.is_true(nginx:stop())
      nginx = nil
    end)

    it("does not wait for a client that never answers a close frame", function()
      nginx = server.start(room.http "{ drain_spread_s = 0, linger_timeout_s = 0.2 }")
      local ann = join "ann"
      ann.tcp:read_stop()
      local before = uv.hrtime()
      assert.is_true(nginx:stop())
      assert.is_true((uv.hrtime() - before) / 1e9 < 3)
      nginx = nil
    end)
  end)

  describe("with a client that does not read", function()
    it("gives it up once too much waits, and others go on", function()
      nginx = server.start(room.http "{ linger_timeout_s = 0.2 }")
      local slow, ann = join "slow", join "ann"
      slow.tcp:read_stop()
      -- More than kernels hold, and not all in one turn.
      local floods = 0
      slow.timer = uv.new_timer()
      slow.timer:start(0, 10, function()
        floods = floods + 1
        if floods > 50 or slow.tcp:is_closing() then
          slow.timer:close()
        else
          slow:push("flood", '{"bytes":60000,"count":20}')
        end
      end)
      assert.is_true(server.wait_until(function() return figures().keys == "ann" end))
      assert.is_true(server.wait_until(function() return figures().connections == 1 end))
      assert.equal("joined", ann.state)
      assert.matches("a client reads too slowly", nginx:log(), 1, true)
    end)
  end)

  it("takes nobody for a hog because of others who compute in the same cycle", function()
    nginx = server.start(room.http())
    local answers = 0
    for i = 1, 60 do
      local one = join("user-" .. i)
      one.on_message = function(data)
        answers = answers + (data:find('"phx_reply"', 1, true) and 1 or 0)
      end
    end
    for _, one in ipairs(people) do
      one:push("compute", '{"seconds":0.005}')
    end
    assert.is_true(server.wait_until(function() return answers == 60 end))
    assert.equal(0, figures().hogged_turns)
    people[1]:push("compute", '{"seconds":0.15}')
    assert.is_true(server.wait_until(function() return answers == 61 end))
    assert.equal(1, figures().hogged_turns)
    people[1]:push("slow", '{"seconds":0.15}')
    assert.is_true(server.wait_until(function() return answers == 62 end))
    assert.equal(1, figures().hogged_turns)
  end)

  it("outlives a callback that ends its own request by ngx.exit", function()
    nginx = server.start [[
      init_worker_by_lua_block {
        local presence = require "presence"
        local Room = presence.channel { track = function(socket) return socket.pid .. "", {} end }
        function Room.handle_in.exit() ngx.exit(444) end
        function Room.handle_in.shout(socket) socket:broadcast("shout") return "ok" end
        require("presence.nginx").start(presence.endpoint {
          channels = { ["room:*"] = Room }, idle_timeout_s = 1,
        }, { linger_timeout_s = 0.1, drain_timeout_s = 0.5 })
      }
      server {
        listen 127.0.0.1:$port;
        location /socket { content_by_lua_block { require("presence.nginx").serve() } }
        location /count {
          content_by_lua_block { ngx.print(require("presence").count "room:lobby") }
        }
      }
    ]]
    local ann = join "ann"
    ann:push "exit"
    assert.is_true(server.wait_until(function() return ann.state == "gone" end))
    -- Nobody was told; the idle socket is noticed.
    assert.is_true(server.wait_until(function() return nginx:get "/count" == "0" end))
    local ben, answered = join "ben", false
    ben.on_message = function(data) answered = answered or data:find('"phx_reply"', 1, true) end
    ben:push "shout"
    assert.is_true(server.wait_until(function() return answered end, 1))
    assert.is_true(nginx:stop())
    nginx = nil
  end)

  it("lets those go who hang up while only a callback keeps them", function()
    nginx = server.start(room.http "{ linger_timeout_s = 0.2 }")
    for i = 1, 20 do
      join("user-" .. i):push("slow", '{"seconds":0.3}')
    end
    local other = join("other", "waiting:1")
    for i = 1, 20 do
      other:push("disconnect", ('{"user_id":"user-%d"}'):format(i))
    end
    for i = 1, 20 do -- it was told to close, and has answered
      assert.is_true(server.wait_until(function() return people[i].code end))
    end
    server.wait_until(function() return false end, 0.05)
    for _, one in ipairs(people) do
      one:vanish()
    end
    local now
    assert.is_true(server.wait_until(function()
      now = figures()
      return now.sockets == 0 and now.connections == 0
    end))
    assert.same({}, nginx:complaints())
    local before = uv.hrtime()
    assert.is_true(nginx:stop())
    assert.is_true((uv.hrtime() - before) / 1e9 < 3)
    nginx = nil
  end)

  it("lets those go who hang up while `connect` or a join waits", function()
    nginx = server.start [[
      init_worker_by_lua_block {
        local presence = require "presence"
        local function wait() ngx.sleep(0.1) return { user_id = "someone" } end
        local Room = presence.channel {
          join = function() ngx.sleep(0.1) return true end,
          track = function() return "someone", {} end,
        }
        require("presence.nginx").start(presence.endpoint {
          connect = wait, channels = { ["room:*"] = Room },
        })
      }
      server {
        listen 127.0.0.1:$port;
        location /socket { content_by_lua_block { require("presence.nginx").serve() } }
        location /left { content_by_lua_block {
          ngx.say(ngx.var.connections_active - 1, " ", require("presence").count "room:lobby")
        } }
      }
    ]]
    local early, late = {}, {}
    for i = 1, 50 do
      early[i] = clients.new(nginx.port, "user", "room:lobby")
      late[i] = clients.new(nginx.port, "user", "room:lobby")
    end
    local timer, is_time = uv.new_timer(), false
    timer:start(50, 0, function() is_time = true end)
    server.wait_until(function() return is_time end)
    timer:close()
    for _, one in ipairs(early) do
      assert.equal("connecting", one.state)
      one:vanish()
    end
    assert.is_true(server.wait_until(function() return late[50].state == "joining" end))
    for _, one in ipairs(late) do
      one:vanish()
    end
    assert.is_true(server.wait_until(function() return nginx:get "/left" == "0 0\n" end))
    assert.same({}, nginx:complaints())
  end)
end)
