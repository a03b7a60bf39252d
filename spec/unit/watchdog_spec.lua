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

  it("does not take waiting for hogging", function()
    function Room.handle_in.wait()
      t.runtime.process.receive(5)
      return "ok"
    end
    local c = joined()
    c:push("wait", {})
    t:advance(6)
    assert.same({}, warnings())
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
