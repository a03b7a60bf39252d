--- The runtime's handle on a state: edited in place, with refs that only the wire sees.
local cjson = require "cjson"
local core = require "presence.core"

describe("meta_object", function()
  it("trims white space around the object and keeps what is inside", function()
    assert.are.equal('{ "a" : 1 }', core.meta_object(' \n{ "a" : 1 }\t', 64))
    assert.are.equal("{}", core.meta_object("{}", 64))
    assert.are.equal("{}", core.meta_object("{}"))
  end)

  it("cuts the refs out, however they are written", function()
    assert.are.equal("{}", core.meta_object('{"phx_ref":"x"}', 64))
    assert.are.equal("{}", core.meta_object('{"phx_ref":"x","phx_ref_prev":{"a":[1]}}', 64))
    assert.are.equal("{}", core.meta_object('{"phx\\u005fref":1}', 64))
    for _, text in ipairs { '{"a":1,"phx_ref":"x"}', '{"phx_ref":"x","a":1}',
      '{"phx_ref":1,"a":1,"phx_ref":2,"\\u0070hx_ref_prev":3}' } do
      assert.are.same({ a = 1 }, cjson.decode((core.meta_object(text, 64))))
      assert.is_nil((core.meta_object(text, 64)):find("ref", 1, true))
    end
  end)

  it("leaves refs below the top level alone", function()
    local text = '{"a":{"phx_ref":1},"phx_ref_":2,"Phx_ref":3}'
    assert.are.equal(text, core.meta_object(text, 64))
  end)

  it("refuses the rest of the world", function()
    for text, expected in pairs { ["["] = "bad_json", [""] = "bad_json", ['{"a":\1}'] = "bad_json",
      ["[]"] = "not_object", ["1"] = "not_object", ["null"] = "not_object", ['"{}"'] = "not_object",
      ['{"a":"\255"}'] = "not_utf8", ['{"a":[[1]]}'] = "bad_json", ["{}{}"] = "bad_json" } do
      local object, word, detail = core.meta_object(text, 2)
      assert.is_nil(object)
      assert.are.equal(expected, word, text)
      assert.are.equal("string", type(detail))
    end
  end)

  it("raises on misuse", function()
    for _, text in ipairs { 1, true, {} } do
      assert.is_false((pcall(core.meta_object, text, 64)))
    end
    assert.is_false((pcall(core.meta_object)))
    assert.is_false((pcall(core.meta_object, "{}", -1)))
  end)
end)

