-- phoenix#5129: a function given to update raised inside of the tracker's process, which died with
-- the presences of every topic in it.
local presence = require "presence"
local testing = require "presence.testing"
require "presence.testing.assertions"

describe("a callback that raises", function()
  local Room, t

  before_each(function()
    Room = presence.channel {
      track = function(_, params) return params.key, { n = 0 } end,
    }
  end)

  local function joined(key)
    local c = t:client()
    assert.replied(c:join("room:1", { key = key }), "ok")
    t:advance(0.1)
    return c
  end

  it("in update reaches the one who called, and changes nothing", function()
    t = testing.new(presence.endpoint { channels = { ["room:*"] = Room } })
    local socket = { topic = "room:1", pid = 7 }
    local ref = t.runtime.track(socket, "cat", { n = 1 })
    assert.error_matches(function()
      t.runtime.update(socket, "cat", function() error "boom" end)
    end, "boom")
    assert.equal('{"n":1}', t.runtime.get_by_key("room:1", "cat")[1].data)
    assert.equal(ref, t.runtime.update(socket, "cat", { n = 1 }))
    assert.is_string(t.runtime.update(socket, "cat", function(old) return (old:gsub("1", "2")) end))
    assert.equal('{"n":2}', t.runtime.get_by_key("room:1", "cat")[1].data)
  end)

  it("in a channel's update ends that channel only", function()
    function Room.handle_in.boom(socket)
      socket:update(socket.params.key, function() error "boom" end)
    end
    t = testing.new(presence.endpoint { channels = { ["room:*"] = Room } })
    local watcher, ann = joined "watcher", joined "ann"
    ann:push("boom", {})
    assert.received(ann, "phx_error")
    t:advance(1)
    assert.present(watcher, "room:1", "watcher", 1)
    assert.not_present(watcher, "room:1", "ann")
    assert.equal(1, t.runtime.count "room:1")
    assert.present(joined "ann", "room:1", "ann", 1)
  end)

  it("in on_join, on_update or on_leave is logged, and everybody is told all the same", function()
    local function boom() error "boom" end
    function Room.handle_in.set(socket, payload)
      socket:update(socket.params.key, payload)
      return "ok"
    end
    t = testing.new(presence.endpoint { channels = { ["room:*"] = Room } },
      { on_join = boom, on_update = boom, on_leave = boom })
    local watcher, ann = joined "watcher", joined "ann"
    assert.replied(ann:push("set", { n = 1 }), "ok")
    t:advance(1)
    assert.equal(1, watcher:presences("room:1").ann.metas[1].n)
    ann:close()
    t:advance(1)
    assert.not_present(watcher, "room:1", "ann")
    assert.equal(4, #t.logged)
    for _, entry in ipairs(t.logged) do
      assert.matches("^on_%a+ raised: .*boom", entry.message)
    end
  end)
end)
