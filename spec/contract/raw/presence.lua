--- Presence as clients see it: states, diffs, refs.

local busted = require "busted"
local assert = require "luassert"
local presences = require "spec.contract.raw.presences"
local raw = require "spec.contract.raw.client"
local describe, it, before_each = busted.describe, busted.it, busted.before_each

local counts, meta_of, expect_diff = presences.counts, presences.meta_of, presences.expect_diff

return function(platform)
  local stage, watcher, ann = presences.stage(platform), nil, nil
  local watch = stage.watch

  before_each(function() watcher, ann = stage.watcher, stage.ann end)

  describe("a joiner", function()
    it("gets the reply, then presence_state with itself in it, and no diff of itself", function()
      local state = ann:enter("room:1", '"1"', '{"key":"ann","meta":{"device":"phone"}}')
      assert.same({ ann = 1 }, counts(state))
      local meta = meta_of(state, "ann")
      assert.equal("phone", meta.device)
      assert.is_string(meta.phx_ref)
      assert.is_nil(meta.phx_ref_prev)
      stage.server.wait(0.15)
      ann:expect_nothing()
    end)

    it("gets presence_state as a push: its join_ref, and a null ref", function()
      ann:join("room:1", '"1"', '{"key":"ann"}')
      local text = ann:next()
      assert.matches('^%["1",null,"room:1","presence_state",'
        .. '{"ann":{"metas":%[{"phx_ref":"[^"]+"}%]}}%]$', text)
    end)

    it("gets an empty state where nobody is", function()
      ann:join("room:1", '"1"')
      ann:expect('"1"', nil, "room:1", "presence_state", "{}")
    end)

    it("finds itself in the state when it was tracked in join", function()
      assert.same({ ann = 1 }, counts(ann:enter("held:1", '"1"', '{"key":"ann"}')))
      stage.server.wait(0.15)
      ann:expect_nothing()
    end)

    it("finds itself in the state when it was tracked in after_join", function()
      ann:join("late:1", '"1"', '{"key":"ann"}')
      ann:expect('"1"', nil, "late:1", "welcome", "{}")
      assert.same({ ann = 1 }, counts(ann:expect_event("presence_state")))
      stage.server.wait(0.15)
      ann:expect_nothing()
    end)

    it("whose after_join waits is told nothing before its state, which holds what came meanwhile",
      function()
        ann:join("late:1", '"1"', '{"key":"ann","after_s":0.3}')
        ann:expect('"1"', nil, "late:1", "welcome", "{}")
        local bob = stage.open()
        bob:join("late:1", '"1"', '{"key":"bob"}')
        stage.server.wait(0.1)
        ann:expect_nothing()
        assert.same({ ann = 1, bob = 1 }, counts(ann:expect_event("presence_state")))
        bob:vanish()
        expect_diff(ann, {}, { bob = 1 })
      end)

    it("that is rejected never shows", function()
      watch "held:1"
      ann:send('"1"', '"1"', "held:1", "phx_join", '{"key":"ann","reject":"no"}')
      ann:expect('"1"', '"1"', "held:1", "phx_reply", raw.error '{"reason":"no"}')
      stage.server.wait(0.15)
      watcher:expect_nothing()
    end)

    it("whose join crashes never shows", function()
      watch "held:1"
      ann:send('"1"', '"1"', "held:1", "phx_join", '{"key":"ann","raise":true}')
      ann:expect('"1"', '"1"', "held:1", "phx_reply", raw.error '{"reason":"join crashed"}')
      stage.server.wait(0.15)
      watcher:expect_nothing()
    end)

    it("is told of those who come after it, and of them only", function()
      ann:enter("room:1", '"1"', '{"key":"ann"}')
      local bob = stage.open()
      assert.same({ ann = 1, bob = 1 }, counts(bob:enter("room:1", '"1"', '{"key":"bob"}')))
      expect_diff(ann, { bob = 1 }, {})
      stage.server.wait(0.15)
      ann:expect_nothing()
      bob:expect_nothing()
    end)
  end)

  describe("a diff", function()
    it("is a broadcast that holds exactly the joined meta", function()
      watch()
      local state = ann:enter("room:1", '"1"', '{"key":"ann","meta_json":"{\\"a\\": 1}"}')
      local ref = meta_of(state, "ann").phx_ref
      watcher:expect(nil, nil, "room:1", "presence_diff",
        '{"joins":{"ann":{"metas":[{"a": 1,"phx_ref":"' .. ref .. '"}]}},"leaves":{}}')
    end)

    it("of a leave holds exactly the meta that left", function()
      watch()
      local state = ann:enter("room:1", '"1"', '{"key":"ann"}')
      watcher:expect_event("presence_diff")
      ann:send('"1"', '"2"', "room:1", "phx_leave")
      watcher:expect(nil, nil, "room:1", "presence_diff", '{"joins":{},"leaves":{"ann":{"metas":'
        .. '[{"phx_ref":"' .. meta_of(state, "ann").phx_ref .. '"}]}}}')
    end)

    it("goes to nobody after its phx_close", function()
      ann:enter("room:1", '"1"', '{"key":"ann"}')
      watch()
      ann:send('"1"', '"2"', "room:1", "phx_leave")
      ann:expect('"1"', '"2"', "room:1", "phx_reply", raw.ok())
      ann:expect('"1"', '"1"', "room:1", "phx_close", "{}")
      expect_diff(watcher, {}, { ann = 1 })
      ann:expect_nothing()
    end)

    it("goes to a channel that untracks and stays", function()
      ann:enter("room:1", '"1"', '{"key":"ann"}')
      ann:push('"1"', '"2"', "room:1", "untrack", '{"key":"ann"}')
      expect_diff(ann, {}, { ann = 1 })
      ann:push('"1"', '"3"', "room:1", "untrack", '{"key":"ann"}') -- always fine
      stage.server.wait(0.15)
      ann:expect_nothing()
    end)

    it("stays on its topic", function()
      watch "room:other"
      ann:enter("room:1", '"1"', '{"key":"ann"}')
      stage.server.wait(0.15)
      watcher:expect_nothing()
    end)

    it("joins what happens within one flush", function()
      watch()
      ann:enter("room:1", '"1"')
      ann:push('"1"', '"2"', "room:1", "track_many", '{"prefix":"k","count":20}')
      local diff = watcher:expect_event("presence_diff")
      local keys = 0
      for _ in pairs(diff.joins) do keys = keys + 1 end
      assert.equal(20, keys)
      assert.same({}, diff.leaves)
    end)

    it("holds nothing that came and went within one flush", function()
      watch()
      ann:enter("room:1", '"1"')
      ann:push('"1"', '"2"', "room:1", "come_and_go", '{"key":"ann"}')
      stage.server.wait(0.15)
      watcher:expect_nothing()
      ann:push('"1"', '"3"', "room:1", "track", '{"key":"ann","meta":{}}')
      expect_diff(watcher, { ann = 1 }, {})
    end)
  end)

  describe("a storm of joins", function()
    it("ends with exact mirrors, in far fewer frames than joins", function()
      watch()
      local joiners, refs = {}, {}
      for i = 1, 30 do
        joiners[i] = stage.open()
      end
      for i = 1, 30 do
        joiners[i]:send('"1"', '"1"', "room:1", "phx_join", ('{"key":"k%d"}'):format(i))
      end
      local known, frames = 0, 0
      while known < 30 do
        local diff = watcher:expect_event("presence_diff")
        frames = frames + 1
        assert.same({}, diff.leaves)
        for key, entry in pairs(diff.joins) do
          assert.is_nil(refs[key])
          refs[key], known = entry.metas[1].phx_ref, known + 1
        end
      end
      assert.is_true(frames <= 10, frames .. " frames")
      local late = stage.open()
      local state = late:enter("room:1", '"1"')
      for key, ref in pairs(refs) do
        assert.equal(ref, meta_of(state, key).phx_ref)
      end
    end)
  end)

  describe("an update", function()
    it("is one frame: the new meta in joins, the old one in leaves", function()
      watch()
      local old = meta_of(ann:enter("room:1", '"1"', '{"key":"ann","meta":{"v":1}}'), "ann")
      watcher:expect_event("presence_diff")
      ann:push('"1"', '"2"', "room:1", "update", '{"key":"ann","meta":{"v":2}}')
      local diff = expect_diff(watcher, { ann = 1 }, { ann = 1 })
      local joined, left = meta_of(diff.joins, "ann"), meta_of(diff.leaves, "ann")
      assert.same({ v = 1, phx_ref = old.phx_ref }, left)
      assert.same({ v = 2, phx_ref = joined.phx_ref, phx_ref_prev = old.phx_ref }, joined)
      assert.not_equal(old.phx_ref, joined.phx_ref)
      expect_diff(ann, { ann = 1 }, { ann = 1 })
    end)

    it("to the same meta is none", function()
      watch()
      ann:enter("room:1", '"1"', '{"key":"ann","meta":{"v":1}}')
      watcher:expect_event("presence_diff")
      ann:push('"1"', '"2"', "room:1", "update", '{"key":"ann","meta":{"v":1}}')
      stage.server.wait(0.15)
      watcher:expect_nothing()
    end)

    it("A → B → A within one flush leaves no dead ref behind", function()
      watch()
      local old = meta_of(ann:enter("room:1", '"1"', '{"key":"ann","meta":{"v":1}}'), "ann")
      watcher:expect_event("presence_diff")
      ann:push('"1"', '"2"', "room:1", "update_all", '{"key":"ann","metas":[{"v":2},{"v":1}]}')
      local diff = expect_diff(watcher, { ann = 1 }, { ann = 1 })
      local joined, left = meta_of(diff.joins, "ann"), meta_of(diff.leaves, "ann")
      assert.equal(old.phx_ref, left.phx_ref)
      assert.not_equal(old.phx_ref, joined.phx_ref)
      assert.equal(1, joined.v)
      local late = stage.open()
      assert.equal(joined.phx_ref, meta_of(late:enter("room:1", '"1"'), "ann").phx_ref)
    end)

    it("keeps its place: oldest tracked first", function()
      ann:enter("room:1", '"1"', '{"key":"ann","meta":{"n":1}}')
      local second = stage.open()
      second:enter("room:1", '"1"', '{"key":"ann","meta":{"n":2}}')
      expect_diff(ann, { ann = 1 }, {})
      ann:push('"1"', '"2"', "room:1", "update", '{"key":"ann","meta":{"n":10}}')
      local metas = watch().ann.metas
      assert.same({ 10, 2 }, { metas[1].n, metas[2].n })
    end)

    it("of what is not tracked, and a track of what is, are refused", function()
      ann:enter("room:1", '"1"', '{"key":"ann"}')
      ann:send('"1"', '"2"', "room:1", "track", '{"key":"ann","meta":{}}')
      ann:expect('"1"', '"2"', "room:1", "phx_reply", raw.error '{"reason":"already_tracked"}')
      ann:send('"1"', '"3"', "room:1", "update", '{"key":"bob","meta":{}}')
      ann:expect('"1"', '"3"', "room:1", "phx_reply", raw.error '{"reason":"nopresence"}')
      stage.server.wait(0.15)
      ann:expect_nothing()
    end)
  end)

  describe("several connections", function()
    it("of one key are several metas, and each takes only its own along", function()
      watch()
      local phone, laptop = ann, stage.open()
      phone:enter("room:1", '"1"', '{"key":"ann","meta":{"device":"phone"}}')
      expect_diff(watcher, { ann = 1 }, {})
      assert.same({ ann = 2 }, counts(laptop:enter("room:1", '"1"',
        '{"key":"ann","meta":{"device":"laptop"}}')))
      expect_diff(watcher, { ann = 1 }, {})
      phone:vanish()
      local diff = expect_diff(watcher, {}, { ann = 1 })
      assert.equal("phone", meta_of(diff.leaves, "ann").device)
      local late = stage.open()
      assert.equal("laptop", meta_of(late:enter("room:1", '"1"'), "ann").device)
    end)

    it("the keys of one process leave in one frame", function()
      watch()
      ann:enter("room:1", '"1"')
      ann:push('"1"', '"2"', "room:1", "track_many", '{"prefix":"k","count":3}')
      expect_diff(watcher, { k1 = 1, k2 = 1, k3 = 1 }, {})
      ann:vanish()
      expect_diff(watcher, {}, { k1 = 1, k2 = 1, k3 = 1 })
    end)

    it("a second join of one socket is a new meta, the old one leaves in the same frame", function()
      watch()
      local old = meta_of(ann:enter("room:1", '"1"', '{"key":"ann"}'), "ann").phx_ref
      expect_diff(watcher, { ann = 1 }, {})
      ann:send('"2"', '"2"', "room:1", "phx_join", '{"key":"ann"}')
      ann:expect('"2"', '"2"', "room:1", "phx_reply", raw.ok())
      ann:expect('"1"', '"1"', "room:1", "phx_close", "{}")
      local new = meta_of(ann:expect_event("presence_state"), "ann").phx_ref
      assert.not_equal(old, new)
      local diff = expect_diff(watcher, { ann = 1 }, { ann = 1 })
      assert.equal(new, meta_of(diff.joins, "ann").phx_ref)
      assert.equal(old, meta_of(diff.leaves, "ann").phx_ref)
    end)
  end)

  describe("every end takes presences along:", function()
    local function enter()
      watch()
      ann:enter("room:1", '"1"', '{"key":"ann"}')
      expect_diff(watcher, { ann = 1 }, {})
    end

    it("a close frame", function()
      enter()
      ann:bytes(raw.frame(raw.close, "\3\233"))
      expect_diff(watcher, {}, { ann = 1 })
    end)

    it("a broken frame", function()
      enter()
      ann:bytes "\129\0"
      expect_diff(watcher, {}, { ann = 1 })
    end)

    it("a malformed message", function()
      enter()
      ann:text "oops"
      expect_diff(watcher, {}, { ann = 1 })
    end)

    it("a crash of the channel", function()
      enter()
      ann:send('"1"', '"2"', "room:1", "raise")
      expect_diff(watcher, {}, { ann = 1 })
      ann:expect('"1"', '"1"', "room:1", "phx_error", '{"reason":"channel_crash"}')
      ann:expect_nothing()
    end)

    it("a stop of the channel", function()
      enter()
      ann:send('"1"', '"2"', "room:1", "stop")
      expect_diff(watcher, {}, { ann = 1 })
    end)
  end)
end
