-- phoenix#2255: diffs reached a client before the presence_state of its join. A mirror that applied
-- them at once lost them with the state, or kept what the state had counted already.
local presence = require "presence"
local testing = require "presence.testing"

describe("a join in the middle of a storm", function()
  it("is told its state before any diff, and nothing twice", function()
    local t = testing.new(presence.endpoint {
      channels = {
        ["room:*"] = presence.channel {
          track = function(_, params) return params.key, {} end,
          after_join = function(_, params)
            if params.slow then
              -- Others come and go before this one's state is taken.
              local signal = params.t.loop:signal()
              params.t.loop:after(0.12, function() signal:post() end)
              signal:wait()
            end
          end,
        },
      },
    })
    local channel = t.endpoint:match "room:1"
    local after_join = channel.after_join
    channel.after_join = function(socket, params)
      params.t = t
      after_join(socket, params)
    end
    local clients = {}
    for i = 1, 40 do
      local c = t:client()
      clients[i] = c
      c.protocol:join("room:1", { key = "k" .. i, slow = i % 4 == 0 })
      if i % 3 == 0 then t:advance(0.02) end
      if i % 5 == 0 then clients[i - 3]:close() end
    end
    t:advance(1)

    local expected
    for i, c in ipairs(clients) do
      if not c.closed then
        local messages, joins = {}, 0
        for _, message in ipairs(c.inbox) do
          messages[#messages + 1] = message.event
          if message.event == "presence_diff" and message.payload.joins["k" .. i] then
            joins = joins + 1
          end
        end
        assert.equal("presence_state", messages[1])
        for at = 2, #messages do assert.equal("presence_diff", messages[at]) end
        assert.equal(0, joins, "k" .. i .. " was told of its own join")
        expected = expected or c:presences "room:1"
        assert.same(expected, c:presences "room:1")
      end
    end
    assert.equal(t.runtime.count "room:1", 40 - 8)
    t:finish()
  end)
end)
