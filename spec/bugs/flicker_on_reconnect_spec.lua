-- klangk#246, phoenix_pubsub#182: a connection that broke for a moment was told as a leave and a
-- join, and everybody saw the user go and come.
local presence = require "presence"
local testing = require "presence.testing"

describe("a short reconnect", function()
  local t, calls, watcher

  before_each(function()
    calls = {}
    local function note(name)
      return function(event) calls[#calls + 1] = name .. " " .. event.key end
    end
    t = testing.new(presence.endpoint {
      channels = {
        ["room:*"] = presence.channel {
          leave_after = 5,
          track = function(_, params) return params.key, {} end,
        },
      },
    }, { on_join = note "join", on_leave = note "leave", on_update = note "update" })
    watcher = t:client()
    watcher:join("room:1", { key = "watcher" })
    t:advance(1)
  end)

  local function joined()
    local c = t:client()
    c:join("room:1", { key = "ann" })
    t:advance(1)
    return c
  end

  -- What a page would show: every change of ann's being there, after each message.
  local function watch_ann()
    local seen, apply = {}, watcher.protocol.receive
    watcher.protocol.receive = function(protocol, text)
      local message = apply(protocol, text)
      local entry = protocol:presences("room:1").ann
      seen[#seen + 1] = entry and #entry.metas or 0
      return message
    end
    return seen
  end

  it("is no leave and no join, ten times over", function()
    local ann = joined()
    calls = {}
    local seen = watch_ann()
    for _ = 1, 10 do
      ann:close()
      t:advance(0.5)
      ann = joined()
    end
    t:advance(10)
    assert.equal(10, #seen)
    for _, connections in ipairs(seen) do assert.equal(1, connections) end
    for _, call in ipairs(calls) do assert.equal("update ann", call) end
    assert.equal(10, #calls)
    t:finish()
  end)

  it("that comes too late is both, once", function()
    local ann = joined()
    calls = {}
    ann:close()
    t:advance(6)
    assert.same({ "leave ann" }, calls)
    joined()
    assert.same({ "leave ann", "join ann" }, calls)
    t:advance(10)
    assert.equal(2, t.runtime.count "room:1")
    t:finish()
  end)

  it("makes no leave out of a user who breaks off again after coming back", function()
    joined():close()
    t:advance(4)
    joined():close() -- its own five seconds begin here
    t:advance(3)
    assert.equal(2, t.runtime.count "room:1")
    t:advance(3)
    assert.equal(1, t.runtime.count "room:1")
    t:finish()
  end)
end)
