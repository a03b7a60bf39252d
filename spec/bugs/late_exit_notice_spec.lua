-- phoenix_pubsub#49: a process that tracked and untracked over and over ended, and the notice of
-- its end, for a presence that was gone already, crashed the tracker with everybody's presences.
local presence = require "presence"
local manual_loop = require "presence.manual.loop"

describe("a late exit notice", function()
  local rt, logged

  before_each(function()
    logged = {}
    rt = presence.new {
      loop = manual_loop.new(), leave_after = 5,
      log = function(_, message) logged[#logged + 1] = message end,
    }
    rt.track({ topic = "room:1", pid = 7 }, "stays", {})
  end)

  local function spawn_tracker(ending)
    return rt.process.spawn(function()
      local socket = { topic = "room:1", pid = rt.process.self() }
      for _ = 1, 100 do
        assert(rt.track(socket, "ann", {}))
        assert(rt.untrack(socket, "ann") == 1)
      end
      ending(socket)
    end)
  end

  local function assert_tracker_lives()
    assert.equal(1, rt.count "room:1")
    assert.is_string(rt.track({ topic = "room:1", pid = 8 }, "bob", {}))
    assert.same({}, rt.where "ann")
    assert.same({}, logged)
    assert.equal(0, rt.loop:pending())
  end

  it("of a process that tracks nothing any more is nothing", function()
    spawn_tracker(function() end)
    rt.loop:advance(10)
    assert_tracker_lives()
  end)

  it("may come twice, and after an untrack", function()
    local pid
    pid = spawn_tracker(function(socket)
      rt.track(socket, "ann", {})
      rt.track(socket, "also ann", {})
    end)
    rt.tracker:drop(pid, "crashed")
    rt.tracker:lose(pid, "crashed")
    rt.tracker:drop(pid, "crashed")
    rt.loop:advance(10)
    assert_tracker_lives()
  end)

  it("leaves a presence alone that was untracked while it waited for a connection", function()
    local socket
    local pid = spawn_tracker(function(own)
      socket = own
      rt.track(own, "ann", {})
      rt.process.receive()
    end)
    rt.process.exit(pid, "crashed")
    assert.equal(2, rt.count "room:1")
    assert.equal(1, rt.untrack(socket, "ann"))
    assert.equal(0, rt.untrack(socket, "ann"))
    -- And whoever comes under the key comes anew, in nobody's place.
    local next_socket = { topic = "room:1", pid = 9 }
    assert.is_string(rt.track(next_socket, "ann", {}))
    rt.untrack(next_socket)
    rt.loop:advance(10)
    assert_tracker_lives()
  end)
end)
