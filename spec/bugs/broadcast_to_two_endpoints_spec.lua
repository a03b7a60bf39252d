-- Connections that are told the same were put together although they came by different endpoints
-- (or by one that is served twice, on two ports): a broadcast was written only to those of the
-- endpoint that was the first on the topic, and to the others when something else was.
local presence = require "presence"
local testing = require "presence.testing"
require "presence.testing.assertions"

describe("a broadcast on a topic that two endpoints serve", function()
  it("is written to the clients of both in the same turn", function()
    local Room = presence.channel {
      track = function(_, params) return params.key, {} end,
    }
    function Room.handle_in.shout(socket, payload)
      socket:broadcast("shout", payload)
    end
    local endpoint = presence.endpoint { channels = { ["room:*"] = Room } }
    local t = testing.new(endpoint)
    local a = t:client()
    t.endpoint = endpoint:bind(t.runtime)
    local b = t:client()
    for key, client in pairs { a = a, b = b } do
      assert.replied(client:join("room:1", { key = key }), "ok")
      t:advance(0.1)
    end
    a:push("shout", { n = 1 }, "room:1")
    assert.same({ n = 1 }, a:expect("shout", "room:1"))
    assert.same({ n = 1 }, b:expect("shout", "room:1"))
    b:push("shout", { n = 2 }, "room:1")
    assert.same({ n = 2 }, a:expect("shout", "room:1"))
    t:client():join("room:1", { key = "c" })
    t:advance(0.1)
    assert.same(a:presences "room:1", b:presences "room:1")
    assert.is_not_nil(a:presences("room:1").c)
  end)
end)