describe("an owner", function()
  local owner

  before_each(function()
    owner = core.owner()
    assert.is_true(owner:track("t", "ann", 1, '{"a":1}', "r1"))
    assert.is_true(owner:track("t", "ann", 2, "{}", "r2"))
    assert.is_true(owner:track("u", "bob", 1, '{"b":2}', "r3"))
  end)

  it("tracks a pid once under a topic and key", function()
    local ok, word = owner:track("t", "ann", 1, "{}", "r9")
    assert.is_nil(ok)
    assert.are.equal("already_tracked", word)
    assert.are.equal(2, owner:connections("t", "ann"))
    local meta, ref = owner:get("t", "ann", 1)
    assert.are.equal('{"a":1}', meta)
    assert.are.equal("r1", ref)
  end)

  it("gets nil for what is not there", function()
    assert.is_nil(owner:get("t", "ann", 3))
    assert.is_nil(owner:get("t", "eve", 1))
    assert.is_nil(owner:get("nobody", "ann", 1))
    assert.is_nil(owner:get("t", "ann", "1"))
  end)

  it("counts", function()
    assert.are.equal(1, owner:count("t"))
    assert.are.equal(0, owner:count("nobody"))
    assert.are.equal(2, owner:connections("t", "ann"))
    assert.are.equal(0, owner:connections("t", "eve"))
  end)

  it("updates with a new ref and the one before", function()
    assert.is_true(owner:update("t", "ann", 1, '{"a":2}', "r4"))
    local meta, ref = owner:get("t", "ann", 1)
    assert.are.equal('{"a":2}', meta)
    assert.are.equal("r4", ref)
    assert.are.equal('{"ann":{"metas":[{"a":2,"phx_ref":"r4","phx_ref_prev":"r1"},' ..
      '{"phx_ref":"r2"}]}}',
      core.wire_state_json(owner:snapshot(), "t"))
    assert.is_true(owner:update("t", "ann", 1, "{}", "r5"))
    assert.are.equal('{"ann":{"metas":[{"phx_ref":"r5","phx_ref_prev":"r4"},{"phx_ref":"r2"}]}}',
      core.wire_state_json(owner:snapshot(), "t"))
  end)

  it("changes nothing for the same bytes", function()
    assert.is_false(owner:update("t", "ann", 1, '{"a":1}', "r4"))
    assert.are.equal("r1", (select(2, owner:get("t", "ann", 1))))
    assert.is_true(owner:update("t", "ann", 1, '{"a":2}', "r4"))
    assert.is_false(owner:update("t", "ann", 1, '{"a":2}', "r5"))
    assert.are.equal("r4", (select(2, owner:get("t", "ann", 1))))
  end)

  it("updates nothing that is not there", function()
    for _, at in ipairs { { "t", "ann", 9 }, { "t", "eve", 1 }, { "nobody", "ann", 1 } } do
      local ok, word = owner:update(at[1], at[2], at[3], "{}", "r9")
      assert.is_nil(ok)
      assert.are.equal("nopresence", word)
    end
  end)

  it("lets one pid take the place of another, as an update", function()
    assert.is_true(owner:take_over("t", "ann", 7, '{"a":1}', "r4", 1))
    assert.is_nil(owner:get("t", "ann", 1))
    assert.are.equal(2, owner:connections("t", "ann"))
    assert.are.equal('{"ann":{"metas":[{"phx_ref":"r2"},' ..
      '{"a":1,"phx_ref":"r4","phx_ref_prev":"r1"}]}}',
      core.wire_state_json(owner:snapshot(), "t"))
    local ok, word = owner:take_over("t", "ann", 8, "{}", "r5", 1)
    assert.is_nil(ok)
    assert.are.equal("nopresence", word)
    ok, word = owner:take_over("t", "ann", 2, "{}", "r5", 7)
    assert.is_nil(ok)
    assert.are.equal("already_tracked", word)
    assert.has_error(function() owner:take_over("t", "ann", 8, "{}", "r5") end)
  end)

  it("untracks and says how many", function()
    assert.are.equal(1, owner:untrack("t", "ann", 1))
    assert.are.equal(0, owner:untrack("t", "ann", 1))
    assert.are.equal(0, owner:untrack("nobody", "ann", 1))
    assert.are.equal(1, owner:untrack("t", "ann", 2))
    assert.are.equal(0, owner:count("t"))
  end)

  it("refuses names that are not UTF-8", function()
    assert.are.equal("not_utf8", (select(2, owner:track("\255", "k", 1, "{}", "r"))))
    assert.are.equal("not_utf8", (select(2, owner:track("t", "\255", 1, "{}", "r"))))
    assert.are.equal(1, owner:count("t"))
  end)

  it("gives snapshots that stay", function()
    local before = owner:snapshot()
    assert.is_true(before == owner:snapshot())
    owner:track("t", "eve", 3, "{}", "r6")
    owner:untrack("u", "bob", 1)
    owner:update("t", "ann", 1, '{"a":3}', "r7")
    assert.are.equal(1, before:count("t"))
    assert.are.equal(1, before:count("u"))
    assert.are.equal('{"ann":{"metas":[{"a":1},{}]}}', before:list_json("t"))
    assert.are.equal(2, owner:snapshot():count("t"))
    assert.are.equal(0, owner:snapshot():count("u"))
  end)

  it("gives a snapshot of one topic", function()
    local t = owner:snapshot("t")
    owner:untrack("t", "ann", 2)
    assert.are.equal(1, t:stats().topics)
    assert.are.equal(2, t:connections("t", "ann"))
    assert.are.equal(0, t:count("u"))
    assert.is_true(core.new_state() == owner:snapshot("nobody"))
    assert.is_true(t ~= owner:snapshot("t"))
    assert.is_true(owner:snapshot("t") == owner:snapshot("t"))
  end)

  it("shows snapshots without refs in the pure layer", function()
    owner:update("t", "ann", 1, '{"a":2}', "r4")
    local s = owner:snapshot()
    assert.are.equal('{"a":2}', s:get("t", "ann")[1].data)
    assert.are.equal('{"ann":{"metas":[{"a":2},{}]}}', core.list_json(s, "t"))
    assert.are.equal('{"joins":{"ann":{"metas":[{"a":2},{}]}},"leaves":{}}',
      core.diff_json(core.new_state(), s, "t"))
  end)

  it("carries its refs through edits of a snapshot", function()
    local s = owner:snapshot("u"):track("u", "bob", 5, '{"pure":1}')
    assert.are.equal('{"bob":{"metas":[{"b":2,"phx_ref":"r3"},{"pure":1}]}}',
      core.wire_state_json(s, "u"))
  end)

  it("writes the wire's payloads", function()
    assert.are.equal('{"ann":{"metas":[{"a":1,"phx_ref":"r1"},{"phx_ref":"r2"}]}}',
      core.wire_state_json(owner:snapshot(), "t"))
    assert.are.equal("{}", core.wire_state_json(owner:snapshot(), "nobody"))
    local before = owner:snapshot()
    assert.is_nil(core.wire_diff_json(before, owner:snapshot(), "t"))
    owner:update("t", "ann", 1, '{"a":2}', "r4")
    assert.are.equal('{"joins":{"ann":{"metas":[{"a":2,"phx_ref":"r4","phx_ref_prev":"r1"}]}},' ..
      '"leaves":{"ann":{"metas":[{"a":1,"phx_ref":"r1"}]}}}',
      core.wire_diff_json(before, owner:snapshot(), "t"))
    assert.is_nil(core.wire_diff_json(before, owner:snapshot(), "u"))
  end)

  it("sees a meta that went and came back as new on the wire", function()
    local before = owner:snapshot()
    owner:untrack("u", "bob", 1)
    owner:track("u", "bob", 1, '{"b":2}', "r8")
    assert.is_true(before ~= owner:snapshot())
    assert.are.equal('{"joins":{"bob":{"metas":[{"b":2,"phx_ref":"r8"}]}},' ..
      '"leaves":{"bob":{"metas":[{"b":2,"phx_ref":"r3"}]}}}',
      core.wire_diff_json(before, owner:snapshot(), "u"))
  end)

  it("is patched with a diff, refs and all", function()
    local before, mirror = owner:snapshot(), core.owner()
    mirror:patch(core.diff(core.new_state(), before))
    assert.is_true(mirror:snapshot() == before)
    owner:untrack("t", "ann", 2)
    owner:update("t", "ann", 1, '{"a":5}', "r9")
    owner:track("v", "new", "pid", "{}", "r10")
    mirror:patch(core.diff(before, owner:snapshot()))
    assert.is_true(mirror:snapshot() == owner:snapshot())
    assert.are.equal(core.wire_state_json(owner:snapshot(), "t"),
      core.wire_state_json(mirror:snapshot(), "t"))
    assert.is_nil(core.wire_diff_json(mirror:snapshot(), owner:snapshot(), "v"))
  end)

  it("remembers no topic that is gone", function()
    for round = 1, 50 do
      assert.is_true(owner:track("x", "k", round, "{}", "r"))
      local seen = round % 3 == 0 and owner:snapshot("x")
      assert.are.equal(1, owner:count("x"))
      assert.are.equal(1, owner:untrack("x", "k", round))
      assert.are.equal(0, owner:count("x"))
      assert.is_true(not seen or seen:count("x") == 1)
    end
  end)

  it("raises on misuse", function()
    for _, args in ipairs { { 1, "k", 1, "{}", "r" }, { "t", 1, 1, "{}", "r" },
      { "t", "k", nil, "{}", "r" },
      { "t", "k", 1, nil, "r" }, { "t", "k", 1, "{}", nil }, { "t", "k", 1.5, "{}", "r" } } do
      assert.is_false((pcall(owner.track, owner, (table.unpack or unpack)(args, 1, 5))))
      assert.is_false((pcall(owner.update, owner, (table.unpack or unpack)(args, 1, 5))))
    end
    assert.is_false((pcall(owner.track, owner:snapshot(), "t", "k", 1, "{}", "r")))
    assert.is_false((pcall(owner.patch, owner, 1)))
    assert.is_false((pcall(owner.snapshot, owner, 1)))
    assert.is_false((pcall(core.wire_state_json, owner, "t")))
    assert.is_false((pcall(core.wire_diff_json, owner:snapshot(), 1, "t")))
  end)

  it("refuses a meta that is no object, and a ref that would need escapes", function()
    for _, meta in ipairs { "", "[]", "1", "{", '"}' } do
      assert.is_false((pcall(owner.track, owner, "t", "x", 1, meta, "r")))
    end
    for _, ref in ipairs { "", '"', "\\", "a b\n", "é" } do
      assert.is_false((pcall(owner.track, owner, "t", "x", 1, "{}", ref)))
      assert.is_false((pcall(owner.update, owner, "t", "ann", 1, '{"z":1}', ref)))
    end
    assert.are.equal(0, owner:connections("t", "x"))
  end)
end)
