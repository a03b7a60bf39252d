-- centrifuge, TestSubRefresh_StaleCallback…: a client left a topic and joined it again while a
-- callback of the first subscription still ran; when that came back it acted on the second one.
local presence = require "presence"
local testing = require "presence.testing"
require "presence.testing.assertions"

describe("a late callback of an old join", function()
  local t, waiting, results

  before_each(function()
    waiting, results = {}, {}
    local Room = presence.channel {
      track = function(_, params) return "ann", { join = params.join } end,
    }
    function Room.handle_in.slow(socket, payload)
      local signal = t.loop:signal()
      waiting[#waiting + 1] = signal
      signal:wait()
      if payload.raise then error "boom" end
      socket:push("late", {})
      results[#results + 1] = { select(2, socket:update("ann", { join = "late" })) }
      results[#results + 1] = { select(2, socket:track("ann", { join = "late" })) }
      results[#results + 1] = socket:untrack()
      if payload.stop then return "stop" end
      return "ok"
    end
    t = testing.new(presence.endpoint { channels = { ["room:*"] = Room } })
  end)

  -- ann joins again while `slow` of her first join waits, then that goes on.
  local function join_twice(between, payload)
    local ann = t:client()
    assert.replied(ann:join("room:1", { join = 1 }), "ok")
    ann:push("slow", payload or {})
    between(ann)
    assert.replied(ann:join("room:1", { join = 2 }), "ok")
    t:advance(1)
    -- What goes out at all: a client drops frames of an old join by itself.
    ann.texts = {}
    local receive = ann.protocol.receive
    ann.protocol.receive = function(protocol, text)
      ann.texts[#ann.texts + 1] = text
      return receive(protocol, text)
    end
    for _, signal in ipairs(waiting) do signal:post() end
    t:advance(1)
    return ann
  end

  local function assert_untouched(ann)
    assert.same({}, ann.texts)
    assert.equal(1, t.endpoint:metrics().channels)
    assert.present(ann, "room:1", "ann", 1)
    assert.equal(2, ann:presences("room:1").ann.metas[1].join)
    assert.same({ { "ann", '{"join":2}' } }, t.runtime.list "room:1")
    assert.replied(ann:leave(), "ok")
  end

  it("does nothing to the new one after a second join", function()
    assert_untouched(join_twice(function() end))
    assert.equal("nopresence", results[1][1])
    assert.equal("no_process", results[2][1])
    assert.equal(0, results[3])
    t:finish()
  end)

  it("does not stop the new one", function()
    assert_untouched(join_twice(function() end, { stop = true }))
    t:finish()
  end)

  it("does not crash the new one", function()
    assert_untouched(join_twice(function() end, { raise = true }))
  end)

  it("does nothing to the new one after a leave, either", function()
    -- The leave waits its turn behind the callback, and is answered when the new join comes.
    local ann = join_twice(function(c) c.protocol:leave "room:1" end)
    assert_untouched(ann)
    t:finish()
  end)
end)
