-- supabase/realtime#1167, supabase/realtime#1030: an update was told as a leave and a join, in two
-- messages; users saw each other go and come with every change of their status.
local presence = require "presence"
local testing = require "presence.testing"

describe("an update", function()
  it("is one diff, in which the key never goes, and no join and no leave to callbacks", function()
    local calls = {}
    local opts = {}
    for _, name in ipairs { "on_join", "on_leave", "on_update" } do
      opts[name] = function(event)
        calls[#calls + 1] = name .. " " .. event.key .. " " .. (event.old_meta or "")
          .. event.meta
      end
    end
    local Room = presence.channel {
      track = function(_, params) return params.key, { n = 0 } end,
    }
    function Room.handle_in.set(socket, payload)
      return "ok", { ref = socket:update(socket.params.key, payload) }
    end
    local t = testing.new(presence.endpoint { channels = { ["room:*"] = Room } }, opts)
    local watcher, ann = t:client(), t:client()
    watcher:join("room:1", { key = "watcher" })
    ann:join("room:1", { key = "ann" })
    t:advance(1)
    calls, watcher.inbox, ann.inbox = {}, {}, {}

    local ref = ann:push("set", { n = 1 }).response.ref
    t:advance(1)
    for _, c in ipairs { watcher, ann } do
      assert.equal(1, #c.inbox)
      local diff = c:expect "presence_diff"
      assert.equal(1, diff.joins.ann.metas[1].n)
      assert.equal(0, diff.leaves.ann.metas[1].n)
      assert.equal(1, #c:presences("room:1").ann.metas)
    end
    assert.same({ 'on_update ann {"n":0}{"n":1}' }, calls)

    -- The same bytes once more: nobody hears of it.
    assert.equal(ref, ann:push("set", { n = 1 }).response.ref)
    t:advance(1)
    assert.equal(0, #watcher.inbox)
    assert.equal(1, #calls)
    t:finish()
  end)
end)
