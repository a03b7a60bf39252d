--- Limits that clients meet, each at its default or a small value: what is within passes, what is
-- beyond is answered or closed for, and nobody else notices.

local busted = require "busted"
local assert = require "luassert"
local app = require "spec.contract.raw.app"
local config = require "presence.config"
local json = require "cjson"
local raw = require "spec.contract.raw.client"
local describe, it = busted.describe, busted.it
local after_each = busted.after_each

return function(platform)
  local stage = raw.stage(platform)

  after_each(function() stage.finish() end)

  local function error_of(client, ref)
    local reply, message = client:expect_event "phx_reply"
    assert.equal(ref, message[2])
    assert.equal("error", reply.status)
    return reply.response
  end

  describe("messages", function()
    local function beats(from, to)
      local list = {}
      for i = from, to do
        list[#list + 1] = { nil, ('"%d"'):format(i), "phoenix", "heartbeat" }
      end
      return list
    end

    it("over the burst are answered with when to try again, and then taken", function()
      stage.start(app.endpoint { max_messages_per_s = 5, max_messages_burst = 3 })
      local client, other = stage.open(), stage.open()
      client:send_all(beats(1, 5))
      for i = 1, 3 do
        client:expect(nil, ('"%d"'):format(i), "phoenix", "phx_reply", raw.ok())
      end
      local first, second = error_of(client, "4"), error_of(client, "5")
      for _, response in ipairs { first, second } do
        assert.equal("rate limited", response.reason)
        assert.is_true(response.retry_after_ms > 0 and response.retry_after_ms <= 200)
      end
      other:expect_nothing()
      stage.server.wait(second.retry_after_ms / 1000 + 0.01)
      client:expect_nothing()
    end)

    it("of any kind are counted, joins and leaves too", function()
      stage.start(app.endpoint { max_messages_per_s = 1, max_messages_burst = 2 })
      local client = stage.open()
      client:send_all {
        { '"1"', '"1"', "plain:1", "phx_join" },
        { '"1"', '"2"', "plain:1", "echo" },
        { '"1"', '"3"', "plain:1", "phx_leave" },
      }
      client:expect('"1"', '"1"', "plain:1", "phx_reply", raw.ok())
      client:expect('"1"', '"2"', "plain:1", "phx_reply", raw.ok())
      assert.equal("rate limited", error_of(client, "3").reason)
    end)

    it("by default may be a thousand at once", function()
      stage.start(app.endpoint())
      local client = stage.open()
      client:send_all(beats(1, 1200))
      local admitted = 0
      for i = 1, 1200 do
        local reply, message = client:expect_event "phx_reply"
        assert.equal(tostring(i), message[2])
        admitted = admitted + (reply.status == "ok" and 1 or 0)
      end
      assert.is_true(admitted >= 1000 and admitted < 1200, admitted .. " were taken")
    end)

    it("have no limit where it is false", function()
      stage.start(app.endpoint { max_messages_per_s = false })
      local client = stage.open()
      client:send_all(beats(1, 2000))
      for i = 1, 2000 do
        client:expect(nil, ('"%d"'):format(i), "phoenix", "phx_reply", raw.ok())
      end
    end)
  end)

  it("payloads may be nested so deep, and no deeper", function()
    stage.start(app.endpoint())
    local client, other = stage.open(), stage.open()
    local deepest = config.runtime.max_json_depth
    local function nested(depth) return ("["):rep(depth) .. ("]"):rep(depth) end
    client:join("plain:1", '"1"')
    client:send('"1"', '"2"', "plain:1", "raw_echo", nested(deepest))
    client:expect('"1"', '"2"', "plain:1", "phx_reply", raw.ok(nested(deepest)))
    client:send('"1"', '"3"', "plain:1", "raw_echo", nested(deepest + 1))
    client:expect_close(1011)
    other:expect_nothing()
  end)

  describe("names and metas", function()
    local limits = config.runtime

    local function track(client, ref, key, meta_json)
      client:send('"1"', ref, "room:1", "track",
        json.encode { key = key, meta_json = meta_json })
      local reply, message = client:expect_event "phx_reply"
      assert.equal(ref, '"' .. message[2] .. '"')
      return reply.status, reply.response.reason
    end

    it("are as long as they may be, or refused", function()
      stage.start(app.endpoint(), { runtime = { flush_interval_s = 60 } })
      local client = stage.open()
      client:enter("room:1", '"1"')
      client:send('"1"', '"0"', "room:1", "come_and_go", '{"key":"first"}') -- now flushes wait
      client:expect('"1"', '"0"', "room:1", "phx_reply", raw.ok())
      local function meta(bytes) return '{"x":"' .. ("x"):rep(bytes - 8) .. '"}' end
      local key = ("k"):rep(limits.max_key_bytes)
      assert.same({ "error", "too_large" }, { track(client, '"1"', key .. "k", "{}") })
      assert.same({ "error", "too_large" },
        { track(client, '"2"', "ann", meta(limits.max_meta_bytes + 1)) })
      assert.equal("ok", (track(client, '"3"', key, meta(limits.max_meta_bytes))))
    end)

    it("a topic is as long as it may be, or its join is refused", function()
      stage.start(app.endpoint())
      local client = stage.open()
      local topic = "plain:" .. ("t"):rep(limits.max_topic_bytes - 6)
      client:join(topic, '"1"')
      client:send('"2"', '"2"', topic .. "t", "phx_join")
      client:expect('"2"', '"2"', topic .. "t", "phx_reply",
        raw.error '{"reason":"topic too long"}')
      client:push('"1"', '"3"', topic, "echo")
    end)
  end)

  describe("behind a callback that waits", function()
    local busy = raw.error '{"reason":"busy"}'

    it("so many events wait, and more are answered busy", function()
      stage.start(app.endpoint { max_queued_events = 3 })
      local client = stage.open()
      client:send('"1"', '"1"', "plain:1", "phx_join", '{"wait_s":0.3}')
      for i = 2, 6 do
        client:send('"1"', ('"%d"'):format(i), "plain:1", "echo")
      end
      client:expect('"1"', '"5"', "plain:1", "phx_reply", busy)
      client:expect('"1"', '"6"', "plain:1", "phx_reply", busy)
      for i = 1, 4 do
        client:expect('"1"', ('"%d"'):format(i), "plain:1", "phx_reply", raw.ok())
      end
      client:push('"1"', '"7"', "plain:1", "echo")
    end)

    it("so many bytes wait, of all its channels", function()
      stage.start(app.endpoint { max_held_bytes = 4000 })
      local client, other = stage.open(), stage.open()
      local text = '{"x":"' .. ("x"):rep(1500) .. '"}'
      client:send('"1"', '"1"', "plain:1", "phx_join", '{"wait_s":0.3}')
      client:send('"2"', '"2"', "plain:2", "phx_join", '{"wait_s":0.3}')
      client:send('"1"', '"3"', "plain:1", "echo", text)
      client:send('"2"', '"4"', "plain:2", "echo", text)
      client:send('"1"', '"5"', "plain:1", "echo", text)
      client:expect('"1"', '"5"', "plain:1", "phx_reply", busy)
      client:send('"3"', '"6"', "plain:3", "phx_join", text)
      client:expect('"3"', '"6"', "plain:3", "phx_reply",
        raw.error '{"reason":"too much held for this socket"}')
      other:join("plain:1", '"1"')
      local answers = {}
      for _ = 1, 4 do
        local reply, message = client:expect_event "phx_reply"
        assert.equal("ok", reply.status)
        answers[message[2]] = true
      end
      assert.same({ ["1"] = true, ["2"] = true, ["3"] = true, ["4"] = true }, answers)
      client:join("plain:3", '"7"')
    end)
  end)

  it("a socket may have so many channels, as many as the option says", function()
    stage.start(app.endpoint { max_channels = 2 })
    local client, other = stage.open(), stage.open()
    client:join("plain:1", '"1"')
    client:join("plain:2", '"2"')
    client:send('"3"', '"3"', "plain:3", "phx_join")
    client:expect('"3"', '"3"', "plain:3", "phx_reply",
      raw.error '{"reason":"too many channels joined"}')
    other:join("plain:3", '"1"')
  end)

  local function count_logged(message)
    local count = 0
    for _, entry in ipairs(stage.server.logged()) do
      count = count + (entry.message == message and 1 or 0)
    end
    return count
  end

  it("a mailbox that floods is found out, counted and logged, once", function()
    local endpoint = app.endpoint()
    stage.start(endpoint, { runtime = { max_mailbox = 10 } })
    local client = stage.open()
    client:join("plain:1", '"1"')
    client:push('"1"', '"2"', "plain:1", "flood", '{"messages":10}')
    assert.equal(0, endpoint:metrics().flooded_mailboxes_total)
    client:push('"1"', '"3"', "plain:1", "flood", '{"messages":30}')
    client:push('"1"', '"4"', "plain:1", "flood", '{"messages":30}')
    assert.equal(1, endpoint:metrics().flooded_mailboxes_total)
    assert.equal(1, count_logged "a mailbox floods")
  end)

  if platform.is_real_time then
    it("a callback that hogs the turn is found out by wall time, counted and logged", function()
      local endpoint = app.endpoint()
      stage.start(endpoint, { runtime = { max_turn_s = 0.03 } })
      local client = stage.open()
      client:join("plain:1", '"1"')
      client:push('"1"', '"2"', "plain:1", "burn", '{"seconds":0}')
      assert.equal(0, endpoint:metrics().hogged_turns_total)
      client:push('"1"', '"3"', "plain:1", "burn", '{"seconds":0.1}')
      assert.equal(1, endpoint:metrics().hogged_turns_total)
      assert.equal(1, count_logged "a callback hogged the turn")
    end)
  end
end
