-- bigbluebutton#8759, and what centrifuge's regression tests guard: the connection dropped between
-- the authorization and the join; the join went on, or was rolled back, and left a presence of
-- somebody who was never there.
local presence = require "presence"
local testing = require "presence.testing"
require "presence.testing.assertions"

describe("a connection that drops while its join is decided", function()
  local t, answer, waiting, went_on

  -- `join` tracks, then asks somebody who takes a time: not by `receive`, which would end with the
  -- socket, but as a cosocket does.
  local function start(callbacks)
    waiting, answer, went_on = {}, true, 0
    local function ask()
      local signal = t.loop:signal()
      waiting[#waiting + 1] = signal
      signal:wait()
      went_on = went_on + 1
    end
    t = testing.new(presence.endpoint {
      channels = { ["room:*"] = presence.channel(callbacks(ask)) },
    })
  end

  local function let_go_on()
    for _, signal in ipairs(waiting) do signal:post() end
    t:advance(1)
  end

  local function watcher_of_room()
    local watcher = t:client()
    watcher:join("room:1", { watches = true })
    t:advance(1)
    watcher.inbox = {}
    return watcher
  end

  local function assert_nobody_came(watcher)
    assert.equal(1, went_on)
    assert.equal(0, t.runtime.count "room:1")
    assert.same({}, t.runtime.where "ann")
    assert.same({}, watcher.inbox)
    t:finish()
  end

  local function while_join_waits(ask)
    return {
      join = function(socket, _, params)
        if params.watches then return true end
        socket:track("ann", {})
        ask()
        socket:track("also ann", {})
        if not answer then return nil, "no" end
        return true
      end,
    }
  end

  it("leaves no presence when the join is accepted afterwards", function()
    start(while_join_waits)
    local watcher, ann = watcher_of_room(), t:client()
    ann:join("room:1", {})
    ann:close()
    let_go_on()
    assert_nobody_came(watcher)
  end)

  it("leaves none when it is rejected afterwards, nor while it was decided", function()
    start(while_join_waits)
    local watcher, ann = watcher_of_room(), t:client()
    ann:join("room:1", {})
    assert.equal(0, t.runtime.count "room:1")
    answer = false
    ann:close()
    let_go_on()
    assert_nobody_came(watcher)
  end)

  it("leaves none of a join that is rejected while the connection lives", function()
    start(while_join_waits)
    local watcher, ann = watcher_of_room(), t:client()
    ann:join("room:1", {})
    answer = false
    let_go_on()
    assert_nobody_came(watcher)
  end)

  it("leaves none when track or after_join waited", function()
    for _, where in ipairs { "track", "after_join" } do
      start(function(ask)
        return {
          [where] = function(socket, params)
            if params.watches then return nil end
            ask()
            socket:track("also ann", {})
            return "ann", {}
          end,
        }
      end)
      local watcher, ann = watcher_of_room(), t:client()
      ann:join("room:1", {})
      ann:close()
      let_go_on()
      assert_nobody_came(watcher)
    end
  end)
end)
