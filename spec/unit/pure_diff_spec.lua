--- What changed between two states, and its way back into a state.
local presence = require "presence"

local EMPTY = presence.new_state()

--- A diff as plain tables of strings.
local function plain(diff)
  local out = {}
  for topic, change in pairs(diff) do
    out[topic] = {}
    for side, entries in pairs(change) do
      out[topic][side] = {}
      for key, entry in pairs(entries) do
        local metas = {}
        for i, meta in ipairs(presence.entry_metas(entry)) do
          metas[i] = tostring(meta.pid) .. "=" .. meta.data
        end
        out[topic][side][key] = table.concat(metas, " ")
      end
    end
  end
  return out
end

describe("diff", function()
  local old = EMPTY:track("t", "ann", 1, "1"):track("t", "ann", 2, "2"):track("u", "bob", 3, "3")

  it("of equal states is empty", function()
    assert.are.same({}, presence.diff(old, old))
    assert.are.same({}, presence.diff(EMPTY, EMPTY))
    assert.are.same({}, presence.diff(old, old:track("t", "k", 1, "1"):untrack("t", "k", 1)))
  end)

  it("names the topics that changed, with both sides", function()
    local new = old:untrack("t", "ann", 1):track("v", "eve", 4, "4"):track("t", "bob", 5, "5")
    assert.are.same({
      t = { joins = { bob = "5=5" }, leaves = { ann = "1=1" } },
      v = { joins = { eve = "4=4" }, leaves = {} },
    }, plain(presence.diff(old, new)))
  end)

  it("says an update as a leave and a join", function()
    assert.are.same({ t = { joins = { ann = "2=9" }, leaves = { ann = "2=2" } } },
      plain(presence.diff(old, old:update("t", "ann", 2, "9"))))
  end)

  it("counts equal metas", function()
    local twice = old:track("t", "ann", 1, "1"):track("t", "ann", 1, "1")
    assert.are.same({ t = { joins = { ann = "1=1 1=1" }, leaves = {} } },
      plain(presence.diff(old, twice)))
    assert.are.same({ t = { joins = {}, leaves = { ann = "1=1 1=1" } } },
      plain(presence.diff(twice, old)))
  end)

  it("finds one change among many", function()
    local many = EMPTY:edit(function(b)
      for i = 1, 5000 do
        b:track("t", "k" .. i, i, "{}")
      end
    end)
    assert.are.same({ t = { joins = { k77 = "x=1" }, leaves = {} } },
      plain(presence.diff(many, many:track("t", "k77", "x", "1"))))
  end)

  it("gives tables that belong to the caller", function()
    local diff = presence.diff(EMPTY, old)
    diff.t.joins.ann = nil
    assert.is_truthy(presence.diff(EMPTY, old).t.joins.ann)
  end)
end)

