-- On a busy server a join flushed a topic before its flush timer, which was overdue, did. The next
-- change counted on that timer; it fired too early to flush again, and was the last one: in a storm
-- of joins nobody was told anything any more.
local presence = require "presence"
local testing = require "presence.testing"
require "presence.testing.assertions"

describe("a flush before an overdue timer of the topic", function()
  it("leaves none of the changes that follow untold", function()
    local t = testing.new(presence.endpoint {
      channels = { ["room:*"] = presence.channel {} },
    })
    local observer = t:client()
    assert.replied(observer:join "room:1", "ok")
    local function track(key)
      assert(t.runtime.track({ topic = "room:1", pid = key }, key, {}))
    end

    -- Clock and timers as where a turn takes long: the clock goes on, timers wait for its end.
    t:advance(1)
    local now, busy_s = t.loop.now, 0
    t.loop.now = function(loop) return now(loop) + busy_s end
    track "announced at once"
    t:advance(0)
    track "waits for the timer"
    busy_s = 0.06
    t:client():join "room:1" -- it flushes what is overdue
    track "waits for another flush"
    busy_s = 0.03
    t:advance(1)

    local keys = { "announced at once", "waits for the timer", "waits for another flush" }
    for _, key in ipairs(keys) do
      assert.present(observer, "room:1", key)
      t.runtime.untrack({ topic = "room:1", pid = key }, key)
    end
    t:finish()
  end)
end)
