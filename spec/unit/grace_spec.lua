-- leave_after: a connection that is lost may come back before its leave is announced.
local grace = require "presence.grace"
local manual_loop = require "presence.manual.loop"
local presence = require "presence"
local testing = require "presence.testing"
require "presence.testing.assertions"

describe("leave_after", function()
  local t, events

  local function start(channel_opts, runtime_opts)
    events = {}
    local callbacks = {
      track = function(_, params)
        return params.key, { device = params.device }
      end,
    }
    for name, value in pairs(channel_opts or {}) do
      callbacks[name] = value
    end
    local Room = presence.channel(callbacks)
    function Room.handle_in.boom()
      error "boom"
    end
    function Room.handle_in.hide(socket)
      socket:untrack()
      return "ok"
    end
    function Room.handle_in.stop()
      return "stop", "enough"
    end
    local opts = {}
    for name, value in pairs(runtime_opts or { leave_after = 5 }) do
      opts[name] = value
    end
    for _, name in ipairs { "on_join", "on_leave", "on_update" } do
      opts[name] = function(event)
        events[#events + 1] = name .. " " .. event.key .. (event.first and " first" or "")
          .. (event.last and " last" or "") .. (event.reason and " " .. event.reason or "")
      end
    end
    t = testing.new(presence.endpoint {
      connect = function(params)
        return params
      end,
      id = function(assigns)
        return assigns.name
      end,
      channels = { ["room:*"] = Room },
    }, opts)
  end

  local function joined(key, device, name)
    local c = t:client { name = name }
    assert.replied(c:join("room:1", { key = key, device = device }), "ok")
    t:advance(0.1)
    return c
  end

  local function diffs(c)
    local seen = {}
    for _, message in ipairs(c.inbox) do
      if message.event == "presence_diff" then
        seen[#seen + 1] = message.payload
      end
    end
    c.inbox = {}
    return seen
  end

  it("makes a page reload one update and no leave", function()
    start()
    local watcher = joined("watcher", "w")
    local ann = joined("ann", "phone")
    local first_ref = watcher:presences("room:1").ann.metas[1].phx_ref
    diffs(watcher)
    events = {}

    ann:close()
    t:advance(0.3)
    assert.same({}, diffs(watcher))
    assert.equal(2, t.runtime.count "room:1")
    local again = joined("ann", "phone")
    t:advance(10)

    local seen = diffs(watcher)
    assert.equal(1, #seen)
    assert.equal(first_ref, seen[1].joins.ann.metas[1].phx_ref_prev)
    assert.equal(first_ref, seen[1].leaves.ann.metas[1].phx_ref)
    assert.present(watcher, "room:1", "ann", 1)
    assert.same(watcher:presences("room:1").ann, again:presences("room:1").ann)
    assert.same({ "on_update ann" }, events)
    t:finish()
  end)

  it("announces the leave when the time is over, on_leave and last with it", function()
    start()
    local watcher = joined("watcher", "w")
    joined("ann", "phone"):close()
    t:advance(4.8)
    assert.present(watcher, "room:1", "ann")
    assert.same({ "on_join watcher first", "on_join ann first" }, events)
    t:advance(0.3)
    assert.not_present(watcher, "room:1", "ann")
    assert.equal("on_leave ann last closed", events[3])
    assert.same({}, t.runtime.where "ann")
    t:finish()
  end)

  it("shows the lost in every question while it lasts", function()
    start()
    joined("ann", "phone"):close()
    assert.equal(1, t.runtime.count "room:1")
    assert.same({ { "ann", '{"device":"phone"}' } }, t.runtime.list "room:1")
    assert.same({ ann = 1 }, t.runtime.online("room:1", { "ann" }))
    assert.is_true(t.runtime.snapshot():has("room:1", "ann"))
    local late = joined("bob", "b")
    assert.present(late, "room:1", "ann", 1)
    t:finish()
  end)

  it("pairs the first who comes with the first who was lost; the rest leave", function()
    start()
    local watcher = joined("watcher", "w")
    local phone, laptop = joined("ann", "phone"), joined("ann", "laptop")
    phone:close()
    t:advance(0.5)
    laptop:close()
    joined("ann", "tablet")
    local devices = {}
    for _, meta in ipairs(watcher:presences("room:1").ann.metas) do
      devices[meta.device] = true
    end
    assert.same({ laptop = true, tablet = true }, devices)
    t:advance(6)
    assert.present(watcher, "room:1", "ann", 1)
    assert.equal("tablet", watcher:presences("room:1").ann.metas[1].device)
    t:finish()
  end)

  it("does not hold who left cleanly", function()
    start()
    local watcher = joined("watcher", "w")
    local left, hidden, stopped = joined("a", "1"), joined("b", "2"), joined("c", "3")
    local disconnected = joined("d", "4", "dee")
    left:leave()
    hidden:push("hide", {})
    stopped:push("stop", {})
    t.endpoint.endpoint:disconnect "dee"
    t:advance(0.1)
    assert.equal(1001, disconnected.closed)
    for _, key in ipairs { "a", "b", "c", "d" } do
      assert.not_present(watcher, "room:1", key)
    end
    t:finish()
  end)

  it("holds who crashed, timed out or was drained", function()
    start()
    local crashed = joined("a", "1")
    joined("b", "2")
    crashed:push("boom", {})
    t.endpoint:drain()
    t:advance(1)
    assert.equal(2, t.runtime.count "room:1")
    t:advance(5)
    assert.equal(0, t.runtime.count "room:1")
    assert.same({ "on_leave a last crashed", "on_leave b last closed" }, { events[3], events[4] })
  end)

  it("lets the ended socket's own untrack through", function()
    start {
      terminate = function(socket)
        socket:untrack()
      end,
    }
    joined("ann", "1"):close()
    assert.equal(0, t.runtime.count "room:1")
    t:finish()
  end)

  it("is a channel's own where it says so, and a track's before that", function()
    start({ leave_after = 1 }, { leave_after = 0 })
    joined("ann", "1"):close()
    t:advance(0.5)
    assert.equal(1, t.runtime.count "room:1")
    t:advance(1)
    assert.equal(0, t.runtime.count "room:1")

    local pid = t.runtime.process.spawn(function()
      t.runtime.process.receive()
      error "boom"
    end)
    t.runtime.track({ topic = "other", pid = pid }, "bob", "{}", { leave_after = 2 })
    t.runtime.process.send(pid, "go")
    t:advance(1.9)
    assert.equal(1, t.runtime.count "other")
    t:advance(0.2)
    assert.equal(0, t.runtime.count "other")
  end)

  it("comes back into a join that tracks in join", function()
    start {
      join = function(socket, _, params)
        socket:track("also:" .. params.key, { device = params.device })
        return true
      end,
    }
    local watcher = joined("watcher", "w")
    joined("ann", "1"):close()
    t:advance(1)
    joined("ann", "2")
    assert.present(watcher, "room:1", "also:ann", 1)
    assert.equal("2", watcher:presences("room:1")["also:ann"].metas[1].device)
    t:advance(10)
    assert.present(watcher, "room:1", "also:ann", 1)
    t:finish()
  end)

  it("must be a number of seconds", function()
    start()
    for _, wrong in ipairs { "5", -1, 0 / 0 } do
      assert.error_matches(function()
        t.runtime.track({ topic = "t", pid = 1 }, "k", "{}", { leave_after = wrong })
      end, "leave_after must be a number of seconds")
    end
    assert.error_matches(function()
      presence.channel { leave_after = "5" }
    end, "leave_after must be a number")
  end)
end)

describe("grace", function()
  local loop, held, expired

  before_each(function()
    loop, expired = manual_loop.new(), {}
    held = grace.new(loop)
  end)

  local function hold(topic, key, pid, seconds)
    held:hold(topic, key, pid, seconds or 5, function() expired[#expired + 1] = pid end)
  end

  it("forgets what expired, before it says so", function()
    hold("t", "ann", 1)
    local seen
    held:hold("t", "ann", 2, 5, function()
      seen = { held:first("t", "ann") or "nobody", held:drop("t", "ann", 2) }
    end)
    loop:advance(5)
    assert.same({ 1 }, expired)
    assert.same({ "nobody", false }, seen)
    assert.same({}, held.topics_)
  end)

  it("knows which was lost first", function()
    hold("t", "ann", 1)
    hold("t", "ann", 2)
    hold("t", "bob", 3)
    hold("u", "ann", 4)
    assert.equal(1, held:first("t", "ann"))
    assert.is_true(held:drop("t", "ann", 1))
    assert.equal(2, held:first("t", "ann"))
    assert.is_true(held:drop("t", "ann", 2))
    assert.is_nil(held:first("t", "ann"))
    assert.is_nil(held:first("t", "nobody"))
    assert.is_nil(held:first("v", "ann"))
    loop:advance(5)
    assert.same({ 3, 4 }, expired)
    assert.same({}, held.topics_)
    assert.equal(0, loop:pending())
  end)

  it("drops the one that is named, and says whether it was there", function()
    hold("t", "ann", 1)
    hold("t", "ann", 2)
    assert.is_true(held:drop("t", "ann", 2))
    assert.is_false(held:drop("t", "ann", 2))
    assert.equal(1, held:first("t", "ann"))
    loop:advance(5)
    assert.same({ 1 }, expired)
  end)

  it("lets the time of all be over in the order they were lost", function()
    local lost = {}
    for i = 1, 50 do
      hold("t" .. i % 7, "k" .. i % 5, i, 100 - i)
      lost[i] = i
    end
    held:expire_all()
    assert.same(lost, expired)
    assert.equal(0, loop:pending())
    assert.same({}, held.topics_)
    loop:advance(100)
    assert.same(lost, expired)
  end)
end)
