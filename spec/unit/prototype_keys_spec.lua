local manual_loop = require "presence.manual.loop"
local presence = require "presence"

local names = {
  "constructor", "__defineGetter__", "__defineSetter__", "hasOwnProperty", "__lookupGetter__",
  "__lookupSetter__", "isPrototypeOf", "propertyIsEnumerable", "toString", "valueOf", "__proto__",
  "toLocaleString", -- Object.getOwnPropertyNames(Object.prototype)
}

describe("refuse_prototype_keys", function()
  local function new_runtime(opts)
    opts.loop = manual_loop.new()
    return presence.new(opts)
  end

  it("is off by default: they are keys as any other", function()
    local runtime = new_runtime {}
    for i, name in ipairs(names) do
      assert.is_string(runtime.track({ topic = "t", pid = i }, name, "{}"))
      assert.equal(i, runtime.count "t")
    end
  end)

  it("refuses them, and nothing that is like them", function()
    local runtime = new_runtime { refuse_prototype_keys = true }
    for i, name in ipairs(names) do
      for _, function_name in ipairs { "track", "put" } do
        local ref, word, detail = runtime[function_name]({ topic = "t", pid = i }, name, "{}")
        assert.same({ "refused_key", "the key is " .. name }, { word, detail })
        assert.is_nil(ref)
      end
      assert.is_string(runtime.track({ topic = name, pid = i }, name .. "_", "{}"))
    end
    assert.equal(0, runtime.count "t")
  end)

  it("is true or false", function()
    assert.has_error(function() new_runtime { refuse_prototype_keys = 1 } end,
      "new: the option refuse_prototype_keys must be true or false")
  end)
end)
