-- Who is told what, when it was told another state than was announced.
local presence = require "presence"
local testing = require "presence.testing"
require "presence.testing.assertions"

describe("the feed", function()
  local t

  local function start(mode, runtime_opts)
    t = testing.new(presence.endpoint {
      channels = { ["room:*"] = presence.channel { presence = mode } },
    }, runtime_opts)
  end

  local function joined()
    local c = t:client()
    assert.replied(c:join "room:1", "ok")
    return c
  end

  local function socket(pid)
    return { topic = "room:1", pid = pid }
  end

  local function come(key)
    assert(t.runtime.track(socket(key), key, {}))
    t:advance(0)
  end

  local function go(key)
    assert.equal(1, t.runtime.untrack(socket(key), key))
    t:advance(0)
  end

  -- From now on changes wait for a flush.
  local function be_busy()
    t:advance(1)
    come "somebody"
  end

  -- The server sees it with the next frame, the answer to a heartbeat.
  local function stop_reading(c)
    c:stop_reading()
    c.protocol:heartbeat()
    t:advance(0)
  end

  local function take_events(c)
    local events = {}
    for i, message in ipairs(c.inbox) do
      events[i] = message.event
    end
    c.inbox = {}
    return events
  end

  local function keys(c)
    local list = {}
    for key in pairs(c:presences "room:1") do
      list[#list + 1] = key
    end
    table.sort(list)
    return list
  end

  it("takes back from a joiner what came before its join and went before the flush", function()
    start "all"
    local earlier = joined()
    be_busy()
    come "ghost"
    local joiner = joined()
    assert.same({ "ghost", "somebody" }, keys(joiner))
    take_events(earlier)
    go "ghost"
    t:advance(0.1)
    assert.same({ "somebody" }, keys(joiner))
    assert.same({}, take_events(earlier))
    t:advance(1)
    assert.same({ "presence_state", "presence_diff" }, take_events(joiner))
    assert.is_false(t.runtime.feed.topics_["room:1"].has_strays)
    t.runtime.untrack(socket "somebody")
    t:finish()
  end)

  it("tells a reader who reads on while a change waits, though that is taken back", function()
    start "all"
    local slow, quick = joined(), joined()
    stop_reading(slow)
    be_busy()
    come "ghost"
    slow:read_on()
    go "ghost"
    t:advance(0.1)
    assert.same({ "somebody" }, keys(slow))
    assert.same({ "somebody" }, keys(quick))
    t:advance(1)
    assert.same({ "presence_state", "presence_diff" }, take_events(slow))
    t.runtime.untrack(socket "somebody")
    t:finish()
  end)

  it("counts what a reader is behind from where it stopped, not from the beginning", function()
    start("all", { max_behind_bytes = 100 * 1024 })
    local slow = joined()
    for i = 1, 200 do
      come("k" .. i)
      t:advance(0.1)
      go("k" .. i)
      t:advance(0.1)
    end
    stop_reading(slow)
    be_busy()
    t:advance(1)
    take_events(slow)
    slow:read_on()
    assert.same({ "presence_diff" }, take_events(slow))
    t.runtime.untrack(socket "somebody")
    t:finish()
  end)

  it("keeps nothing for one who left, though his callback runs on", function()
    start "all"
    local c = joined()
    local channel = c.connection.channels["room:1"]
    stop_reading(c)
    be_busy()
    t:advance(1)
    assert.is_userdata(channel.told)
    c:leave "room:1"
    assert.is_nil(channel.told)
    t.runtime.untrack(socket "somebody")
    t:finish()
  end)

  it("never shows an older count to one who was told a newer", function()
    start "count"
    joined()
    be_busy()
    come "bob"
    local c = joined()
    assert.same({ count = 2 }, c:expect "presence_count")
    stop_reading(c)
    c:read_on()
    assert.same({}, take_events(c))
    t:advance(0.1)
    assert.same({}, take_events(c))
    come "cid"
    t:advance(0.1)
    assert.same({ count = 3 }, c:expect "presence_count")
    for _, pid in ipairs { "somebody", "bob", "cid" } do
      t.runtime.untrack(socket(pid))
    end
    t:finish()
  end)

  it("tells a count to one who reads on, in whatever state it finds the topic", function()
    start "count"
    local c = joined()
    assert.same({ count = 0 }, c:expect "presence_count")
    stop_reading(c)
    be_busy()
    t:advance(1)
    take_events(c)
    c:read_on()
    assert.same({ count = 1 }, c:expect "presence_count")
    stop_reading(c)
    come "bob"
    c:read_on() -- the flush of bob's join is still to come
    t:advance(0.1)
    assert.same({ count = 2 }, c:expect "presence_count")
    for _, pid in ipairs { "somebody", "bob" } do
      t.runtime.untrack(socket(pid))
    end
    t:finish()
  end)
end)
