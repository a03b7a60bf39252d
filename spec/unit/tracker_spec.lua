local manual_loop = require "presence.manual.loop"
local runtime = require "presence.runtime"

describe("the tracker", function()
  local loop, rt, logged

  local function new(opts)
    loop, logged = manual_loop.new(), {}
    opts = opts or {}
    opts.loop = loop
    opts.log = function(level, message)
      logged[#logged + 1] = level .. ": " .. message
    end
    rt = runtime.new(opts)
  end

  before_each(function()
    new()
  end)

  local function socket(topic, pid)
    return { topic = topic or "room:1", pid = pid or 1 }
  end

  -- Every presence_diff a process on the topic receives from now on.
  local function diffs(topic)
    local seen = {}
    rt.process.spawn(function()
      rt.pubsub:subscribe(topic or "room:1")
      while true do
        seen[#seen + 1] = rt.json.decode(rt.process.receive().payload)
      end
    end)
    return seen
  end

  local function sorted(list)
    table.sort(list, function(a, b)
      return a[1] .. a[2] < b[1] .. b[2]
    end)
    return list
  end

  describe("track", function()
    it("shows in every question", function()
      local ref = rt.track(socket(), "ann", '{"device":"phone"}')
      assert.is_string(ref)
      assert.same({ { "ann", '{"device":"phone"}' } }, rt.list "room:1")
      assert.equal(1, rt.count "room:1")
      assert.equal('{"device":"phone"}', rt.get_by_key("room:1", "ann")[1].data)
      assert.same({ ann = 1, bob = 0 }, rt.online("room:1", { "ann", "bob" }))
      assert.same({ { topic = "room:1", count = 1 } }, rt.topics())
      assert.same({ "room:1" }, rt.where "ann")
      assert.is_true(rt.snapshot():has("room:1", "ann"))
    end)

    it("refuses the same topic, key and pid again", function()
      rt.track(socket(), "ann", "{}")
      local ref, word = rt.track(socket(), "ann", '{"other":1}')
      assert.is_nil(ref)
      assert.equal("already_tracked", word)
      assert.same({ { "ann", "{}" } }, rt.list "room:1")
    end)

    it("takes another device of the user, another key of the process", function()
      assert(rt.track(socket("room:1", 1), "ann", '{"d":1}'))
      assert(rt.track(socket("room:1", 2), "ann", '{"d":2}'))
      assert(rt.track(socket("room:1", 1), "bob", '{"d":3}'))
      assert.equal(2, rt.count "room:1")
      assert.same({ { "ann", '{"d":1}' }, { "ann", '{"d":2}' }, { "bob", '{"d":3}' } },
        sorted(rt.list "room:1"))
    end)

    it("writes a table with sorted keys", function()
      rt.track(socket(), "ann", { b = 1, a = { true, "x" }, c = {} })
      assert.equal('{"a":[true,"x"],"b":1,"c":{}}', rt.list("room:1")[1][2])
    end)

    it("cuts what a client may forge", function()
      rt.track(socket(), "ann", '{"phx_ref":"forged","a":1,"phx\\u005fref_prev":"x"}')
      assert.equal('{"a":1}', rt.list("room:1")[1][2])
    end)

    for _, case in ipairs {
      { "[]", "not_object" }, { '"text"', "not_object" }, { "1", "not_object" },
      { "{", "bad_json" }, { "{} {}", "bad_json" }, { "", "bad_json" }, { "{'a':1}", "bad_json" },
      { '{"a":NaN}', "bad_json" }, { '{"a":"\255"}', "not_utf8" },
    } do
      it("refuses the meta " .. case[1], function()
        local seen = diffs()
        local ref, word, detail = rt.track(socket(), "ann", case[1])
        assert.is_nil(ref)
        assert.equal(case[2], word)
        assert.is_string(detail)
        loop:turn()
        assert.equal(0, rt.count "room:1")
        assert.same({}, seen)
      end)
    end

    it("refuses tables that JSON cannot hold", function()
      for _, meta in ipairs { { f = print }, { [1] = 1, x = 2 }, { nan = 0 / 0 } } do
        local ref, word = rt.track(socket(), "ann", meta)
        assert.is_nil(ref)
        assert.equal("not_object", word)
      end
      local circular = {}
      circular.self = circular
      local ref, word = rt.track(socket(), "ann", circular)
      assert.is_nil(ref)
      assert.equal("not_object", word)
    end)

    it("refuses keys that are not UTF-8 or too large", function()
      local _, word, detail = rt.track(socket(), "\255", "{}")
      assert.same({ "not_utf8", "the key is not UTF-8" }, { word, detail })
      _, word, detail = rt.track(socket "\255", "k", "{}")
      assert.same({ "not_utf8", "the topic is not UTF-8" }, { word, detail })
      _, word = rt.track(socket(), ("k"):rep(1025), "{}")
      assert.equal("too_large", word)
      _, word = rt.track(socket(("t"):rep(1025)), "k", "{}")
      assert.equal("too_large", word)
      _, word = rt.track(socket(), "k", '{"a":"' .. ("x"):rep(17000) .. '"}')
      assert.equal("too_large", word)
    end)

    it("takes any other key as an ordinary one", function()
      for _, key in ipairs { "", "__proto__", "constructor", "a\0b", "名前", "👩‍👩‍👧" } do
        assert(rt.track(socket(), key, "{}"))
        assert.is_true(rt.snapshot():has("room:1", key))
      end
      assert.equal(6, rt.count "room:1")
    end)

    it("raises on misuse", function()
      assert.error_matches(function()
        rt.track("room:1", "ann", "{}")
      end, "needs a socket")
      assert.error_matches(function()
        rt.track({ topic = "t" }, "ann", "{}")
      end, "socket.pid")
      assert.error_matches(function()
        rt.track({ pid = 1 }, "ann", "{}")
      end, "socket.topic")
      assert.error_matches(function()
        rt.track(socket(), 5, "{}")
      end, "key must be a string")
      assert.error_matches(function()
        rt.track(socket(), "ann", 5)
      end, "meta must be a JSON object")
      assert.error_matches(function()
        rt.track(socket("t", 1.5), "ann", "{}")
      end, "socket.pid")
    end)

    it("refuses a process that has ended", function()
      local pid = rt.process.spawn(function() end)
      local ref, word = rt.track(socket("room:1", pid), "ann", "{}")
      assert.is_nil(ref)
      assert.equal("no_process", word)
      assert.equal(0, rt.count "room:1")
    end)
  end)

  describe("update", function()
    it("replaces the meta, in one diff that names both", function()
      local first = rt.track(socket(), "ann", '{"s":"here"}')
      local seen = diffs()
      local second = rt.update(socket(), "ann", '{"s":"away"}')
      assert.not_equal(first, second)
      loop:turn()
      assert.equal(1, #seen)
      assert.same({
        joins = { ann = { metas = { { s = "away" } } } },
        leaves = { ann = { metas = { { s = "here" } } } },
      }, seen[1])
    end)

    it("takes a function of the old meta", function()
      rt.track(socket(), "ann", '{"n":1}')
      local given
      rt.update(socket(), "ann", function(old)
        given = old
        return { n = 2 }
      end)
      assert.equal('{"n":1}', given)
      assert.equal('{"n":2}', rt.list("room:1")[1][2])
    end)

    it("sends nothing and keeps the ref when the meta is equal", function()
      local ref = rt.track(socket(), "ann", { b = 1, a = 2 })
      local seen = diffs()
      assert.equal(ref, rt.update(socket(), "ann", '{"a":2,"b":1}'))
      loop:turn()
      assert.same({}, seen)
    end)

    it("of what is not tracked, or by what is not an object, changes nothing", function()
      local ref, word = rt.update(socket(), "ann", "{}")
      assert.same({ nil, "nopresence" }, { ref, word })
      rt.track(socket(), "ann", "{}")
      ref, word = rt.update(socket("room:1", 2), "ann", "{}")
      assert.same({ nil, "nopresence" }, { ref, word })
      ref, word = rt.update(socket(), "ann", "[]")
      assert.same({ nil, "not_object" }, { ref, word })
      assert.same({ { "ann", "{}" } }, rt.list "room:1")
    end)

    it("leaves everything as it was when the function raises", function()
      rt.track(socket(), "ann", '{"n":1}')
      assert.error_matches(function()
        rt.update(socket(), "ann", function()
          error "boom"
        end)
      end, "boom")
      assert.equal('{"n":1}', rt.list("room:1")[1][2])
    end)

    it("A to B to A within a flush is one update with a new ref", function()
      rt.track(socket(), "ann", '{"s":"A"}')
      local seen = diffs()
      rt.update(socket(), "ann", '{"s":"B"}')
      rt.update(socket(), "ann", '{"s":"A"}')
      loop:turn()
      assert.same({ { joins = { ann = { metas = { { s = "A" } } } },
        leaves = { ann = { metas = { { s = "A" } } } } } }, seen)
    end)
  end)

  it("put tracks, then updates", function()
    assert.is_string(rt.put(socket(), "ann", "{}"))
    assert.is_string(rt.put(socket(), "ann", '{"a":1}'))
    assert.same({ { "ann", '{"a":1}' } }, rt.list "room:1")
  end)

  describe("untrack", function()
    it("removes one key, or all of the process", function()
      rt.track(socket(), "ann", "{}")
      rt.track(socket(), "bob", "{}")
      rt.track(socket "room:2", "ann", "{}")
      rt.track(socket("room:1", 2), "ann", "{}")
      assert.equal(1, rt.untrack(socket(), "bob"))
      assert.equal(2, rt.untrack(socket()))
      assert.same({ { "ann", "{}" } }, rt.list "room:1")
      assert.same({ "room:1" }, rt.where "ann")
      assert.equal(0, rt.count "room:2")
    end)

    it("of what is held in join counts it, one or all", function()
      local held = { topic = "room:1", pid = 1, held_ = {} }
      assert(rt.track(held, "ann", "{}"))
      assert(rt.track(held, "bob", "{}"))
      assert(rt.track(held, "cid", "{}"))
      assert.equal(1, rt.untrack(held, "bob"))
      assert.equal(0, rt.untrack(held, "bob"))
      rt.untrack(held)
      assert.same({}, held.held_)
      assert(rt.track(held, "ann", "{}"))
      rt.tracker:commit_held(held)
      assert.same({ { "ann", "{}" } }, rt.list "room:1")
    end)

    it("says in the log what was held in vain", function()
      local held = { topic = "room:1", pid = 1, held_ = {} }
      assert(rt.track(held, "ann", "{}"))
      assert(rt.track(socket("room:1", 1), "ann", '{"n":1}'))
      rt.tracker:commit_held(held)
      assert.matches("warn: what was tracked in join was refused.*already_tracked", logged[1])
      assert.same({ { "ann", '{"n":1}' } }, rt.list "room:1")
    end)

    it("is fine when nothing is there", function()
      assert.equal(0, rt.untrack(socket(), "nobody"))
      assert.equal(0, rt.untrack(socket()))
    end)

    it("a thousand times over leaves nothing behind", function()
      for _ = 1, 1000 do
        assert(rt.track(socket(), "ann", "{}"))
        assert.equal(1, rt.untrack(socket(), "ann"))
      end
      assert.equal(0, rt.count "room:1")
      assert.is_true(rt.tracker.holdings:is_empty())
      assert.same({}, rt.where "ann")
    end)
  end)

  describe("leaves", function()
    it("by default are announced with the key's last connection, and then name all", function()
      rt.track(socket("room:1", 1), "ann", '{"d":1}')
      rt.track(socket("room:1", 2), "ann", '{"d":2}')
      local seen = diffs()
      rt.untrack(socket("room:1", 1), "ann")
      assert.same({ ann = 1 }, rt.online("room:1", { "ann" }))
      loop:advance(1)
      assert.same({}, seen)
      rt.untrack(socket("room:1", 2), "ann")
      loop:advance(1)
      assert.equal(1, #seen)
      assert.same({}, seen[1].joins)
      local left = seen[1].leaves.ann.metas
      table.sort(left, function(a, b)
        return a.d < b.d
      end)
      assert.same({ { d = 1 }, { d = 2 } }, left)
    end)

    it("that are held back do not hold back an update", function()
      rt.track(socket("room:1", 1), "ann", '{"d":1}')
      rt.track(socket("room:1", 2), "ann", '{"d":2}')
      local seen = diffs()
      rt.untrack(socket("room:1", 1), "ann")
      rt.update(socket("room:1", 2), "ann", '{"d":3}')
      loop:turn()
      assert.same({ { joins = { ann = { metas = { { d = 3 } } } },
        leaves = { ann = { metas = { { d = 2 } } } } } }, seen)
      rt.untrack(socket("room:1", 2))
      loop:advance(1)
      assert.equal(2, #seen[2].leaves.ann.metas)
    end)

    it("are not looked for where nothing changed in the end", function()
      rt.track(socket("room:1", 1), "ann", "{}")
      local seen = diffs()
      loop:advance(1)
      rt.track(socket("room:1", 2), "ghost", "{}")
      rt.untrack(socket("room:1", 2), "ghost")
      loop:advance(1)
      assert.same({}, seen)
      rt.track(socket("room:1", 2), "bob", "{}")
      loop:advance(1)
      assert.same({ { joins = { bob = { metas = { {} } } }, leaves = {} } }, seen)
    end)

    it("are announced each with the option leaves = 'each'", function()
      new { leaves = "each" }
      rt.track(socket("room:1", 1), "ann", '{"d":1}')
      rt.track(socket("room:1", 2), "ann", '{"d":2}')
      local seen = diffs()
      rt.untrack(socket("room:1", 1), "ann")
      loop:advance(0.05)
      assert.same({ { joins = {}, leaves = { ann = { metas = { { d = 1 } } } } } }, seen)
    end)
  end)

  describe("flushes", function()
    describe("a lone leave", function()
      local seen
      before_each(function()
        new { leaves = "each" }
        rt.track(socket("room:1", 1), "a", "{}")
        rt.track(socket("room:1", 2), "b", "{}")
        seen = diffs()
        loop:advance(1)
        rt.untrack(socket("room:1", 1))
      end)

      local left = { a = { metas = { {} } } }

      it("after an interval", function()
        loop:advance(0.04)
        assert.same({}, seen)
        loop:advance(0.02)
        assert.same({ { joins = {}, leaves = left } }, seen)
      end)

      it("with those that follow, an interval after the first", function()
        loop:advance(0.04)
        rt.untrack(socket("room:1", 2))
        loop:turn()
        assert.same({}, seen)
        loop:advance(0.02)
        assert.same({ { joins = {}, leaves = { a = left.a, b = left.a } } }, seen)
      end)

      it("in one frame with who comes in its place, at the end of that turn", function()
        loop:advance(0.01)
        rt.track(socket("room:1", 3), "a", '{"again":true}')
        loop:turn()
        assert.same({ { joins = { a = { metas = { { again = true } } } }, leaves = left } }, seen)
        loop:advance(1)
        assert.equal(1, #seen)
      end)

      it("no sooner than an interval after the flush before it", function()
        rt.track(socket("room:1", 3), "c", "{}")
        loop:turn()
        rt.untrack(socket("room:1", 3))
        loop:advance(0.04)
        assert.equal(1, #seen)
        loop:advance(0.02)
        assert.equal(2, #seen)
      end)
    end)

    it("a lone change at the end of the turn, further ones once an interval", function()
      local seen = diffs()
      loop:advance(1)
      rt.track(socket("room:1", 1), "a", "{}")
      loop:turn()
      assert.equal(1, #seen)
      for pid = 2, 9 do
        rt.track(socket("room:1", pid), "k" .. pid, "{}")
        loop:advance(0.001)
      end
      assert.equal(1, #seen)
      loop:advance(0.05)
      assert.equal(2, #seen)
      rt.untrack(socket("room:1", 1))
      loop:advance(0.2)
      assert.equal(3, #seen)
    end)

    it("takes flush_interval_s from the options", function()
      new { flush_interval_s = 1 }
      local seen = diffs()
      rt.track(socket("room:1", 1), "a", "{}")
      loop:turn()
      rt.track(socket("room:1", 2), "b", "{}")
      loop:advance(0.9)
      assert.equal(1, #seen)
      loop:advance(0.2)
      assert.equal(2, #seen)
    end)

    it("leaves no timer and no topic when nobody listens", function()
      local seen = diffs()
      rt.track(socket(), "a", "{}")
      loop:turn()
      rt.track(socket("room:1", 2), "b", "{}")
      for pid in pairs(rt.processes.by_pid_) do
        rt.process.exit(pid)
      end
      loop:turn()
      assert.equal(1, #seen)
      assert.same({}, rt.feed.topics_)
      assert.equal(0, loop:pending())
    end)
  end)

  describe("callbacks", function()
    it("get one event table each, with first and last", function()
      local events = {}
      local function note(name)
        return function(event)
          events[#events + 1] = { name, event.key, event.meta, event.first, event.last,
            event.reason or event.old_meta or "" }
        end
      end
      new { on_join = note "join", on_leave = note "leave", on_update = note "update" }
      rt.track(socket("room:1", 1), "ann", '{"d":1}')
      rt.track(socket("room:1", 2), "ann", '{"d":2}')
      rt.update(socket("room:1", 2), "ann", '{"d":3}')
      rt.untrack(socket("room:1", 1), "ann")
      rt.untrack(socket("room:1", 2), "ann")
      loop:turn()
      assert.same({
        { "join", "ann", '{"d":1}', true, false, "" },
        { "join", "ann", '{"d":2}', false, false, "" },
        { "update", "ann", '{"d":3}', false, false, '{"d":2}' },
        { "leave", "ann", '{"d":1}', false, false, "left" },
        { "leave", "ann", '{"d":3}', false, true, "left" },
      }, events)
    end)

    it("say why a presence went", function()
      local reasons = {}
      new {
        on_leave = function(event)
          reasons[#reasons + 1] = event.reason
        end,
      }
      local function holder(fn)
        local pid = rt.process.spawn(fn)
        rt.track(socket("room:1", pid), "k", "{}")
        rt.process.send(pid, "go")
        loop:turn()
      end
      holder(function()
        rt.process.receive()
      end)
      holder(function()
        rt.process.receive()
        error "boom"
      end)
      assert.same({ "left", "crashed" }, reasons)
    end)

    it("that raise are logged and harm nothing", function()
      new {
        on_join = function()
          error "boom"
        end,
      }
      assert(rt.track(socket(), "ann", "{}"))
      loop:turn()
      assert.matches("on_join raised:.*boom", logged[1])
      assert.equal(1, rt.count "room:1")
    end)
  end)

  it("sorts topics, and filters them by prefix", function()
    rt.track(socket "b:1", "k", "{}")
    rt.track(socket "a:2", "k", "{}")
    rt.track(socket "a:1", "k", "{}")
    assert.same({ { topic = "a:1", count = 1 }, { topic = "a:2", count = 1 } }, rt.topics "a:")
    assert.same({ "a:1", "a:2", "b:1" }, rt.where "k")
  end)

  it("refuses options it does not know, and wrong ones", function()
    for _, case in ipairs {
      { { loop = loop, flush_intervall = 1 }, "unknown option 'flush_intervall'" },
      { { loop = loop, flush_interval_s = "1" }, "must be a number" },
      { { loop = loop, leaves = "some" }, "leaves must be" },
      { { loop = loop, on_join = 1 }, "on_join must be a function" },
      { {}, "loop" },
      { { loop = { now = print, spawn = print, after = print } }, "must be a loop" },
      { { loop = { now = print, after = print, defer = print } }, "must be a loop" },
    } do
      assert.error_matches(function()
        runtime.new(case[1])
      end, case[2])
    end
  end)
end)
