-- Phoenix's messages beside version 2's text: version 1 and payloads of bytes.
local core = require "presence.core"
local presence = require "presence"
local testing = require "presence.testing"
require "presence.testing.assertions"

local function results(...)
  return { n = select("#", ...), ... }
end

describe("presence.core, version 1:", function()
  it("cut_v1 cuts an object, refs raw and names decoded", function()
    assert.same(results(true, '"1"', "2", "A", "sh\"", '{"x": [1]}'), results(core.cut_v1(
      '{"topic":"\\u0041","event":"sh\\"","payload":{"x": [1]},"ref":2,"join_ref":"1"}')))
    assert.same(results(true, nil, nil, "t", "e", "null"), results(core.cut_v1(
      '{"ref":null,"payload":null,"event":"e","topic":"t"}')))
  end)

  it("cut_v1 refuses everything else, and says where", function()
    for _, text in ipairs {
      "", "{}", "[]", '[null,null,"t","e",{}]', '{"topic":"t","event":"e","payload":{}}',
      '{"topic":"\\ud800","event":"e","payload":{},"ref":1}',
      '{"topic":"t","event":"e","payload":{},"ref":1}}',
    } do
      local ok, word, detail = core.cut_v1(text)
      assert.same({ nil, "bad_message" }, { ok, word })
      assert.is_string(detail)
    end
    assert.same(results(nil, "bad_message", "event is no string at byte 22"), results(core.cut_v1(
      '{"topic":"t","event":1,"payload":{},"ref":1}')))
  end)

  it("cut_v1 limits the payload's depth", function()
    local text = '{"topic":"t","event":"e","payload":[[]],"ref":1}'
    assert.is_true((core.cut_v1(text, 2)))
    assert.is_nil((core.cut_v1(text, 1)))
  end)

  it("message_v1 writes what cut_v1 reads, without a join_ref", function()
    local m = core.message_v1('"2"', "room\"", "ev", '{"a":[]}')
    assert.equal('{"topic":"room\\"","event":"ev","ref":"2","payload":{"a":[]}}', m:text())
    assert.is_false(m:is_binary())
    assert.same({ true, nil, '"2"', "room\"", "ev", '{"a":[]}' }, { core.cut_v1(m:text()) })
    assert.matches('"ref":null', core.message_v1(nil, "t", "e", "{}"):text())
    assert.has_error(function() core.message_v1(nil, "\255", "e", "{}") end)
    assert.has_error(function() core.message_v1(nil, "t", "e") end)
  end)
end)

