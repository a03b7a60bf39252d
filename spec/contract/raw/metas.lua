--- What of a meta and a key reaches the wire: JSON of strangers, names of all kinds.

local busted = require "busted"
local assert = require "luassert"
local app = require "spec.contract.raw.app"
local presences = require "spec.contract.raw.presences"
local raw = require "spec.contract.raw.client"
local describe, it, before_each = busted.describe, busted.it, busted.before_each

local counts, meta_of, expect_diff = presences.counts, presences.meta_of, presences.expect_diff

return function(platform)
  local stage, watcher, ann = presences.stage(platform), nil, nil
  local watch = stage.watch

  before_each(function() watcher, ann = stage.watcher, stage.ann end)

  describe("a client's own phx_ref", function()
    local function tracked(meta)
      ann:enter("room:1", '"1"')
      ann:push('"1"', '"2"', "room:1", "track", '{"key":"ann","meta_json":' .. meta .. "}")
      return watch()
    end

    for what, meta in pairs {
      ["at the front"] = [["{\"phx_ref\":\"spoof\",\"a\":1}"]],
      ["at the end"] = [["{\"a\":1,\"phx_ref\":\"spoof\"}"]],
      ["in the middle"] = [["{\"x\":{},\"phx_ref\":[\"spoof\"],\"a\":1}"]],
      ["twice, escaped"] = [["{\"phx\\u005fref\":\"spoof\",\"a\":1,\"ph\\u0078_ref\":\"spoof\"}"]],
      ["as phx_ref_prev"] = [["{\"phx_ref_prev\":\"spoof\",\"a\":1}"]],
    } do
      it("never reaches the wire: " .. what, function()
        local state = tracked(meta)
        assert.equal(1, meta_of(state, "ann").a)
        assert.is_nil(meta_of(state, "ann").phx_ref_prev)
        local late = stage.open()
        late:join("room:1", '"1"')
        local text = late:next()
        assert.is_nil(text:find("spoof", 1, true), text)
        local _, refs = text:gsub('phx', "")
        assert.equal(1, refs, text)
      end)
    end

    it("never reaches the wire: alone", function()
      assert.same({ "phx_ref" }, (function()
        local names = {}
        for name in pairs(meta_of(tracked [["{\"phx_ref\":\"spoof\"}"]], "ann")) do
          names[#names + 1] = name
        end
        return names
      end)())
    end)

    it("stays where it is not its own: deeper in the meta", function()
      local meta = meta_of(tracked [["{\"a\":{\"phx_ref\":\"mine\"}}"]], "ann")
      assert.equal("mine", meta.a.phx_ref)
      assert.not_equal("mine", meta.phx_ref)
    end)
  end)

  it("a meta that is no object is refused", function()
    ann:enter("room:1", '"1"')
    for _, meta in ipairs { "[]", "1", "null", '\\"x\\"' } do
      ann:send('"1"', '"2"', "room:1", "track", '{"key":"ann","meta_json":"' .. meta .. '"}')
      ann:expect('"1"', '"2"', "room:1", "phx_reply", raw.error '{"reason":"not_object"}')
    end
    ann:send('"1"', '"2"', "room:1", "track", '{"key":"ann","meta_json":"{\\"a\\":}"}')
    ann:expect('"1"', '"2"', "room:1", "phx_reply", raw.error '{"reason":"bad_json"}')
  end)

  describe("keys are ordinary:", function()
    for what, key in pairs {
      ["__proto__"] = '"__proto__"', ["constructor"] = '"constructor"', ["the empty one"] = '""',
      ["NUL"] = '"\\u0000"', ["a NUL inside"] = '"a\\u0000b"',
      ["Unicode"] = '"ünï✓\240\159\152\128"',
      ["quotes and backslashes"] = '"\\"\\\\/\\n"', ["escaped surrogates"] = '"\\ud83d\\ude00"',
    } do
      it(what, function()
        local name = require("cjson").decode("[" .. key .. "]")[1]
        watch()
        assert.same({ [name] = 1 }, counts(ann:enter("room:1", '"1"', '{"key":' .. key .. "}")))
        expect_diff(watcher, { [name] = 1 }, {})
        ann:push('"1"', '"2"', "room:1", "update", '{"key":' .. key .. ',"meta":{"v":2}}')
        expect_diff(watcher, { [name] = 1 }, { [name] = 1 })
        ann:vanish()
        expect_diff(watcher, {}, { [name] = 1 })
      end)
    end
  end)

  it("keys that crash older phoenix.js are refused where that is asked for", function()
    stage.finish()
    stage.start(app.endpoint(), { runtime = { refuse_prototype_keys = true } })
    local client = stage.open()
    client:enter("room:1", '"1"')
    for _, key in ipairs { "__proto__", "constructor", "toString", "hasOwnProperty" } do
      client:send('"1"', '"2"', "room:1", "track", '{"key":"' .. key .. '","meta":{}}')
      client:expect('"1"', '"2"', "room:1", "phx_reply", raw.error '{"reason":"refused_key"}')
    end
    client:push('"1"', '"3"', "room:1", "track", '{"key":"proto","meta":{}}')
    expect_diff(client, { proto = 1 }, {})
  end)
end
