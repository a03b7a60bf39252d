local core = require "presence.core"

describe("presence.core, text", function()
  describe("utf8_valid", function()
    it("takes UTF-8 and nothing else", function()
      for _, s in ipairs {
        "", "plain", "a\0b", "\195\169", "\240\159\152\128", "\244\143\191\191",
      } do
        assert.is_true(core.utf8_valid(s))
      end
      for _, s in ipairs {
        "\128", "\195", "\192\128", "\237\160\128", "\244\144\128\128", "a\255",
      } do
        assert.is_false(core.utf8_valid(s))
      end
    end)

    it("raises on what is no string", function()
      for _, value in ipairs { 1, true, {} } do
        assert.has_error(function() core.utf8_valid(value) end)
      end
      assert.has_error(function() core.utf8_valid() end)
    end)
  end)

  describe("json_valid", function()
    it("takes one JSON value", function()
      for _, text in ipairs {
        "{}", " [1,2.5e3] ", '"\\ud83d\\ude00"', "null", "-0", '{"a":{"b":[]}}',
      } do
        assert.is_true(core.json_valid(text))
      end
    end)

    it("says what is wrong, and where, counted from 1", function()
      assert.same({ nil, "bad_json", "a comma or the end is missing at byte 4" },
        { core.json_valid "[1 2]" })
      assert.same({ nil, "bad_json", "unexpected end at byte 1" }, { core.json_valid "" })
      assert.same({ nil, "bad_json", "unexpected character at byte 2" }, { core.json_valid "nan" })
      assert.same({ nil, "not_utf8", "not UTF-8 at byte 3" }, { core.json_valid '"a\255"' })
    end)

    it("limits depth, to 64 unless told", function()
      local function nested(n)
        return ("["):rep(n) .. ("]"):rep(n)
      end
      assert.is_true(core.json_valid(nested(64)))
      local _, word, detail = core.json_valid(nested(65))
      assert.same({ "bad_json", "nested too deep at byte 65" }, { word, detail })
      assert.is_true(core.json_valid(nested(3), 3))
      assert.is_nil(core.json_valid(nested(4), 3))
      assert.is_true(core.json_valid("1", 0))
      assert.is_nil(core.json_valid("[]", 0))
      assert.is_true(core.json_valid(nested(1024), 1024))
      for _, depth in ipairs { -1, 1.5, 1025, "x", 0 / 0, 1 / 0 } do
        assert.has_error(function() core.json_valid("[]", depth) end)
      end
    end)
  end)

  describe("json_quote", function()
    it("escapes what must be, and nothing else", function()
      assert.equal('""', core.json_quote "")
      assert.equal('"a/\195\169\127"', core.json_quote "a/\195\169\127")
      assert.equal('"\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001f"', core.json_quote '"\\\b\f\n\r\t\0\31')
      local long = ("x\n"):rep(5000)
      assert.equal('"' .. ("x\\n"):rep(5000) .. '"', core.json_quote(long))
    end)

    it("refuses what is not UTF-8", function()
      local quoted, word, detail = core.json_quote "a\255"
      assert.is_nil(quoted)
      assert.equal("not_utf8", word)
      assert.is_string(detail)
    end)
  end)

  describe("base64", function()
    it("gives back every byte string", function()
      local bytes = ""
      for i = 0, 300 do
        assert.equal(bytes, core.base64_decode(core.base64_encode(bytes)))
        bytes = bytes .. string.char(i * 37 % 256)
      end
      assert.equal("Zm9vYmE=", core.base64_encode "fooba")
    end)

    it("reads the URL-safe alphabet when asked to", function()
      assert.equal("\251\255\254", core.base64_decode("-__-", true))
      assert.equal("\251\255\254", core.base64_decode "+//+")
      assert.equal("f", core.base64_decode("Zg", true))
      for _, case in ipairs { { "-__-" }, { "+//+", true }, { "Zh==" }, { "Z" }, { "Zm 9v" } } do
        local decoded, word = core.base64_decode(case[1], case[2])
        assert.is_nil(decoded)
        assert.equal("bad_base64", word)
      end
    end)
  end)

  describe("cut_v2", function()
    local function cut(...)
      local results = { core.cut_v2(...) }
      results.n = select("#", core.cut_v2(...))
      return results
    end

    it("cuts a message in five, refs raw and names decoded", function()
      assert.same({ true, '"1"', "2", "room:A", "sh\"out", '{"x": [1]}', n = 6 },
        cut '["1",2,"room:\\u0041","sh\\"out",{"x": [1]}]')
      assert.same({ true, nil, nil, "", "\195\169", "null", n = 6 },
        cut '[null,null,"","\195\169",null]')
      assert.same({ true, nil, '"7"', "t", "e", "{}", n = 6 },
        cut ' [ null , "7" , "t","e", {} ,6,[7]] ')
    end)

    it("decodes long names too", function()
      local topic = ("t"):rep(1000)
      assert.equal(topic .. "\n", cut('[null,null,"' .. topic .. '\\n","e",{}]')[4])
    end)

    it("refuses everything else", function()
      for _, text in ipairs {
        "", "{}", "[]", "[1]", '[null,null,"t","e"]', '[null,null,"t","e",]',
        '[null,null,"t","e",{}]x',
        '[null,null,"t","e",{}', '[[],null,"t","e",{}]',
        '[null,false,"t","e",{}]', '[null,null,1,"e",{}]',
        '[null,null,"t",null,{}]', '[null,null,"t","e",nan]',
        '[null,null,"\255","e",{}]',
        '[null,null,"\\ud800","e",{}]', '[null,null,"t","\\udc00",{}]',
      } do
        local results = cut(text)
        assert.is_nil(results[1])
        assert.equal("bad_message", results[2])
        assert.is_string(results[3])
      end
    end)

    it("limits the payload's depth", function()
      assert.is_true((core.cut_v2('[null,null,"t","e",[[]]]', 2)))
      local ok, word, detail = core.cut_v2('[null,null,"t","e",[[]]]', 1)
      assert.is_nil(ok)
      assert.equal("bad_message", word)
      assert.equal("nested too deep at byte 21", detail)
    end)
  end)
end)
