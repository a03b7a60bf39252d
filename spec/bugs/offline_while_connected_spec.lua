-- deepstream#729, Ably error 91007: somebody who was connected all the time was declared gone.
local core = require "presence.core"
local presence = require "presence"
local testing = require "presence.testing"
require "presence.testing.assertions"

describe("who is connected", function()
  local t, watcher

  before_each(function()
    t = testing.new(presence.endpoint {
      channels = {
        ["room:*"] = presence.channel {
          track = function(_, params) return params.key, {} end,
        },
      },
    }, { leave_after = 5 })
    watcher = t:client()
    watcher:join("room:1", { key = "watcher" })
  end)

  -- Half an hour in which everybody gives a sign of life now and then.
  local function half_an_hour(sign_of_life)
    for _ = 1, 36 do
      t:advance(50)
      sign_of_life()
      watcher.protocol:heartbeat()
    end
  end

  it("stays present by heartbeats alone", function()
    local ann = t:client()
    ann:join("room:1", { key = "ann" })
    half_an_hour(function() ann.protocol:heartbeat() end)
    assert.is_false(ann.closed)
    assert.present(watcher, "room:1", "ann", 1)
    assert.present(ann, "room:1", "watcher", 1)
    t:finish()
  end)

  it("stays present by pings of the transport alone, with either framing", function()
    local ann = t:client()
    ann:join("room:1", { key = "ann" })
    local closed = false
    local raw = t.endpoint:connect({ query = { vsn = "2.0.0" }, headers = {} }, {
      send = function() end,
      close = function() closed = true end,
    })
    raw:feed(core.client_frame(1, '["1","1","room:1","phx_join",{"key":"bob"}]', "\1\2\3\4"))
    t:advance(1)
    half_an_hour(function()
      ann.connection:alive()
      raw:feed(core.client_frame(9, "", "\1\2\3\4"))
    end)
    assert.is_false(ann.closed)
    assert.is_false(closed)
    assert.present(watcher, "room:1", "ann", 1)
    assert.present(watcher, "room:1", "bob", 1)
    raw:closed(1006)
    t:finish()
  end)

  it("stays present while a message comes in byte by byte", function()
    local closed = false
    local raw = t.endpoint:connect({ query = { vsn = "2.0.0" }, headers = {} }, {
      send = function() end,
      close = function() closed = true end,
    })
    local join = core.client_frame(1, '["1","1","room:1","phx_join",{"key":"bob"}]', "\1\2\3\4")
    local at = 0
    half_an_hour(function()
      at = at + 1
      raw:feed(join:sub(at, at))
    end)
    raw:feed(join:sub(at + 1))
    t:advance(1)
    assert.is_false(closed)
    assert.present(watcher, "room:1", "bob", 1)
    raw:closed(1006)
    t:finish()
  end)

  it("stays present when another of the same key times out, and its time is over", function()
    local ann, silent = t:client(), t:client()
    ann:join("room:1", { key = "ann" })
    silent:join("room:1", { key = "ann" })
    half_an_hour(function() ann.protocol:heartbeat() end)
    assert.equal(1001, silent.closed)
    assert.is_false(ann.closed)
    assert.present(watcher, "room:1", "ann", 1)
    assert.same({ ann = 1 }, t.runtime.online("room:1", { "ann" }))
    t:finish()
  end)
end)