describe("presence.core, binary messages:", function()
  it("every kind is read as it is written", function()
    for kind, expected in pairs {
      client_push = results(true, '"1"', '"é\\""', "t", "e", "\0\255", "client_push"),
      push = results(true, '"1"', nil, "t", "e", "\0\255", "push"),
      reply = results(true, '"1"', '"é\\""', "t", "e", "\0\255", "reply"),
      broadcast = results(true, nil, nil, "t", "e", "\0\255", "broadcast"),
    } do
      local m = core.message_binary(kind, '"1"', '"\\u00e9\\""', "t", "e", "\0\255")
      assert.is_true(m:is_binary())
      assert.same(expected, results(core.cut_binary(m:text(), kind ~= "client_push")))
    end
  end)

  it("refs may be numbers and null", function()
    assert.equal("\1\1\0\1\2" .. "7tokdata",
      core.message_binary("reply", "7", nil, "t", "ok", "data"):text())
    assert.same(results(true, nil, nil, "", "", "", "client_push"),
      results(core.cut_binary "\0\0\0\0\0"))
  end)

  it("what is none is refused", function()
    for _, bytes in ipairs { "", "\0", "\0\1\0\0\0", "\1\0\0\0\0", "\0\0\0\1\0\255" } do
      local ok, word, detail = core.cut_binary(bytes)
      assert.same({ nil, "bad_message" }, { ok, word })
      assert.is_string(detail)
    end
  end)

  it("fields over 255 bytes are misuse, as are refs that no text says", function()
    local long = ("x"):rep(256)
    for _, args in ipairs {
      { "push", nil, nil, long, "e", "" }, { "push", nil, nil, "t", long, "" },
      { "reply", '"' .. long .. '"', nil, "t", "e", "" }, { "reply", nil, long, "t", "e", "" },
      { "reply", '"\\ud800"', nil, "t", "e", "" }, { "reply", nil, nil, "\255", "e", "" },
      { "reply", nil, nil, "t", "e" }, { "other", nil, nil, "t", "e", "" },
    } do
      assert.has_error(function()
        core.message_binary(args[1], args[2], args[3], args[4], args[5], args[6])
      end)
    end
    local escaped = '"' .. ("\\u0061"):rep(255) .. '"'
    assert.equal(260, #core.message_binary("reply", escaped, nil, "", "", ""):text())
  end)
end)

it("random_bytes gives other bytes each time", function()
  local first, second = core.random_bytes(24), core.random_bytes(24)
  assert.equal(24, #first)
  assert.not_equal(first, second)
  assert.has_error(function() core.random_bytes(0) end)
  assert.has_error(function() core.random_bytes(257) end)
end)

describe("presence.binary", function()
  local Room, t

  before_each(function()
    Room = presence.channel()
    function Room.handle_in_raw.echo(socket, payload)
      socket:push("pushed", payload)
      socket:broadcast("shouted", payload)
      return "ok", payload
    end
    function Room.handle_in.long(socket)
      socket:broadcast(("e"):rep(256), presence.binary "x")
    end
    t = testing.new(presence.endpoint { channels = { ["room:*"] = Room } })
  end)

  it("holds bytes, and nothing else", function()
    assert.equal("\0\255", presence.binary("\0\255").bytes)
    assert.equal("presence.binary: 2 bytes", tostring(presence.binary "ab"))
    assert.has_error(function() presence.binary() end)
    assert.has_error(function() presence.binary {} end)
  end)

  it("goes in and out of channels", function()
    local ann, ben = t:client(), t:client()
    ann:join "room:1"
    ben:join "room:1"
    local reply = ann:push("echo", presence.binary "\0\255")
    assert.equal("ok", reply.status)
    assert.equal("\0\255", reply.response.bytes)
    assert.equal("\0\255", ann:expect("pushed").bytes)
    assert.equal("\0\255", ann:expect("shouted", "room:1").bytes)
    assert.equal("\0\255", ben:expect("shouted").bytes)
    assert.replied(ann:push("echo", "[1]"), "ok", { 1 })
    t:finish()
  end)

  it("waits its turn for a slow reader, as text does", function()
    local ann, ben = t:client(), t:client()
    ann:join "room:1"
    ben:join "room:1"
    ben:stop_reading()
    ann:push("echo", presence.binary "1")
    ann:push("echo", presence.binary "2")
    ben:read_on()
    assert.equal("1", ben:expect("shouted").bytes)
    assert.equal("2", ben:expect("shouted").bytes)
    t:finish()
  end)

  it("does not go to clients of version 1", function()
    local ann, old = t:client(), t:client { vsn = "1.0.0" }
    ann:join "room:1"
    assert.replied(old:join "room:1", "ok")
    ann:push("echo", presence.binary "\0")
    assert.has_error(function() old:expect "shouted" end)
    assert.equal(1, t.endpoint:metrics().binary_skipped_total)
    ann:push("echo", { text = true })
    assert.same({ text = true }, old:expect "shouted")
    t:finish()
  end)

  it("reaches processes that subscribe as it was sent, and handle_out", function()
    local heard
    Room.handle_out.shouted = function(_, payload)
      return presence.binary(payload.bytes .. "!")
    end
    local ann = t:client()
    ann:join "room:1"
    t.runtime.process.spawn(function()
      t.runtime.pubsub:subscribe "room:1"
      heard = presence.process.receive().payload
    end)
    ann:push("echo", presence.binary "a")
    assert.equal("a", heard.bytes)
    assert.equal("a!", ann:expect("shouted").bytes)
    t:finish()
  end)

  it("with a name too long for its head raises before anybody gets it", function()
    local ann, ben = t:client(), t:client()
    ann:join "room:1"
    ben:join "room:1"
    ann:push "long"
    ann:expect "phx_error"
    assert.matches("the event has 256 bytes", t.logged[#t.logged].message)
    assert.has_error(function() ben:expect(("e"):rep(256)) end)
    assert.has_error(function()
      t.runtime.pubsub:broadcast("room:1", ("e"):rep(256), presence.binary "x")
    end)
  end)

  it("is no value of the runtime's other payloads", function()
    assert.has_error(function() t.runtime:payload(7) end)
    assert.equal("{}", t.runtime:payload(nil))
  end)
end)