describe("patch", function()
  local old = EMPTY:track("t", "ann", 1, "1"):track("t", "ann", 2, "2"):track("u", "bob", 3, "3")
  local new = old:untrack("t", "ann", 1):track("v", "eve", 4, "4"):update("u", "bob", 3, '"new"')

  it("makes the new state of the old one and the diff, both ways", function()
    assert.is_true(presence.patch(old, presence.diff(old, new)) == new)
    assert.is_true(presence.patch(new, presence.diff(new, old)) == old)
    assert.is_true(presence.patch(EMPTY, presence.diff(EMPTY, old)) == old)
    assert.is_true(presence.patch(old, presence.diff(old, EMPTY)) == EMPTY)
  end)

  it("of nothing gives the same state", function()
    assert.is_true(rawequal(old, presence.patch(old, {})))
    assert.is_true(rawequal(old, presence.patch(old, { t = {} })))
    assert.is_true(rawequal(old, presence.patch(old, { t = { joins = {}, leaves = {} } })))
  end)

  it("takes a diff made by hand", function()
    local after = presence.patch(old, {
      t = {
        joins = { eve = presence.make_entry { presence.make_meta("p", "[]"),
          presence.make_meta(2, "{}") } },
        leaves = { ann = presence.make_entry { presence.make_meta(1, "1") } },
      },
      w = { joins = { x = presence.make_entry { presence.make_meta(9, "9") } } },
    })
    assert.is_true(after == old:untrack("t", "ann", 1):track("t", "eve", "p", "[]")
      :track("t", "eve", 2, "{}"):track("w", "x", 9, "9"))
  end)

  it("removes one meta for each that left, no more", function()
    local twice = EMPTY:track("t", "k", 1, "1"):track("t", "k", 1, "1"):track("t", "k", 1, "2")
    local after = presence.patch(twice, { t = { leaves = {
      k = presence.make_entry { presence.make_meta(1, "1") } } } })
    assert.is_true(after == EMPTY:track("t", "k", 1, "1"):track("t", "k", 1, "2"))
  end)

  it("ignores leaves of what is not there", function()
    local leave = presence.make_entry { presence.make_meta(1, "99") }
    assert.is_true(presence.patch(old, { t = { leaves = { ann = leave, nobody = leave } },
      nowhere = { leaves = { ann = leave } } }) == old)
  end)

  it("adds nothing for an empty entry", function()
    assert.is_true(presence.patch(old, { t = { joins = { eve = presence.make_entry {} } } }) == old)
  end)

  it("appends what joined after what was there", function()
    local after = presence.patch(old, { t = { joins = {
      ann = presence.make_entry { presence.make_meta(7, "7"), presence.make_meta(6, "6") } } } })
    assert.are.equal('{"ann":{"metas":[1,2,7,6]}}', after:list_json("t"))
  end)

  it("refuses topics and keys that are not UTF-8, the state untouched", function()
    local entry = presence.make_entry { presence.make_meta(1, "1") }
    local after, word = presence.patch(old, { ["\255"] = { joins = { k = entry } } })
    assert.is_nil(after)
    assert.are.equal("not_utf8", word)
    assert.are.equal("not_utf8", (select(2,
      presence.patch(old, { t = { joins = { ["\255"] = entry } } }))))
  end)

  it("raises for what is no diff", function()
    local entry = presence.make_entry {}
    for _, bad in ipairs { 1, "diff", { t = 1 }, { [1] = {} }, { t = { joins = 1 } },
      { t = { joins = { k = 1 } } }, { t = { joins = { k = {} } } },
        { t = { leaves = { [1] = entry } } },
      { t = { joins = { k = presence.make_meta(1, "1") } } } } do
      assert.has_error(function()
        presence.patch(old, bad)
      end)
    end
    assert.has_error(function()
      presence.patch(old)
    end)
  end)
end)

describe("encode and decode", function()
  local s = EMPTY:track("t", "ann", 1, '{"a":1}'):track("t", "ann", "1", "[]")
    :track("u", "", -5, "null")
    :track("", "\0", 2 ^ 53, "1")

  it("bring a state back", function()
    assert.is_true(presence.decode(presence.encode(s)) == s)
    assert.is_true(presence.decode(presence.encode(EMPTY)) == EMPTY)
    assert.are.equal(s:list_json("t"), presence.decode(presence.encode(s)):list_json("t"))
  end)

  it("may hold one topic only", function()
    assert.is_true(presence.decode(presence.encode(s, "u")) == EMPTY:track("u", "", -5, "null"))
    assert.is_true(presence.decode(presence.encode(s, "nobody")) == EMPTY)
  end)

  it("refuse anything damaged", function()
    local bytes = presence.encode(s)
    for i = 0, #bytes - 1 do
      local state, word, detail = presence.decode(bytes:sub(1, i))
      assert.is_nil(state)
      assert.are.equal("damaged", word)
      assert.are.equal("string", type(detail))
    end
    assert.are.equal("damaged", (select(2, presence.decode(bytes .. "\0"))))
    for i = 1, #bytes do
      local flipped = bytes:sub(1, i - 1) .. string.char((bytes:byte(i) + 1) % 256) ..
        bytes:sub(i + 1)
      local state, word = presence.decode(flipped)
      assert.is_true(state == nil and word == "damaged", "byte " .. i)
    end
  end)
end)
