local cjson = require "cjson"
local manual_loop = require "presence.manual.loop"
local presence = require "presence"
local testing = require "presence.testing"
require "presence.testing.assertions"

describe("a runtime", function()
  it("takes another codec for JSON, and uses no other", function()
    local encoded, decoded = 0, 0
    local codec = {
      encode = function(value)
        encoded = encoded + 1
        return cjson.encode(value)
      end,
      decode = function(text)
        decoded = decoded + 1
        return cjson.decode(text)
      end,
    }
    local Room = presence.channel()
    function Room.handle_in.echo(_, payload)
      return "ok", payload
    end
    local t = testing.new(presence.endpoint { channels = { ["room:*"] = Room } }, { json = codec })
    local c = t:client()
    c:join "room:1"
    encoded, decoded = 0, 0
    assert.replied(c:push("echo", { a = 1 }), "ok", { a = 1 })
    assert.same({ 2, 2 }, { encoded, decoded }) -- by the client and by the server
    t:finish()
  end)

  describe("logs", function()
    local stderr = io.stderr

    after_each(function()
      io.stderr = stderr -- luacheck: ignore 122
    end)

    local function captured(act)
      local written = {}
      io.stderr = { -- luacheck: ignore 122
        write = function(_, ...)
          written[#written + 1] = table.concat { ... }
        end,
      }
      act()
      io.stderr = stderr -- luacheck: ignore 122
      return written
    end

    it("warnings and errors to standard error, where nothing else is said", function()
      local rt = presence.new { loop = manual_loop.new() }
      assert.same({ "presence: warn: careful a=1 b=x\n", "presence: error: broken\n" },
        captured(function()
          rt.log("debug", "silent")
          rt.log("info", "silent", { a = 1 })
          rt.log("warn", "careful", { b = "x", a = 1 })
          rt.log("error", "broken")
        end))
    end)

    it("to the function it is given, fields and all, whatever that raises", function()
      local seen = {}
      local rt = presence.new {
        loop = manual_loop.new(),
        log = function(level, message, fields)
          seen[#seen + 1] = { level, message, fields }
          error "the log is full"
        end,
      }
      assert.same({}, captured(function()
        rt.log("warn", "careful", { a = 1 })
        rt.log("info", "quiet")
      end))
      assert.same({ { "warn", "careful", { a = 1 } }, { "info", "quiet", {} } }, seen)
    end)
  end)

  it("gives refs a prefix that no other run gives, or the one it is told", function()
    local one, other = presence.new { loop = manual_loop.new() }, presence.new {
      loop = manual_loop.new(),
    }
    local socket = { topic = "t", pid = 1 }
    assert.not_equal(one.track(socket, "k", {}), other.track(socket, "k", {}))
    local told = presence.new { loop = manual_loop.new(), ref_prefix = "F" }
    assert.equal("F1", told.track(socket, "k", {}))
    assert.equal("F2", told.update(socket, "k", { n = 1 }))
  end)

  it("takes payloads as the wire does: text as it is, tables encoded, nothing as {}", function()
    local rt = presence.new { loop = manual_loop.new() }
    assert.equal("{}", rt:payload(nil))
    assert.equal('{"a":1}', rt:payload { a = 1 })
    assert.equal(" [1e2] ", rt:payload " [1e2] ")
    local bytes = presence.binary "x"
    assert.equal(bytes, rt:payload(bytes))
    for message, wrong in pairs {
      ["payload: a string must be JSON text: "] = "{",
      ["payload: must be a table, a string that is JSON text, or presence.binary(bytes), got"] = 5,
      ["payload: a string in it is not UTF-8"] = { "\255" },
    } do
      local ok, err = pcall(rt.payload, rt, wrong)
      assert.is_false(ok)
      assert.equal(message, err:sub(1, #message))
    end
  end)
end)
