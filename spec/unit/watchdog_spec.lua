local presence = require "presence"
local testing = require "presence.testing"
require "presence.testing.assertions"

describe("the watchdog", function()
  local Room, t

  before_each(function()
    Room = presence.channel()
    t = testing.new(presence.endpoint {
      channels = { ["room:*"] = Room },
      max_queued_events = 5,
      max_messages_per_s = false,
    }, { max_turn_s = 0.1, max_mailbox = 100 })
  end)

  local function warnings()
    local messages = {}
    for _, entry in ipairs(t.logged) do
      if entry.level == "warn" then
        messages[#messages + 1] = entry.message
      end
    end
    return messages
  end

  local function joined()
    local c = t:client()
    assert.replied(c:join "room:1", "ok")
    return c
  end

  it("finds a callback that hogs a turn, counts and logs it, and lets it live", function()
    function Room.handle_in.hog()
      t.loop.now_ = t.loop.now_ + 0.25 -- the clock goes on while the callback runs
      return "ok"
    end
    function Room.handle_in.quick()
      t.loop.now_ = t.loop.now_ + 0.05
      return "ok"
    end
    local c = joined()
    assert.replied(c:push("quick", {}), "ok")
    assert.same({}, warnings())
    assert.replied(c:push("hog", {}), "ok")
    assert.same({ "a callback hogged the turn" }, warnings())
    assert.equal(250, t.logged[1].fields.took_ms)
    assert.equal("room:1", t.logged[1].fields.topic)
    assert.equal(1, t.endpoint:metrics().hogged_turns_total)
    t:finish()
  end)

  -- The clock goes on while somebody computes.
  local function compute(seconds)
    t.loop.now_ = t.loop.now_ + seconds
  end

  local function took_ms()
    local list = {}
    for _, entry in ipairs(t.logged) do
      list[#list + 1] = entry.fields.took_ms
    end
    return list
  end

  it("does not take waiting for hogging, by whatever means a callback waits", function()
    function Room.handle_in.wait()
      compute(0.06)
      t.runtime.process.receive(5)
      compute(0.06)
      local signal = t.loop:signal()
      t.loop:after(3, function() signal:post() end)
      signal:wait()
      compute(0.06)
      return "ok"
    end
    local c = joined()
    c:push("wait", {})
    t:advance(9)
    assert.same({}, warnings())
    t:finish()
  end)

  it("finds one that hogs after a wait, and before the next", function()
    function Room.handle_in.hog()
      t.runtime.process.receive(1)
      compute(0.25)
      t.runtime.process.receive(1)
      compute(0.05)
      t.runtime.process.receive(1)
      compute(0.5)
      return "ok"
    end
    local c = joined()
    c:push("hog", {})
    t:advance(10)
    assert.same({ 250, 500 }, took_ms())
    t:finish()
  end)

  it("finds processes that were spawned, and calls those hogs who compute, not who started them",
    function()
      local pid
      t.runtime.process.spawn(function()
        compute(0.06)
        pid = t.runtime.process.spawn(function()
          compute(0.25)
        end)
        compute(0.03)
        t.runtime.process.receive(1)
        compute(0.06)
      end)
      t:advance(2)
      assert.equal(1, #t.logged)
      assert.equal(pid, t.logged[1].fields.pid)
      assert.equal(250, t.logged[1].fields.took_ms)
      t:finish()
    end)

  it("finds callbacks of the runtime that hog", function()
    t = testing.new(presence.endpoint { channels = {} }, {
      max_turn_s = 0.1,
      on_join = function() compute(0.25) end,
      on_leave = function() compute(0.05) end,
    })
    t.runtime.track({ topic = "t", pid = "me" }, "k", {})
    t:advance(0)
    t.runtime.untrack { topic = "t", pid = "me" }
    t:advance(0)
    assert.same({ { level = "warn", message = "a callback hogged the turn",
      fields = { pid = "me", topic = "t", took_ms = 250 } } }, t.logged)
    t:finish()
  end)

  it("finds a mailbox that floods, once", function()
    local pid = t.runtime.process.spawn(function()
      t.runtime.process.receive()
      t.runtime.process.receive(60)
    end)
    for i = 1, 300 do
      t.runtime.process.send(pid, i)
    end
    assert.same({ "a mailbox floods" }, warnings())
    assert.equal(1, t.endpoint:metrics().flooded_mailboxes_total)
  end)

  it("answers events busy while too many wait for a callback", function()
    function Room.handle_in.wait()
      t.runtime.process.receive(5)
      return "ok", { waited = true }
    end
    local c = joined()
    for _ = 1, 6 do
      assert.same({ nil, "no_reply" }, { c:push("wait", {}) })
    end
    assert.replied(c:push("wait", {}), "error", { reason = "busy" })
    t:advance(60)
    assert.replied(select(2, next(c.replies)), "ok", { waited = true })
    t:finish()
  end)
end)
