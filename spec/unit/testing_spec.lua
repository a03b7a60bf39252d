local presence = require "presence"
local testing = require "presence.testing"
require "presence.testing.assertions"

describe("presence.testing", function()
  local Room, t

  before_each(function()
    Room = presence.channel {
      track = function(socket)
        return socket.assigns.user_id, {}
      end,
    }
    function Room.handle_in.shout(socket, message)
      socket:broadcast("shout", message)
      return "ok"
    end
    t = testing.new(presence.endpoint {
      connect = function(params)
        return { user_id = params.user_id }
      end,
      channels = { ["room:*"] = Room },
    })
  end)

  it("is an application's test in a few lines", function()
    local ann, bob = t:client { user_id = "ann" }, t:client { user_id = "bob" }
    assert.replied(ann:join "room:1", "ok")
    assert.replied(bob:join "room:1", "ok")
    t:advance(0.05)
    assert.present(ann, "room:1", "bob")
    assert.replied(bob:push("shout", { text = "hi" }), "ok", {})
    assert.same({ text = "hi" }, ann:expect "shout")
    bob:leave()
    t:advance(0.05)
    assert.not_present(ann, "room:1", "bob")
    t:finish()
  end)

  it("expect takes the oldest message that matches, and shows what came instead", function()
    local ann = t:client { user_id = "ann" }
    ann:join "room:1"
    ann:push("shout", { n = 1 })
    ann:push("shout", { n = 2 })
    assert.same({ n = 1 }, ann:expect("shout", "room:1"))
    assert.same({ n = 2 }, ann:expect "shout")
    assert.error_matches(function()
      ann:expect("shout", "room:1")
    end, "expected shout on room:1, but what came instead:\n  room:1 presence_state", 1, true)
    local function user()
      local x = ann:expect "shout"
      return x
    end
    assert.matches("testing_spec.lua:%d+: expected shout, but what came instead",
      (select(2, pcall(user))))
    ann:expect "presence_state"
    assert.error_matches(function()
      ann:expect "shout"
    end, "nothing came")
    t:finish()
  end)

  it("raises where a topic is missing", function()
    local ann = t:client { user_id = "ann" }
    assert.error_matches(function()
      ann:push("shout", {})
    end, "join a topic first")
    t:finish()
  end)

  it("finish raises when a process still runs, a presence stays or an error was logged", function()
    t.runtime.process.spawn(function()
      t.runtime.process.receive()
    end)
    t.runtime.track({ topic = "room:9", pid = 1 }, "ghost", {})
    t.runtime.log("error", "something broke")
    local ok, err = pcall(t.finish, t)
    assert.is_false(ok)
    assert.matches("1 processes still run", err)
    assert.matches("1 keys are still present on room:9", err)
    assert.matches("an error was logged: something broke", err)
  end)

  it("finish raises when a timer is still set", function()
    t.loop:after(10, function() end)
    local function user() t:finish() end
    assert.matches("testing_spec.lua:%d+: not finished cleanly:\n1 timers are still set",
      (select(2, pcall(user))))
  end)

  it("keeps tests apart: each has a runtime of its own", function()
    local other = testing.new(t.endpoint.endpoint)
    t:client({ user_id = "ann" }):join "room:1"
    assert.equal(1, t.runtime.count "room:1")
    assert.equal(0, other.runtime.count "room:1")
    other:finish()
    t:finish()
  end)

  it("gives the module's functions the runtime of the process they run in", function()
    local counted, mine, delivered
    function Room.handle_in.count(socket)
      counted = presence.count(socket.topic)
      delivered = {
        presence.pubsub:broadcast(socket.topic, "news", {}),
        presence.pubsub:broadcast_from(socket.pid, socket.topic, "news", {}),
        presence.pubsub:subscribe "elsewhere", presence.pubsub:unsubscribe "elsewhere",
        presence.process.send(socket.pid, "x"), presence.process.whereis "nobody",
      }
      mine = presence.process.self() == socket.pid
      presence.update(socket, socket.assigns.user_id, { seen = true })
      return "ok"
    end
    local ann = t:client { user_id = "ann" }
    ann:join "room:1"
    assert.replied(ann:push("count", {}), "ok")
    assert.equal(1, counted)
    assert.is_true(mine)
    assert.same({ 1, 0, true, true, true }, delivered)
    t:advance(0.05)
    assert.is_true(ann:presences("room:1").ann.metas[1].seen)
    t:finish()
  end)

  it("shows in a mirror what the turn in hand has changed", function()
    local ann = t:client { user_id = "ann" }
    ann:join "room:1"
    t:advance(1)
    t.runtime.track({ topic = "room:1", pid = 1 }, "bob", {})
    assert.is_table(ann:presences("room:1").bob)
    t.runtime.untrack { topic = "room:1", pid = 1 }
    t:finish()
  end)

  it("shows a reader that stops, and reads on", function()
    local slow, quick = t:client { user_id = "slow" }, t:client { user_id = "quick" }
    slow:join "room:1"
    slow:stop_reading()
    quick:join "room:1"
    t:advance(1)
    assert.not_present(slow, "room:1", "quick")
    slow:read_on()
    assert.present(slow, "room:1", "quick")
    t:finish()
  end)

  it("its assertions say what was there, whichever arguments were left out", function()
    local ann = t:client { user_id = "ann" }
    ann:join "room:1"
    local function refused(act)
      local ok, err = pcall(act)
      assert.is_false(ok)
      return tostring(type(err) == "table" and err.message or err)
    end
    assert.matches("Expected another reply.\nReply:\n%(nil%)\n", refused(function()
      assert.replied(ann:push("shout", {}, "room:9").nothing, "ok")
    end))
    assert.matches("Expected not to be present.*ann", refused(function()
      assert.not_present(ann, "room:1", "ann")
    end))
    assert.matches("have received an event.*news", refused(function()
      assert.received(ann, "news")
    end))
    assert.matches("Expected a different reply", refused(function()
      assert.not_replied({ status = "ok", response = {} }, "ok")
    end))
    t:finish()
  end)

  it("needs an endpoint", function()
    assert.error_matches(function()
      testing.new {}
    end, "needs an endpoint")
  end)
end)
