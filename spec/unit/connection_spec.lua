-- One client's connection, and the channels on it.
local presence = require "presence"
local testing = require "presence.testing"
require "presence.testing.assertions"

describe("a connection", function()
  local t

  local function start(Room, opts)
    opts = opts or {}
    opts.channels = { ["room:*"] = Room }
    t = testing.new(presence.endpoint(opts))
  end

  local function joined()
    local c = assert(t:client())
    assert.replied(c:join "room:1", "ok")
    return c
  end

  it("subscribes to nothing any more on topics that it left", function()
    local Room = presence.channel()
    function Room.handle_in.boom()
      error "boom"
    end
    start(Room)
    for _, act in ipairs {
      function(c)
        c:leave "room:1"
      end,
      function(c)
        c:close()
      end,
      function(c)
        c:push("boom", {})
      end,
    } do
      local c = joined()
      assert.equal(1, t.endpoint.endpoint:broadcast("room:1", "news", {}))
      act(c)
      assert.equal(0, t.endpoint.endpoint:broadcast("room:1", "news", {}))
    end
    assert.same({}, t.runtime.pubsub.topics_)
  end)

  it("catches up on its topics in the order they were joined", function()
    start(presence.channel())
    local c = t:client()
    local topics = {}
    for i = 1, 50 do
      topics[i] = "room:" .. i * 7 % 50
      c:join(topics[i])
    end
    c:stop_reading()
    c.protocol:heartbeat()
    t:advance(1)
    for _, topic in ipairs(topics) do
      t.runtime.track({ topic = topic, pid = 1 }, "ann", {})
    end
    t:advance(1)
    c.inbox = {}
    c:read_on()
    local caught_up = {}
    for i, message in ipairs(c.inbox) do
      caught_up[i] = message.topic
    end
    assert.same(topics, caught_up)
    t.runtime.untrack({ topic = "", pid = 1 })
    t:finish()
  end)
end)
