--- Clients, of sockets and of long polls, and channels that end each other in every way, all at
-- once, in callbacks that wait.

local uv = require "luv"
local json = require "cjson"
local clients = require "spec.nginx.clients"
local polling_clients = require "spec.nginx.polling_clients"
local random = require "spec.random"
local room = require "spec.nginx.room"
local server = require "spec.nginx.server"

local client_count, duration_s = 150, 4

describe("turmoil", function()
  local nginx

  before_each(function()
    nginx = server.start(room.http("{ linger_timeout_s = 0.2 }",
      "{ longpoll_session_s = 0.5, longpoll_wait_s = 0.3 }"))
  end)

  after_each(function()
    assert.is_true(nginx:stop())
  end)

  local function figures()
    return json.decode((nginx:get "/figures?topic=waiting:1"))
  end

  it("leaves nothing behind, and the worker alive", function()
    local seed = tonumber(os.getenv "PRESENCE_SEED") or math.floor(uv.hrtime() % 1000000) + 1
    print(("seed %d"):format(seed))
    local roll = random.from(seed)
    local people, worker = {}, figures().pid

    local function new_client(i)
      local kind = roll(3) == 1 and polling_clients or clients
      people[i] = kind.new(nginx.port, "user-" .. roll(client_count), "waiting:" .. roll(5),
        true)
    end

    local acts = {
      function(one) one:push "raise" end,
      function(one) one:push "stop" end,
      function(one) one:push "wait" end,
      function(one) one:push "wait" one:push "wait" end,
      function(one) one:push "spawn" end,
      function(one) one:push "phx_leave" end,
      function(one) one:push "phx_join" end,
      function(one) one:push("disconnect", '{"user_id":"user-' .. roll(client_count) .. '"}') end,
      function(one) one:push "wait" if one.close then one:close(1001) end end,
      function(one) one:push "raise" one:vanish() end,
      function(one) one:vanish() end,
    }
    for i = 1, client_count do
      new_client(i)
    end
    local deadline, acted = uv.hrtime() + duration_s * 1e9, 0
    while uv.hrtime() < deadline do
      local i = roll(client_count)
      local one = people[i]
      if one.state == "joined" then
        acts[roll(#acts)](one)
        acted = acted + 1
      elseif one.state == "gone" and not one.comes_back then
        new_client(i)
      end
      uv.run "nowait"
    end
    for _, one in ipairs(people) do
      one:vanish()
    end
    local now
    local is_clean = server.wait_until(function()
      now = figures()
      return now.sockets == 0 and now.connections == 0 and now.channels == 0 and now.keys == ""
    end)
    assert.is_true(is_clean, "left over: " .. json.encode(now))
    assert.is_true(acted > client_count)
    assert.equal(worker, figures().pid)
    assert.is_true(figures().terminated > 0)
    for _, line in ipairs(nginx:complaints()) do
      assert.matches("as it was asked to", line, 1, true)
    end
  end)
end)
