-- Rocket.Chat#11293, laravel-websockets#362, soketi#19: after some fast reloads, or when the second
-- of two tabs was closed first, a user stayed online for ever, or was offline while a tab was open.
local presence = require "presence"
local testing = require "presence.testing"
require "presence.testing.assertions"

for _, leave_after in ipairs { 0, 5 } do
  describe("one user's pages, leave_after " .. leave_after, function()
    local t, watcher, calls

    before_each(function()
      calls = { first = 0, last = 0 }
      t = testing.new(presence.endpoint {
        channels = {
          ["room:*"] = presence.channel {
            track = function(_, params) return params.key, {} end,
          },
        },
      }, {
        leave_after = leave_after,
        on_join = function(event)
          calls.first = calls.first + (event.key == "ann" and event.first and 1 or 0)
        end,
        on_leave = function(event)
          calls.last = calls.last + (event.key == "ann" and event.last and 1 or 0)
        end,
      })
      watcher = t:client()
      watcher:join("room:1", { key = "watcher" })
    end)

    local function open_page()
      local c = t:client()
      assert.replied(c:join("room:1", { key = "ann" }), "ok")
      return c
    end

    local function assert_pages(n)
      watcher.protocol:heartbeat()
      t:advance(leave_after + 1)
      assert.same({ ann = n }, t.runtime.online("room:1", { "ann" }))
      assert.equal(n > 0 and 2 or 1, t.runtime.count "room:1")
      local entry = watcher:presences("room:1").ann
      assert.equal(n, entry and #entry.metas or 0)
      -- A stay has one beginning, and an end when it is over.
      assert.equal(calls.first, calls.last + (n > 0 and 1 or 0))
    end

    it("reloaded ten times within a second are one page", function()
      local page = open_page()
      for _ = 1, 10 do
        page:close()
        page = open_page()
        t:advance(0.02)
      end
      assert_pages(1)
      page:close()
      assert_pages(0)
      t:finish()
    end)

    it("reloaded ten times, the new one each time there before the old one ends", function()
      local page = open_page()
      for _ = 1, 10 do
        local next_page = open_page()
        t:advance(0.02)
        page:close()
        page = next_page
      end
      assert_pages(1)
      page:close()
      assert_pages(0)
      t:finish()
    end)

    it("closed in any order leave the user online until the last", function()
      for _, order in ipairs { { 2, 1 }, { 1, 2 }, { 3, 1, 2 }, { 2, 3, 1 } } do
        local pages = {}
        for i = 1, #order do pages[i] = open_page() end
        for closed, i in ipairs(order) do
          assert_pages(#order - closed + 1)
          pages[i]:close()
        end
        assert_pages(0)
      end
      t:finish()
    end)

    it("opened and closed within one turn leave nothing", function()
      for _ = 1, 10 do
        local c = t:client()
        c.protocol:join("room:1", { key = "ann" })
        c.connection:closed(1001)
      end
      assert_pages(0)
      t:finish()
    end)
  end)
end
