--- Frames of RFC 6455, in and out.

local busted = require "busted"
local assert = require "luassert"
local app = require "spec.contract.raw.app"
local raw = require "spec.contract.raw.client"
local describe, it = busted.describe, busted.it
local before_each, after_each = busted.before_each, busted.after_each

local frame = raw.frame
local beat = raw.message(nil, '"1"', "phoenix", "heartbeat")
local max_message_bytes, max_fragments = 2000, 8

-- The first byte of a masked frame replaced.
local function with_first_byte(byte, bytes)
  return string.char(byte) .. bytes:sub(2)
end

return function(platform)
  local stage, client = raw.stage(platform), nil

  before_each(function()
    stage.start(app.endpoint { max_message_bytes = max_message_bytes,
      max_fragments = max_fragments })
    client = stage.open()
  end)

  after_each(function() stage.finish() end)

  local function expect_beat()
    client:expect(nil, '"1"', "phoenix", "phx_reply", raw.ok())
  end

  describe("frames", function()
    it("may come byte by byte", function()
      for byte in frame(raw.text, beat):gmatch "." do
        client:bytes(byte)
      end
      expect_beat()
    end)

    it("may come many in one segment, each answered in order", function()
      local frames = {}
      for i = 1, 50 do
        frames[i] = frame(raw.text, raw.message(nil, tostring(i), "phoenix", "heartbeat"))
      end
      client:bytes(table.concat(frames))
      for i = 1, 50 do
        client:expect(nil, tostring(i), "phoenix", "phx_reply", raw.ok())
      end
    end)

    it("may be fragments, with a ping between them", function()
      client:bytes(frame(raw.text, beat:sub(1, 7), false))
      client:bytes(frame(raw.ping, "in between"))
      client:bytes(frame(raw.continuation, beat:sub(8, 9), false))
      client:bytes(frame(raw.continuation, beat:sub(10)))
      local pong = client:frame()
      assert.same({ "pong", "in between" }, { pong.kind, pong.data })
      expect_beat()
    end)

    it("of every length form are understood and sent", function()
      for _, bytes in ipairs { 0, 1, 125, 126, 127, 1500 } do
        local payload = '{"x":"' .. ("a"):rep(bytes) .. '"}'
        if bytes == 0 then client:join("plain:1", "1") end
        client:send("1", "2", "plain:1", "echo", payload)
        client:expect("1", "2", "plain:1", "phx_reply", raw.ok(payload))
      end
    end)

    it("ping is answered with its payload, pong with nothing", function()
      client:bytes(frame(raw.pong, "unasked") .. frame(raw.ping, "") .. frame(raw.ping, "ping!"))
      for _, data in ipairs { "", "ping!" } do
        local pong = client:frame()
        assert.same({ "pong", data }, { pong.kind, pong.data })
      end
      client:expect_nothing()
    end)
  end)

  describe("a broken frame ends the socket:", function()
    local masked = frame(raw.text, beat)
    local cases = {
      ["unmasked"] = { 1002, "\129" .. string.char(#beat) .. beat },
      ["reserved bit 1"] = { 1002, with_first_byte(0xC1, masked) },
      ["reserved bit 2"] = { 1002, with_first_byte(0xA1, masked) },
      ["reserved bit 3"] = { 1002, with_first_byte(0x91, masked) },
      ["data opcode 3"] = { 1002, with_first_byte(0x83, masked) },
      ["control opcode 11"] = { 1002, with_first_byte(0x8B, masked) },
      ["a fragmented ping"] = { 1002, frame(raw.ping, "", false) },
      ["a ping of 126 bytes"] = { 1002, frame(raw.ping, ("x"):rep(126)) },
      ["a continuation of nothing"] = { 1002, frame(raw.continuation, "x") },
      ["a message inside of another"] = {
        1002, frame(raw.text, "[", false) .. frame(raw.text, "]"),
      },
      ["a close frame of one byte"] = { 1002, frame(raw.close, "\3") },
      ["a close frame with the code 1005"] = { 1002, frame(raw.close, "\3\237") },
      ["a close frame with the code 999"] = { 1002, frame(raw.close, "\3\231") },
      ["a close reason that is not UTF-8"] = { 1007, frame(raw.close, "\3\233\255") },
      ["text that is not UTF-8"] = { 1007, frame(raw.text, '[null,"1","\255","e",{}]') },
      ["a surrogate in UTF-8"] = { 1007, frame(raw.text, '[null,"1","\237\160\128","e",{}]') },
      ["an overlong form in UTF-8"] = { 1007, frame(raw.text, '[null,"1","\192\175","e",{}]') },
      ["UTF-8 cut short at the end of a message"] = {
        1007, frame(raw.text, "[\226", false) .. frame(raw.continuation, "\130"),
      },
      ["a message over the limit"] = {
        1009, frame(raw.text, '["' .. ("x"):rep(max_message_bytes) .. '"]'),
      },
      ["a message over the limit by its head alone"] = {
        1009, "\129\255\0\0\0\0\255\255\255\255mask",
      },
      ["fragments over the limit, added up"] = {
        1009, frame(raw.text, ("x"):rep(1500), false) .. frame(raw.continuation, ("x"):rep(1500)),
      },
      ["too many fragments"] = {
        1009, frame(raw.text, "", false) .. frame(raw.continuation, "", false):rep(max_fragments),
      },
    }
    for what, case in pairs(cases) do
      it(what .. " → " .. case[1], function()
        client:bytes(case[2])
        client:expect_close(case[1])
      end)
    end

    it("nothing that comes after it is looked at", function()
      client:bytes(with_first_byte(0x83, masked) .. masked)
      client:expect_close(1002)
    end)

    it("what came before it is answered first", function()
      client:bytes(masked .. with_first_byte(0x83, masked))
      expect_beat()
      client:expect_close(1002)
    end)

    it("other sockets live on", function()
      local other = stage.open()
      client:bytes(with_first_byte(0x83, masked))
      client:expect_close(1002)
      other:expect_nothing()
    end)
  end)

  it("a message of exactly the limit passes", function()
    client:join("plain:1", "1")
    local head = raw.message("1", "2", "plain:1", "echo", '{"x":""}')
    local payload = '{"x":"' .. ("a"):rep(max_message_bytes - #head) .. '"}'
    local text = raw.message("1", "2", "plain:1", "echo", payload)
    assert.equal(max_message_bytes, #text)
    client:text(text)
    client:expect("1", "2", "plain:1", "phx_reply", raw.ok(payload))
  end)

  describe("a close frame of the client is answered with", function()
    for _, code in ipairs { 1000, 1001, 4001 } do
      it("its code " .. code, function()
        client:bytes(frame(raw.close,
          string.char(math.floor(code / 256), code % 256) .. "bye"))
        client:expect_close(code)
      end)
    end

    it("none when it has none", function()
      client:bytes(frame(raw.close, ""))
      client:expect_close(nil)
    end)
  end)
end
