-- emqx#7569, MQTTnet#373, aedes#8: a client came back over a new connection before the server saw
-- the end of the old one; when it did, the old one's clean-up took away what the new one had put
-- there, and who was connected was shown as gone.
local presence = require "presence"
local testing = require "presence.testing"
require "presence.testing.assertions"

for _, leave_after in ipairs { 0, 5 } do
  describe("the end of an old connection, leave_after " .. leave_after, function()
    local t, watcher

    before_each(function()
      t = testing.new(presence.endpoint {
        id = function(assigns) return assigns.id end,
        connect = function(params) return { id = params.id } end,
        channels = {
          ["room:*"] = presence.channel {
            track = function(_, params) return params.key, { n = params.n } end,
          },
        },
      }, { leave_after = leave_after })
      watcher = t:client()
      watcher:join("room:1", { key = "watcher" })
    end)

    local function joined(n)
      local c = t:client { id = "socket " .. n }
      assert.replied(c:join("room:1", { key = "ann", n = n }), "ok")
      t:advance(0.1)
      return c
    end

    local function assert_only(n)
      t:advance(10)
      assert.present(watcher, "room:1", "ann", 1)
      assert.equal(n, watcher:presences("room:1").ann.metas[1].n)
      assert.same({ ann = 1, watcher = 1 }, t.runtime.online("room:1", { "ann", "watcher" }))
      assert.same({ "room:1" }, t.runtime.where "ann")
      t:finish()
      assert.same({}, t.runtime.where "ann")
    end

    it("takes its own presence only, when it comes after the new join", function()
      local old = joined(1)
      joined(2)
      assert.present(watcher, "room:1", "ann", 2)
      old:close()
      assert_only(2)
    end)

    it("does so when the old one is closed by the server", function()
      local old = joined(1)
      joined(2)
      t.endpoint.endpoint:disconnect "socket 1"
      t:advance(0)
      assert.equal(1001, old.closed)
      assert_only(2)
    end)

    it("does so in the same turn as the new join, and twice", function()
      local old = joined(1)
      local new = t:client()
      new.protocol:join("room:1", { key = "ann", n = 2 })
      old.connection:closed(1006)
      old.connection:closed(1006)
      assert_only(2)
    end)

    it("does so when it takes the presence over, and its owner untracks too late", function()
      local old = joined(1)
      local socket = { topic = "room:1", pid = 7 }
      t.runtime.track(socket, "ann", { n = 7 })
      old:close()
      joined(2)
      assert.equal(1, t.runtime.untrack(socket, "ann"))
      assert_only(2)
    end)
  end)
end
