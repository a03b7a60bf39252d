-- A client that does not read costs a pointer, within a bound, and the others notice nothing.
local presence = require "presence"
local testing = require "presence.testing"
require "presence.testing.assertions"

describe("a reader that stops", function()
  local t

  local function start(runtime_opts, endpoint_opts)
    local Room = presence.channel {
      track = function(_, params)
        return params.key, {}
      end,
    }
    function Room.handle_in.shout(socket, payload)
      socket:broadcast("shout", payload)
    end
    local opts = { channels = { ["room:*"] = Room } }
    for name, value in pairs(endpoint_opts or {}) do
      opts[name] = value
    end
    t = testing.new(presence.endpoint(opts), runtime_opts)
  end

  local function joined(key)
    local c = t:client()
    assert.replied(c:join("room:1", { key = key }), "ok")
    t:advance(0.1)
    return c
  end

  -- Stops reading; the next frame, an answer to a heartbeat, shows the server that it does.
  local function stop_reading(c)
    c:stop_reading()
    c.protocol:heartbeat()
    t:advance(0)
  end

  local function churn(joins, present)
    for i = 1, joins do
      local pid = "p" .. i
      assert(t.runtime.track({ topic = "room:1", pid = pid }, "k" .. i, {}))
      if i > present then
        t.runtime.untrack({ topic = "room:1", pid = "p" .. (i - present) }, "k" .. (i - present))
      end
      if i % 100 == 0 then
        t:advance(0.06)
      end
    end
  end

  local function events(c)
    local seen = {}
    for _, message in ipairs(c.inbox) do
      if message.topic == "room:1" then
        seen[#seen + 1] = message.event
      end
    end
    return seen
  end

  it("gets one diff when it reads on", function()
    start { max_behind_bytes = 100 * 1024 * 1024 }
    local slow, quick = joined "slow", joined "quick"
    stop_reading(slow)
    churn(2000, 200)
    slow.inbox = {}
    slow:read_on()
    assert.same({ "presence_diff" }, events(slow))
    assert.same(quick:presences "room:1", slow:presences "room:1")
  end)

  it("gets one fresh state when its diff would keep too much of the past", function()
    start()
    local slow, quick = joined "slow", joined "quick"
    stop_reading(slow)
    churn(2000, 200)
    slow.inbox = {}
    slow:read_on()
    assert.same({ "presence_state" }, events(slow))
    assert.same(quick:presences "room:1", slow:presences "room:1")
    churn(1, 200)
    t:advance(0.1)
    assert.same(quick:presences "room:1", slow:presences "room:1")
  end)

  it("keeps no old state past the bound", function()
    start { max_behind_bytes = 100 * 1024 }
    local slow = joined "slow"
    stop_reading(slow)
    local channel = slow.connection.channels["room:1"]
    assert(t.runtime.track({ topic = "room:1", pid = "one" }, "one", {}))
    t:advance(0.1)
    assert.is_userdata(channel.told)
    churn(200, 50)
    assert.is_true(channel.is_behind)
    assert.is_nil(channel.told)
    slow:read_on()
    assert.is_false(channel.is_behind)
  end)

  it("is closed with 1013 when it never reads, though it heartbeats", function()
    start(nil, { unread_timeout_s = 60 })
    local slow, quick = joined "slow", joined "quick"
    stop_reading(slow)
    for _ = 1, 3 do
      t:advance(30)
      slow.protocol:heartbeat()
      quick.protocol:heartbeat()
    end
    assert.equal(1013, slow.closed)
    assert.is_false(quick.closed)
    t:advance(0.1)
    assert.not_present(quick, "room:1", "slow")
    t:finish()
  end)

  it("may take its time as long as it reads now and then", function()
    start(nil, { unread_timeout_s = 60 })
    local slow = joined "slow"
    for _ = 1, 6 do
      stop_reading(slow)
      t:advance(40)
      slow:read_on()
    end
    assert.is_false(slow.closed)
    t:finish()
  end)

  it("a hundred of them share one frame, and cost the others nothing", function()
    start { max_behind_bytes = 100 * 1024 * 1024 }
    local slow = {}
    for i = 1, 100 do
      slow[i] = joined("slow" .. i)
    end
    local quick = joined "quick"
    for _, c in ipairs(slow) do
      stop_reading(c)
    end
    churn(500, 100)
    local before = #events(quick)
    assert.is_true(before > 0)
    for _, c in ipairs(slow) do
      c:read_on()
    end
    assert.equal(before, #events(quick))
    for _, c in ipairs(slow) do
      assert.same(quick:presences "room:1", c:presences "room:1")
    end
  end)
end)
