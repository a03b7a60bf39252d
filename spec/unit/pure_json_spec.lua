--- JSON text of states: exact bytes, and nothing that a key or a meta could break.
local cjson = require "cjson"
local presence = require "presence"

local EMPTY = presence.new_state()

describe("list_json", function()
  it("is the presence_state payload", function()
    local s = EMPTY:track("t", "ann", 1, '{"device":"phone"}')
      :track("t", "ann", 2, '{"device":"tv"}')
    assert.are.equal('{"ann":{"metas":[{"device":"phone"},{"device":"tv"}]}}', s:list_json("t"))
    assert.are.equal(s:list_json("t"), presence.list_json(s, "t"))
    assert.are.equal("{}", s:list_json("nobody"))
    assert.are.equal("{}", EMPTY:list_json(""))
    assert.are.equal("{}", EMPTY:list_json("\255"))
  end)

  it("repeats the metas of two devices that say the same", function()
    local s = EMPTY:track("t", "ann", 1, "{}"):track("t", "ann", 2, "{}"):track("t", "ann", 1, "{}")
    assert.are.equal('{"ann":{"metas":[{},{},{}]}}', s:list_json("t"))
  end)

  it("holds every key", function()
    local s = EMPTY
    for i = 1, 300 do
      s = s:track("t", "k" .. i, i, '{"name":"k' .. i .. '"}')
    end
    local list, count = cjson.decode(s:list_json("t")), 0
    for key, entry in pairs(list) do
      count = count + 1
      assert.are.equal(key, entry.metas[1].name)
    end
    assert.are.equal(300, count)
  end)

  it("escapes what JSON must have escaped in a key, and nothing else", function()
    local escaped = {
      [""] = '""', ["__proto__"] = '"__proto__"', ["a\0b"] = '"a\\u0000b"', ['"'] = '"\\""',
      ["\\"] = '"\\\\"', ["/"] = '"/"', ["größe"] = '"größe"',
        ["\240\159\152\128"] = '"\240\159\152\128"',
      ["\127"] = '"\127"',
    }
    for key, text in pairs(escaped) do
      local s = EMPTY:track("t", key, 1, "{}")
      assert.are.equal("{" .. text .. ':{"metas":[{}]}}', s:list_json("t"))
    end
    for byte = 0, 31 do
      local key = string.char(byte)
      assert.are.equal(1, #cjson.decode(EMPTY:track("t", key, 1, "{}"):list_json("t"))[key].metas)
    end
  end)

  it("keeps the bytes of metas", function()
    local s = EMPTY:track("t", "k", 1, ' {"n" : 12345678901234567890} ')
    assert.are.equal('{"k":{"metas":[ {"n" : 12345678901234567890} ]}}', s:list_json("t"))
  end)
end)

describe("join_diff_json and leave_diff_json", function()
  it("are the exact text", function()
    assert.are.equal('{"joins":{"ann":{"metas":[{"a":1}]}},"leaves":{}}',
      presence.join_diff_json("ann", '{"a":1}'))
    assert.are.equal('{"joins":{},"leaves":{"ann":{"metas":[{"a":1}]}}}',
      presence.leave_diff_json("ann", '{"a":1}'))
  end)

  it("escape the key and keep the meta", function()
    assert.are.equal('{"joins":{"\\"\\u0000é":{"metas":[ 1 ]}},"leaves":{}}',
      presence.join_diff_json('"\0é', " 1 "))
    assert.are.equal('{"joins":{},"leaves":{"":{"metas":["x"]}}}',
      presence.leave_diff_json("", '"x"'))
  end)

  it("refuse what would not be JSON", function()
    for _, build in ipairs { presence.join_diff_json, presence.leave_diff_json } do
      assert.are.equal("bad_json", (select(2, build("k", "{"))))
      assert.are.equal("bad_json", (select(2, build("k", '1},"x":{'))))
      assert.are.equal("not_utf8", (select(2, build("\255", "{}"))))
      assert.are.equal("not_utf8", (select(2, build("k", '"\255"'))))
    end
  end)
end)

describe("diff_json", function()
  local old = EMPTY:track("t", "ann", 1, "1"):track("t", "bob", 2, "2")

  it("is nil when nothing changed there", function()
    assert.is_nil(presence.diff_json(old, old, "t"))
    assert.is_nil(presence.diff_json(old, old:track("u", "k", 1, "{}"), "t"))
    assert.is_nil(presence.diff_json(old, old:track("t", "k", 1, "{}"):untrack("t", "k", 1), "t"))
    assert.is_nil(presence.diff_json(old, EMPTY, "nobody"))
  end)

  it("tells joins and leaves", function()
    assert.are.equal('{"joins":{"eve":{"metas":[3]}},"leaves":{}}',
      presence.diff_json(old, old:track("t", "eve", 3, "3"), "t"))
    assert.are.equal('{"joins":{},"leaves":{"bob":{"metas":[2]}}}',
      presence.diff_json(old, old:untrack("t", "bob", 2), "t"))
    assert.are.equal('{"joins":{"ann":{"metas":[9]}},"leaves":{"ann":{"metas":[1]}}}',
      presence.diff_json(old, old:update("t", "ann", 1, "9"), "t"))
    assert.are.equal('{"joins":{"ann":{"metas":[3,4]}},"leaves":{}}',
      presence.diff_json(old, old:track("t", "ann", 3, "3"):track("t", "ann", 4, "4"), "t"))
  end)

  it("of a whole topic that appears or vanishes names everybody", function()
    local joined = cjson.decode(presence.diff_json(EMPTY, old, "t"))
    assert.are.same({ ann = { metas = { 1 } }, bob = { metas = { 2 } } }, joined.joins)
    assert.are.same({}, joined.leaves)
    local left = cjson.decode(presence.diff_json(old, EMPTY, "t"))
    assert.are.same({ ann = { metas = { 1 } }, bob = { metas = { 2 } } }, left.leaves)
    assert.are.same({}, left.joins)
  end)

  it("does not see the order of metas", function()
    local a = EMPTY:track("t", "k", 1, "1"):track("t", "k", 2, "2")
    local b = EMPTY:track("t", "k", 2, "2"):track("t", "k", 1, "1")
    assert.is_nil(presence.diff_json(a, b, "t"))
  end)
end)
