local json = require "presence.json"

describe("JSON written with sorted keys", function()
  for _, case in ipairs {
    { "a string", "a\"b\\\n\0ü", '"a\\"b\\\\\\n\\u0000ü"' },
    { "an integer", 42, "42" },
    { "a whole float", 42.0, "42" },
    { "a negative", -7, "-7" },
    { "a fraction", 0.1, "0.1" },
    { "the largest exact integer", 2 ^ 53 - 1, "9007199254740991" },
    { "booleans", { true, false }, "[true,false]" },
    { "an empty table", {}, "{}" },
    { "nested tables", { b = { 1, { c = 2 } }, a = "x" }, '{"a":"x","b":[1,{"c":2}]}' },
  } do
    it("writes " .. case[1], function()
      assert.equal(case[3], json.encode_sorted(case[2]))
    end)
  end

  it("writes fractions that read back as the same number", function()
    for _, n in ipairs { 1 / 3, 1e-300, 1.7976931348623157e308, 123456.789, 2 ^ 70 } do
      assert.equal(n, tonumber(json.encode_sorted(n)))
    end
  end)

  it("raises on numbers that JSON does not have", function()
    for _, n in ipairs { math.huge, -math.huge, 0 / 0 } do
      local ok, err = pcall(json.encode_sorted, { n = n })
      assert.is_false(ok)
      assert.equal("json: " .. tostring(n) .. " is not a JSON number", err)
    end
  end)

  it("writes null where lua-cjson has null", function()
    assert.equal('{"a":null}', json.encode_sorted { a = require("cjson").null })
  end)

  it("writes equal bytes for equal tables, whatever the order they were filled in", function()
    local keys = {}
    for i = 1, 50 do
      keys[i] = "k" .. (i * 7919) % 101
    end
    local forwards, backwards = {}, {}
    for i = 1, #keys do
      forwards[keys[i]] = i
    end
    for i = #keys, 1, -1 do
      backwards[keys[i]] = backwards[keys[i]] or forwards[keys[i]]
    end
    assert.equal(json.encode_sorted(forwards), json.encode_sorted(backwards))
  end)

  for _, case in ipairs {
    { "a function", print, "cannot write a function" },
    { "infinity", 1 / 0, "not a JSON number" },
    { "NaN", 0 / 0, "not a JSON number" },
    { "mixed keys", { 1, a = 2 }, "both array items and other keys" },
    { "a number as key", { [5.5] = 1 }, "both array items and other keys" },
    { "what is not UTF-8", { a = "\255" }, "not UTF%-8" },
  } do
    it("raises on " .. case[1], function()
      assert.error_matches(function()
        json.encode_sorted(case[2])
      end, case[3])
    end)
  end

  it("raises on what is nested too deep", function()
    local deep = {}
    for _ = 1, 100 do
      deep = { a = deep }
    end
    assert.error_matches(function()
      json.encode_sorted(deep)
    end, "nested deeper than")
  end)
end)

describe("the codec of a runtime", function()
  it("is what is given", function()
    local given = { encode = function() end, decode = function() end }
    assert.equal(given, json.codec(given))
  end)

  it("is lua-cjson else, loaded at its first use", function()
    local codec = json.codec()
    assert.same({ a = { 1, 2 } }, codec.decode(codec.encode { a = { 1, 2 } }))
  end)

  it("refuses what lacks a function", function()
    assert.error_matches(function()
      json.codec { encode = print }
    end, "encode and decode")
  end)
end)

describe("the codec of a runtime", function()
  local loaded = package.loaded.cjson

  after_each(function()
    package.loaded.cjson, package.preload.cjson = loaded, nil
  end)

  it("is lua-cjson, loaded at its first use, or says that it is missing", function()
    package.loaded.cjson = nil
    package.preload.cjson = function() error "not here" end
    local codec = json.codec()
    local ok, err = pcall(codec.decode, "{}")
    assert.is_false(ok)
    assert.equal("JSON needs lua-cjson, or the option json = {encode, decode}", err)
    package.loaded.cjson, package.preload.cjson = loaded, nil
    assert.same({ a = 1 }, codec.decode '{"a":1}')
    assert.equal('{"a":1}', codec.encode { a = 1 })
  end)

  it("is the one that is given, which has both functions", function()
    local given = { encode = function() end, decode = function() end }
    assert.equal(given, json.codec(given))
    for _, wrong in ipairs { {}, { encode = print }, { decode = print } } do
      assert.error_matches(function()
        json.codec(wrong)
      end, "needs the functions encode and decode")
    end
  end)
end)
