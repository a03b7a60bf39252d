--- The pure layer: states, their edits and what can be read from them.
local presence = require "presence"

local EMPTY = presence.new_state()

--- A table of every (pid, data) of an entry, in order, as "pid=data".
local function described(entry)
  local out = {}
  for i, meta in ipairs(presence.entry_metas(entry)) do
    out[i] = type(meta.pid) .. ":" .. tostring(meta.pid) .. "=" .. meta.data
  end
  return out
end

local function keys_of(list)
  local keys = {}
  for key in pairs(list) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  return keys
end

local function collect(...)
  local out = {}
  for key, value in ... do
    assert.is_nil(out[key], "seen twice")
    out[key] = value
  end
  return out
end

describe("track_state", function()
  it("adds a meta and leaves the state before as it was", function()
    local s = presence.track_state(EMPTY, "room:1", "ann", 1, '{"device":"phone"}')
    assert.are.equal(1, presence.count_presences(s, "room:1"))
    assert.are.equal(0, presence.count_presences(EMPTY, "room:1"))
    assert.are.same({ 'number:1={"device":"phone"}' }, described(s:get("room:1", "ann")))
  end)

  it("keeps several pids, and one pid several times, oldest first", function()
    local s = EMPTY:track("t", "ann", 1, "1"):track("t", "ann", 2, "2"):track("t", "ann", 1, "3")
    assert.are.same({ "number:1=1", "number:2=2", "number:1=3" }, described(s:get("t", "ann")))
    assert.are.equal(1, s:count("t"))
    assert.are.equal(3, s:connections("t", "ann"))
  end)

  it("takes any UTF-8 topic and key", function()
    local names = { "", "__proto__", "constructor", "a\0b", "\0", "größe", "\240\159\152\128",
      '"\\/',
      "\127", ("long"):rep(5000), "toString", "1" }
    local s = EMPTY
    for i, name in ipairs(names) do
      s = assert(s:track(name, name, i, "null"))
      s = assert(s:track("all", name, i, "null"))
    end
    for i, name in ipairs(names) do
      assert.are.same({ name }, keys_of(s:list(name)))
      assert.are.equal(i, s:get("all", name)[1].pid)
    end
    assert.are.equal(#names, s:count("all"))
  end)

  it("gives pids back as they came", function()
    local pids = { 0, -1, 1, 2 ^ 53, -2 ^ 53, "", "1", "-1", "pid", "a\0b", "\255\254" }
    for _, pid in ipairs(pids) do
      local meta = EMPTY:track("t", "k", pid, "{}"):get("t", "k")[1]
      assert.are.equal(pid, meta.pid)
      assert.are.equal(type(pid), type(meta.pid))
    end
  end)

  it("tells integer and string pids apart", function()
    local s = EMPTY:track("t", "k", 1, "1"):track("t", "k", "1", "2")
    assert.are.same({ "string:1=2" }, described(s:untrack("t", "k", 1):get("t", "k")))
    assert.are.same({ "number:1=1" }, described(s:untrack("t", "k", "1"):get("t", "k")))
  end)

  it("takes a float with an integer's value as that integer", function()
    local s = EMPTY:track("t", "k", 3.0, "{}")
    assert.are.equal("3", tostring(s:get("t", "k")[1].pid))
    assert.are.equal(EMPTY, s:untrack("t", "k", 3))
    assert.are.equal(0, EMPTY:track("t", "k", -0.0, "{}"):get("t", "k")[1].pid)
  end)

  it("keeps a meta byte for byte", function()
    local metas = { "{}", "[]", "null", "true", "false", "0", "-1.50e+10", '"text"',
      ' {"a" : 1 }\n',
      '{"n":12345678901234567890}', '{"a":1,"a":2}', '"\\ud83d\\ude00"', '"größe"',
      ("[%s]"):format(("1,"):rep(40000) .. "1") }
    local s = EMPTY
    for i, meta in ipairs(metas) do
      s = assert(s:track("t", "k", i, meta))
    end
    for i, meta in ipairs(presence.entry_metas(s:get("t", "k"))) do
      assert.are.equal(metas[i], meta.data)
    end
  end)

  it("refuses what is not one JSON value", function()
    local bad = { "", " ", "{", "{}{}", "{'a':1}", "nan", "NaN", "Infinity", "01", "[1,]",
      '{"a":1,}',
      '"\1"', "tru", "nul\0", '"\\x"', "{}\0", ("["):rep(65) .. ("]"):rep(65) }
    for _, meta in ipairs(bad) do
      local s, word, detail = EMPTY:track("t", "k", 1, meta)
      assert.is_nil(s)
      assert.are.equal("bad_json", word)
      assert.are.equal("string", type(detail))
    end
    assert(EMPTY:track("t", "k", 1, ("["):rep(64) .. ("]"):rep(64)))
  end)

  it("refuses what is not UTF-8", function()
    for _, bytes in ipairs { "\255", "\192\128", "\237\160\128", "a\128", "\244\144\128\128" } do
      local s, word, detail = presence.track_state(EMPTY, bytes, "k", 1, "{}")
      assert.is_nil(s)
      assert.are.equal("not_utf8", word)
      assert.are.equal("string", type(detail))
      assert.are.equal("not_utf8", (select(2, EMPTY:track("t", bytes, 1, "{}"))))
      assert.are.equal("not_utf8", (select(2, EMPTY:track("t", "k", 1, '"' .. bytes .. '"'))))
    end
  end)
end)

describe("untrack_state", function()
  local s = EMPTY:track("t", "ann", 1, "1"):track("t", "ann", 2, "2"):track("t", "ann", 1, "3")
    :track("t", "bob", 1, "4")

  it("removes every meta of the pid under the key", function()
    local after = presence.untrack_state(s, "t", "ann", 1)
    assert.are.same({ "number:2=2" }, described(after:get("t", "ann")))
    assert.are.equal(1, after:connections("t", "bob"))
    assert.are.equal(3, s:connections("t", "ann"))
  end)

  it("removes an entry that became empty, and a topic that did", function()
    local after = s:untrack("t", "ann", 1):untrack("t", "ann", 2)
    assert.is_nil(after:get("t", "ann"))
    assert.are.same({ "bob" }, keys_of(after:list("t")))
    after = after:untrack("t", "bob", 1)
    assert.are.same({}, collect(after:topics()))
    assert.are.equal(EMPTY, after)
  end)

  it("gives the same state when nothing is there", function()
    assert.is_true(rawequal(s, s:untrack("t", "ann", 3)))
    assert.is_true(rawequal(s, s:untrack("t", "ann", "1")))
    assert.is_true(rawequal(s, s:untrack("t", "eve", 1)))
    assert.is_true(rawequal(s, s:untrack("u", "ann", 1)))
    assert.is_true(rawequal(s, s:untrack("t", "\255", 1)))
    assert.is_true(rawequal(EMPTY, presence.untrack_state(EMPTY, "", "", "")))
  end)
end)

describe("update_state", function()
  local s = EMPTY:track("t", "ann", 1, "1"):track("t", "ann", 2, "2"):track("t", "ann", 1, "3")
    :track("t", "ann", 3, "4")

  it("replaces the pid's newest meta where it is", function()
    local after = presence.update_state(s, "t", "ann", 1, '"new"')
    assert.are.same({ "number:1=1", "number:2=2", 'number:1="new"', "number:3=4" },
      described(after:get("t", "ann")))
    assert.are.same({ "number:1=1", "number:2=2", "number:1=3", "number:3=4" },
      described(s:get("t", "ann")))
  end)

  it("gives the same state for the same bytes", function()
    assert.is_true(rawequal(s, s:update("t", "ann", 1, "3")))
    assert.is_false(rawequal(s, s:update("t", "ann", 1, "3 ")))
  end)

  it("tells when there is nothing to update", function()
    for _, at in ipairs { { "t", "ann", 9 }, { "t", "ann", "1" }, { "t", "bob", 1 },
      { "u", "ann", 1 } } do
      local after, word = s:update(at[1], at[2], at[3], "{}")
      assert.is_nil(after)
      assert.are.equal("nopresence", word)
    end
  end)

  it("refuses a bad meta", function()
    assert.are.equal("bad_json", (select(2, s:update("t", "ann", 1, "{"))))
    assert.are.equal("not_utf8", (select(2, s:update("t", "ann", 1, '"\255"'))))
  end)
end)

describe("edit", function()
  it("makes one state of many edits", function()
    local s = EMPTY:track("t", "ann", 1, "1")
    local after = s:edit(function(b)
      for i = 1, 100 do
        assert.is_true(b:track("t", "k" .. i, i, "{}"))
      end
      assert.are.equal(1, b:untrack("t", "ann", 1))
      assert.are.equal(0, b:untrack("t", "ann", 1))
      assert.is_true(b:update("t", "k1", 1, "1"))
      assert.is_false(b:update("t", "k1", 1, "1"))
    end)
    assert.are.equal(100, after:count("t"))
    assert.is_nil(after:get("t", "ann"))
    assert.are.equal("1", after:get("t", "k1")[1].data)
    assert.are.equal(1, s:count("t"))
  end)

  it("returns errors of the world inside and goes on", function()
    local s = EMPTY:edit(function(b)
      local ok, word, detail = b:track("t", "k", 1, "{")
      assert.is_nil(ok)
      assert.are.equal("bad_json", word)
      assert.are.equal("string", type(detail))
      assert.are.equal("nopresence", (select(2, b:update("t", "k", 1, "{}"))))
      assert.are.equal("not_utf8", (select(2, b:track("\255", "k", 1, "{}"))))
      b:track("t", "k", 1, "{}")
    end)
    assert.are.equal(1, s:count("t"))
  end)

  it("raises the error of its function, the state untouched", function()
    local s = EMPTY:track("t", "ann", 1, "1")
    local trouble = {}
    local ok, err = pcall(s.edit, s, function(b)
      b:track("t", "bob", 1, "{}")
      b:untrack("t", "ann", 1)
      error(trouble)
    end)
    assert.is_false(ok)
    assert.are.equal(trouble, err)
    assert.are.same({ "ann" }, keys_of(s:list("t")))
  end)

  it("gives the same state when nothing changed", function()
    local s = EMPTY:track("t", "ann", 1, "1")
    assert.is_true(rawequal(s, s:edit(function() end)))
    assert.is_true(rawequal(s, s:edit(function(b)
      b:untrack("t", "bob", 1)
    end)))
  end)

  it("refuses its builder afterwards", function()
    local kept
    EMPTY:edit(function(b)
      kept = b
    end)
    assert.has_error(function()
      kept:track("t", "k", 1, "{}")
    end)
  end)

  it("may be nested, each on its own", function()
    local inner
    local outer = EMPTY:edit(function(a)
      a:track("t", "a", 1, "{}")
      inner = EMPTY:edit(function(b)
        b:track("t", "b", 1, "{}")
      end)
      a:track("t", "c", 1, "{}")
    end)
    assert.are.same({ "a", "c" }, keys_of(outer:list("t")))
    assert.are.same({ "b" }, keys_of(inner:list("t")))
  end)
end)

describe("reading a state", function()
  local s = EMPTY:track("t", "ann", 1, "1"):track("t", "ann", 2, "2"):track("t", "bob", 3, "3")
    :track("u", "eve", 4, "4")

  it("lists a topic in a fresh table", function()
    local list = presence.list_state(s, "t")
    assert.are.same({ "ann", "bob" }, keys_of(list))
    assert.are.same({ "number:1=1", "number:2=2" }, described(list.ann))
    list.ann = nil
    assert.are.same({ "ann", "bob" }, keys_of(s:list("t")))
    assert.are.same({}, s:list("nobody"))
    assert.are.same({}, presence.list_state(EMPTY, ""))
    assert.are.same({}, s:list("\255"))
  end)

  it("counts", function()
    assert.are.equal(2, presence.count_presences(s, "t"))
    assert.are.equal(1, s:count("u"))
    assert.are.equal(0, s:count("nobody"))
    assert.are.equal(2, presence.connection_count(s, "t", "ann"))
    assert.are.equal(0, s:connections("t", "eve"))
    assert.are.equal(0, s:connections("nobody", "ann"))
  end)

  it("tells who is there", function()
    assert.is_true(presence.is_present(s, "t", "ann"))
    assert.is_true(s:has("u", "eve"))
    assert.is_false(s:has("u", "ann"))
    assert.is_false(presence.is_present(s, "nobody", "ann"))
    assert.is_nil(s:get("u", "ann"))
    assert.is_nil(s:get("nobody", "ann"))
    assert.are.same({ ann = 2, bob = 1, eve = 0 }, s:online("t", { "ann", "bob", "eve" }))
    assert.are.same({ ann = 0 }, s:online("nobody", { "ann" }))
    assert.are.same({}, s:online("t", {}))
  end)

  it("iterates over a topic, frozen", function()
    local seen = {}
    for key, entry in s:untrack("u", "eve", 4):each("t") do
      collectgarbage()
      seen[key] = described(entry)
    end
    assert.are.same({ ann = { "number:1=1", "number:2=2" }, bob = { "number:3=3" } }, seen)
    assert.are.same({}, collect(s:each("nobody")))
    local step = s:each("u")
    assert.are.equal("eve", (step()))
    assert.is_nil(step())
  end)

  it("iterates over the topics with their counts", function()
    assert.are.same({ t = 2, u = 1 }, collect(s:topics()))
    assert.are.same({}, collect(EMPTY:topics()))
  end)

  it("sums up", function()
    local stats = s:stats()
    assert.are.equal(2, stats.topics)
    assert.are.equal(3, stats.keys)
    assert.are.equal(4, stats.metas)
    assert.is_true(stats.bytes > 0)
    assert.are.equal(0, EMPTY:stats().metas)
    assert.is_truthy(tostring(s):find("^PresenceState"))
    assert.is_true(#tostring(s) < 80)
  end)
end)

describe("equality", function()
  it("of states is by content, whatever the way there", function()
    local a = EMPTY:track("t", "ann", 1, "1"):track("t", "bob", 2, "2"):track("u", "ann", 1, "1")
    local b = EMPTY:track("u", "ann", 1, "1"):track("t", "bob", 2, "2"):track("t", "ann", 1, "1")
    assert.is_true(a == b)
    assert.is_false(rawequal(a, b))
    assert.is_true(a ~= b:track("t", "ann", 1, "1"))
    assert.is_true(a ~= b:update("t", "ann", 1, "2"))
    assert.is_true(a ~= EMPTY)
    assert.is_true(presence.new_state() == EMPTY)
    assert.is_true(EMPTY:track("t", "k", 1, "{}") ~= EMPTY:track("t", "k", "1", "{}"))
  end)

  it("does not look at the order of metas", function()
    local a = EMPTY:track("t", "ann", 1, "1"):track("t", "ann", 2, "2"):track("t", "ann", 1, "1")
    local b = EMPTY:track("t", "ann", 2, "2"):track("t", "ann", 1, "1"):track("t", "ann", 1, "1")
    assert.is_true(a == b)
    assert.is_true(a:get("t", "ann") == b:get("t", "ann"))
    local once = EMPTY:track("t", "ann", 1, "1"):track("t", "ann", 2, "2")
    local twice = once:track("t", "ann", 2, "2")
    assert.is_true(twice ~= a)
    assert.is_true(twice:get("t", "ann") ~= a:get("t", "ann"))
  end)

  it("with anything else is false and raises nothing", function()
    assert.is_false(EMPTY == 1)
    assert.is_false(EMPTY == {})
    assert.is_false(EMPTY == presence.make_meta(1, "{}"))
    assert.is_false(presence.make_meta(1, "{}") == presence.make_entry {})
  end)
end)

describe("page", function()
  local s = EMPTY:edit(function(b)
    for i = 1, 500 do
      b:track("t", "k" .. i, i, "{}")
    end
  end)

  local function walk(limit, next_state)
    local seen, cursor, state = {}, nil, s
    repeat
      local page
      page, cursor = state:page("t", cursor, limit)
      assert.is_true(#page <= limit)
      for _, pair in ipairs(page) do
        assert.is_nil(seen[pair[1]], "seen twice")
        seen[pair[1]] = pair[2]
      end
      assert.is_true(cursor == nil or type(cursor) == "string" and #page > 0)
      state = next_state and next_state(state) or state
    until not cursor
    return seen
  end

  it("walks everybody once", function()
    for _, limit in ipairs { 1, 7, 499, 500, 501 } do
      local seen = walk(limit)
      assert.are.equal(500, #keys_of(seen))
      assert.are.equal(17, seen.k17[1].pid)
    end
  end)

  it("sees whoever was there throughout exactly once, in later states", function()
    local round = 0
    local seen = walk(10, function(state)
      round = round + 1
      return state:edit(function(b)
        for i = 1, 20 do
          b:track("t", ("new%d.%d"):format(round, i), 1, "{}")
        end
        if round % 2 == 0 then
          b:untrack("t", "k" .. round, round)
        end
        if round > 100 then
          for i = 1, 20 do
            b:untrack("t", ("new%d.%d"):format(round - 50, i), 1)
          end
        end
      end)
    end)
    for i = 1, 499, 2 do
      assert.is_truthy(seen["k" .. i])
    end
  end)

  it("of nobody is empty", function()
    local page, cursor = s:page("nobody", nil, 10)
    assert.are.same({}, page)
    assert.is_nil(cursor)
  end)

  it("refuses a cursor that is none", function()
    for _, cursor in ipairs { "", "nonsense", "\0", ("f"):rep(400) } do
      local page, word = s:page("t", cursor, 10)
      assert.is_nil(page)
      assert.are.equal("bad_cursor", word)
    end
  end)
end)
