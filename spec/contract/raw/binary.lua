--- Binary messages of version 2: bytes as payloads.

local busted = require "busted"
local assert = require "luassert"
local app = require "spec.contract.raw.app"
local raw = require "spec.contract.raw.client"
local describe, it = busted.describe, busted.it
local before_each, after_each = busted.before_each, busted.after_each

local bytes = "\0\1\255 \226\130"

-- The head: a first byte, the lengths of the fields, the fields.
local function head(kind, ...)
  local lengths, fields = {}, { ... }
  for i, field in ipairs(fields) do
    lengths[i] = string.char(#field)
  end
  return string.char(kind) .. table.concat(lengths) .. table.concat(fields)
end

return function(platform)
  local stage, endpoint, client = raw.stage(platform), nil, nil

  before_each(function()
    endpoint = app.endpoint()
    stage.start(endpoint)
    client = stage.open()
  end)

  after_each(function() stage.finish() end)

  local function send(data)
    client:bytes(raw.frame(raw.binary, data))
  end

  local function push(join_ref, ref, topic, event, data)
    send(head(0, join_ref, ref, topic, event) .. (data or bytes))
  end

  local function expect(data)
    local frame = client:frame()
    assert.equal("binary", frame and frame.kind)
    assert.equal(data, frame.data)
  end

  describe("a push of the client", function()
    it("reaches handle_in_raw, and bytes go back as a reply", function()
      client:join("plain:1", '"1"')
      push("1", "2", "plain:1", "raw_echo")
      expect(head(1, "1", "2", "plain:1", "ok") .. bytes)
      push("1", "3", "plain:1", "raw_error", "")
      expect(head(1, "1", "3", "plain:1", "error"))
    end)

    it("is answered with text by a handler that does so", function()
      client:join("plain:1", '"1"')
      push("1", "2", "plain:1", "raw_silent")
      push("1", "3", "plain:1", "raw_shout")
      expect(head(2, "plain:1", "raw_shouted") .. bytes)
      client:expect_nothing()
    end)

    it("has an empty join_ref for null", function()
      client:join("plain:1", '"1"')
      push("", "2", "plain:1", "raw_echo")
      expect(head(1, "1", "2", "plain:1", "ok") .. bytes)
      push("", "", "plain:1", "raw_echo")
      expect(head(1, "1", "", "plain:1", "ok") .. bytes)
    end)

    it("with a stale join_ref is dropped; a number is no string", function()
      client:join("plain:1", "7")
      push("6", "8", "plain:1", "raw_echo")
      push("7", "9", "plain:1", "raw_echo")
      client:expect_nothing()
    end)

    it("on a topic that is not joined is answered like an unmatched topic", function()
      push("1", "é\"", "plain:1", "raw_echo")
      client:expect(nil, '"é\\""', "plain:1", "phx_reply", raw.error '{"reason":"unmatched topic"}')
    end)

    it("is no payload for handle_in, nor for a join", function()
      client:join("plain:1", '"1"')
      push("1", "2", "plain:1", "echo")
      client:expect('"1"', '"2"', "plain:1", "phx_reply", raw.error '{"reason":"bad payload"}')
      push("3", "3", "plain:2", "phx_join")
      client:expect('"3"', '"3"', "plain:2", "phx_reply", raw.error '{"reason":"bad payload"}')
    end)

    it("that the channel does not know ends it", function()
      client:join("plain:1", '"1"')
      push("1", "2", "plain:1", "no_such_event")
      client:expect('"1"', '"1"', "plain:1", "phx_error", '{"reason":"channel_crash"}')
    end)

    it("may be a heartbeat, and a leave", function()
      push("", "1", "phoenix", "heartbeat")
      client:expect(nil, '"1"', "phoenix", "phx_reply", raw.ok())
      client:join("plain:1", '"1"')
      push("1", "2", "plain:1", "phx_leave")
      client:expect('"1"', '"2"', "plain:1", "phx_reply", raw.ok())
      client:expect('"1"', '"1"', "plain:1", "phx_close", "{}")
    end)

    it("has fields of up to 255 bytes, and may come in fragments", function()
      local topic = "plain:" .. ("x"):rep(249)
      client:join(topic, '"1"')
      local data = head(0, "1", ("r"):rep(255), topic, "raw_echo") .. bytes
      client:bytes(raw.frame(raw.binary, data:sub(1, 100), false)
        .. raw.frame(raw.continuation, data:sub(101)))
      expect(head(1, "1", ("r"):rep(255), topic, "ok") .. bytes)
    end)
  end)

  describe("of the server", function()
    it("a push has no ref, a broadcast no refs, a reply has the status", function()
      client:join("plain:1", '"1"')
      client:send('"1"', '"2"', "plain:1", "push_bytes", '{"text":"hé"}')
      expect(head(0, "1", "plain:1", "pushed") .. "hé")
      client:send('"1"', '"3"', "plain:1", "shout_bytes", '{"text":""}')
      expect(head(2, "plain:1", "bytes"))
      client:expect('"1"', '"3"', "plain:1", "phx_reply", raw.ok())
      client:send('"1"', '"4"', "plain:1", "reply_bytes", '{"text":"a"}')
      expect(head(1, "1", "4", "plain:1", "ok") .. "a")
    end)

    it("refs are the bytes that text says, numbers their digits", function()
      client:join("plain:1", '"\\u00e9"')
      client:send('"é"', "7", "plain:1", "reply_bytes", '{"text":"a"}')
      client:send('"\\u00e9"', "7", "plain:1", "reply_bytes", '{"text":"a"}')
      expect(head(1, "é", "7", "plain:1", "ok") .. "a")
    end)

    it("a field that is too long ends the channel that sends it, and reaches nobody", function()
      local other = stage.open()
      other:join("plain:1", '"1"')
      client:join("plain:1", '"1"')
      client:send('"1"', '"2"', "plain:1", "shout_bytes",
        '{"text":"a","event":"' .. ("e"):rep(256) .. '"}')
      client:expect('"1"', '"1"', "plain:1", "phx_error", '{"reason":"channel_crash"}')
      other:expect_nothing()
    end)

    it("nothing of bytes goes to clients of version 1, and that is counted", function()
      local old = stage.open { vsn = "1.0.0" }
      local join_old = '{"topic":"plain:1","event":"phx_join","payload":{},"ref":"1"}'
      local reply = '{"topic":"%s","event":"phx_reply","ref":"%d","payload":' .. raw.ok() .. "}"
      old:text(join_old)
      old:expect(reply:format("plain:1", 1))
      client:join("plain:1", '"1"')
      client:send('"1"', '"2"', "plain:1", "shout_bytes", '{"text":"a"}')
      expect(head(2, "plain:1", "bytes") .. "a")
      client:expect('"1"', '"2"', "plain:1", "phx_reply", raw.ok())
      old:text '{"topic":"plain:1","event":"push_bytes","payload":{"text":"a"},"ref":"2"}'
      old:text '{"topic":"plain:1","event":"reply_bytes","payload":{"text":"a"},"ref":"3"}'
      old:text '{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"4"}'
      old:expect(reply:format("phoenix", 4))
      assert.equal(3, endpoint:metrics().binary_skipped_total)
    end)
  end)

  describe("a binary message that is none closes the whole socket, 1011:", function()
    for what, data in pairs {
      ["nothing"] = "",
      ["a head cut short"] = "\0\1\1",
      ["a field cut short"] = "\0\1\1\7\255" .. "12plain:1echo",
      ["a reply"] = head(1, "1", "2", "plain:1", "ok"),
      ["a broadcast"] = head(2, "plain:1", "bytes"),
      ["an unknown kind"] = head(3, "1", "2", "plain:1", "raw_echo"),
      ["a topic that is not UTF-8"] = head(0, "1", "2", "plain:\255", "raw_echo"),
      ["a ref that is not UTF-8"] = head(0, "1", "\192\175", "plain:1", "raw_echo"),
      ["text"] = raw.message('"1"', '"2"', "plain:1", "raw_echo"),
    } do
      it(what, function()
        client:join("plain:1", '"1"')
        send(data)
        client:expect_close(1011)
      end)
    end
  end)
end
