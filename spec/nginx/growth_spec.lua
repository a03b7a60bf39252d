--- Nothing grows in a worker with connections that are gone, or with topics, or with time.

local json = require "cjson"
local clients = require "spec.nginx.clients"
local polling_clients = require "spec.nginx.polling_clients"
local room = require "spec.nginx.room"
local server = require "spec.nginx.server"

local warm_up_count, connection_count, at_once = 2000, 10000, 100
local max_lua_kib, max_resident_kib = 512, 4096

describe("a worker", function()
  local nginx

  before_each(function()
    nginx = server.start(room.http("{}", "{ longpoll_session_s = 0.3, longpoll_wait_s = 0.3 }"))
  end)

  after_each(function()
    assert.is_true(nginx:stop())
  end)

  local function figures()
    return json.decode((nginx:get "/figures"))
  end

  -- The ways in which clients leave.
  local ends = {
    function(one) (one.close or one.vanish)(one, 1001) end,
    function(one) one:vanish() end,
    function(one) -- in the middle of a callback that waits for a message
      one:push("wait", '{"seconds":60}')
      one:vanish()
    end,
    function(one) -- in the middle of a callback that nginx's own wait holds
      one:push("slow", '{"seconds":0.01}');
      (one.close or one.vanish)(one, 1000)
    end,
    function(one) one:push("flood", '{"bytes":1000,"count":20}') one:vanish() end,
  }

  -- Each with a topic of its own, a hundred at once.
  local function come_and_go(first, last)
    for start = first, last, at_once do
      local group, left = {}, 0
      for i = start, start + at_once - 1 do
        local kind = i % 4 == 0 and polling_clients or clients
        group[#group + 1] = kind.new(nginx.port, "user-" .. i, "room:" .. i)
      end
      assert.is_true(server.wait_until(function()
        left = 0
        for i, one in ipairs(group) do
          if one.state == "joined" and not one.is_leaving then
            one.is_leaving = true
            ends[i % #ends + 1](one)
          end
          left = left + (one.state == "gone" and 0 or 1)
        end
        return left == 0
      end), left .. " do not end")
    end
  end

  local function figures_at_rest()
    local now
    assert.is_true(server.wait_until(function()
      now = figures()
      return now.sockets == 0 and now.connections == 0
    end), "connections are left over")
    return now
  end

  it("keeps nothing of 10,000 connections that came and went", function()
    come_and_go(1, warm_up_count)
    local before = figures_at_rest()
    come_and_go(warm_up_count + 1, warm_up_count + connection_count)
    local after = figures_at_rest()
    assert.equal(before.pid, after.pid)
    assert.equal(before.running_timers, after.running_timers)
    assert.equal(before.pending_timers, after.pending_timers)
    local lua_kib = after.lua_kib - before.lua_kib
    local resident_kib = after.resident_kib - before.resident_kib
    print(("10,000 connections left %+.0f KiB in Lua, %+d KiB resident"):format(lua_kib,
      resident_kib))
    assert.is_true(lua_kib < max_lua_kib, lua_kib .. " KiB of Lua")
    assert.is_true(resident_kib < max_resident_kib, resident_kib .. " KiB resident")
    assert.same({}, nginx:complaints())
  end)
end)
