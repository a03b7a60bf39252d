--- PresenceMeta and PresenceEntry: made by hand or taken from a state.
local presence = require "presence"

describe("make_meta", function()
  it("holds a pid and data", function()
    local meta = presence.make_meta(7, '{"a":1}')
    assert.are.equal(7, presence.meta_pid(meta))
    assert.are.equal('{"a":1}', presence.meta_data(meta))
    assert.are.equal(7, meta.pid)
    assert.are.equal('{"a":1}', meta.data)
    assert.is_nil(meta.other)
    assert.are.equal("p\0", presence.make_meta("p\0", " [] ").pid)
    assert.are.equal(" [] ", presence.make_meta("p\0", " [] ").data)
  end)

  it("refuses data that is not one JSON value", function()
    local meta, word, detail = presence.make_meta(1, "{")
    assert.is_nil(meta)
    assert.are.equal("bad_json", word)
    assert.are.equal("string", type(detail))
    assert.are.equal("not_utf8", (select(2, presence.make_meta(1, '"\255"'))))
  end)

  it("is equal by content", function()
    assert.is_true(presence.make_meta(1, "{}") == presence.make_meta(1, "{}"))
    assert.is_true(presence.make_meta("1", "{}") ~= presence.make_meta(1, "{}"))
    assert.is_true(presence.make_meta(1, "{}") ~= presence.make_meta(1, "{ }"))
    local s = presence.new_state():track("t", "k", 1, "{}")
    assert.is_true(s:get("t", "k")[1] == presence.make_meta(1, "{}"))
  end)

  it("cannot be written to", function()
    assert.has_error(function()
      presence.make_meta(1, "{}").pid = 2
    end)
  end)

  it("says what it is", function()
    assert.is_truthy(tostring(presence.make_meta(1, "{}")):find("^PresenceMeta"))
    assert.is_true(#tostring(presence.make_meta(("p"):rep(999), ('"%s"')
      :format(("d"):rep(999)))) < 200)
  end)
end)

describe("make_entry", function()
  local a, b = presence.make_meta(1, "1"), presence.make_meta("two", "2")

  it("holds metas in order", function()
    local entry = presence.make_entry { a, b, a }
    assert.are.equal(3, presence.entry_count(entry))
    assert.are.equal(3, #entry)
    assert.are.same({ 1, "two", 1 }, { entry[1].pid, entry[2].pid, entry[3].pid })
    assert.is_nil(entry[0])
    assert.is_nil(entry[4])
    assert.is_nil(entry[-1])
    assert.is_nil(entry[1.5])
    assert.is_nil(entry[2 ^ 60])
    assert.is_nil(entry.nothing)
    assert.is_nil(entry[true])
  end)

  it("may be empty", function()
    local entry = presence.make_entry {}
    assert.are.equal(0, #entry)
    assert.are.equal(0, presence.entry_count(entry))
    assert.are.same({}, presence.entry_metas(entry))
    assert.is_nil(entry[1])
  end)

  it("gives its metas as a fresh array", function()
    local entry = presence.make_entry { a, b }
    local metas = presence.entry_metas(entry)
    assert.are.equal(2, #metas)
    assert.is_true(metas[1] == a and metas[2] == b)
    metas[1] = nil
    assert.are.equal(2, #presence.entry_metas(entry))
  end)

  it("does not follow the array it was made from", function()
    local metas = { a }
    local entry = presence.make_entry(metas)
    metas[1], metas[2] = b, b
    assert.are.equal(1, #entry)
    assert.is_true(entry[1] == a)
  end)

  it("is equal by the multiset of metas", function()
    assert.is_true(presence.make_entry { a, b } == presence.make_entry { b, a })
    assert.is_true(presence.make_entry { a, a, b } ~= presence.make_entry { a, b, b })
    assert.is_true(presence.make_entry {} == presence.make_entry {})
    assert.is_true(presence.make_entry {} ~= presence.make_entry { a })
    assert.is_true(presence.new_state():track("t", "k", 1, "1")
      :get("t", "k") == presence.make_entry { a })
  end)

  it("of many metas keeps them all", function()
    local metas = {}
    for i = 1, 3000 do
      metas[i] = presence.make_meta(i % 7, tostring(i))
    end
    local entry = presence.make_entry(metas)
    assert.are.equal(3000, #entry)
    for i, meta in ipairs(presence.entry_metas(entry)) do
      assert.are.equal(tostring(i), meta.data)
    end
    assert.are.equal("2999", entry[2999].data)
    assert.is_true(entry == presence.make_entry(presence.entry_metas(entry)))
  end)

  it("says what it is", function()
    assert.is_truthy(tostring(presence.make_entry { a, b }):find("^PresenceEntry"))
  end)

  it("stays when the state it came from is gone", function()
    local entry = presence.new_state():track("t", "k", "pid", '"data"'):get("t", "k")
    local meta = entry[1]
    for _ = 1, 3 do
      collectgarbage()
    end
    assert.are.equal("pid", meta.pid)
    assert.are.equal('"data"', entry[1].data)
  end)
end)

describe("an entry of a busy key", function()
  it("keeps the order of what stays", function()
    local s = presence.new_state():edit(function(b)
      for i = 1, 500 do
        b:track("t", "k", i, tostring(i))
      end
    end)
    local after = s
    for i = 1, 500, 2 do
      after = after:untrack("t", "k", i)
    end
    after = assert(after:update("t", "k", 250, '"new"')):track("t", "k", 1, '"again"')
    local metas = presence.entry_metas(after:get("t", "k"))
    assert.are.equal(251, #metas)
    for i = 1, 250 do
      assert.are.equal(2 * i, metas[i].pid)
    end
    assert.are.equal('"new"', metas[125].data)
    assert.are.equal('"again"', metas[251].data)
    assert.are.equal(500, s:connections("t", "k"))
    assert.are.equal("250", s:get("t", "k")[250].data)
  end)
end)
