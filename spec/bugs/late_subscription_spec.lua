-- A callback that waited while its process was ended, and then subscribed, was subscribed for ever:
-- clients who hung up during their join left a subscription each.
local presence = require "presence"
local testing = require "presence.testing"

describe("a subscription by a process that has ended", function()
  it("is refused, and nothing stays", function()
    local t, results = nil, {}
    local function subscribe()
      local pubsub = t.runtime.pubsub
      results[#results + 1] = { pubsub:subscribe "news" }
      results[#results + 1] = pubsub:unsubscribe "news"
    end
    t = testing.new(presence.endpoint {
      channels = {
        ["room:*"] = presence.channel {
          join = function(_, _, params)
            if params.waits then
              local signal = t.loop:signal()
              t.loop:after(1, function() signal:post() end)
              signal:wait()
              subscribe()
            end
            return true
          end,
          terminate = subscribe,
        },
      },
    })
    local hangs_up, leaves = t:client(), t:client()
    hangs_up:join("room:1", { waits = true })
    hangs_up:close()
    leaves:join("room:1", {})
    leaves:leave()
    t:advance(2)
    local refused = { nil, "no_process", "the process has ended" }
    assert.same({ refused, false, refused, false }, results)
    assert.equal(0, t.runtime.pubsub:broadcast("news", "item", {}))
    assert.is_nil(next(t.runtime.feed.topics_))
    t:finish()
  end)
end)
