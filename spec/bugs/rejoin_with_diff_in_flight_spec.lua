-- phoenix#2255, phoenix#2763: a diff arrives before the state, and again on a rejoin. Diffs carry
-- no join_ref: one that was on its way when the client joined again is kept by phoenix.js and
-- applied on top of the new state, and brought back the meta that an update had replaced since.
local presence = require "presence"
local testing = require "presence.testing"
require "presence.testing.assertions"

describe("a diff in flight while its client joins again", function()
  it("leaves no ghost in the mirror", function()
    local Room = presence.channel {
      track = function(_, params)
        return params.key, { n = 0 }
      end,
    }
    function Room.handle_in.set(socket, payload)
      socket:update(socket.params.key, payload)
      return "ok"
    end
    local t = testing.new(presence.endpoint { channels = { ["room:*"] = Room } })
    local ann, bob = t:client(), t:client()
    assert.replied(ann:join("room:1", { key = "ann" }), "ok")
    t:advance(1)

    ann:stop_reading()
    bob:join("room:1", { key = "bob" })
    t:advance(1) -- the diff of bob's join is on its way to ann
    ann.protocol:join("room:1", { key = "ann" })
    bob:push("set", { n = 1 })
    t:advance(1)
    ann:read_on()
    t:advance(1)

    assert.present(ann, "room:1", "bob", 1)
    assert.equal(1, ann:presences("room:1").bob.metas[1].n)
    assert.present(ann, "room:1", "ann", 1)
    t:finish()
  end)
end)
