-- A table with a string that is no UTF-8, such as a name cut after so many bytes, was broadcast as
-- it was: every browser on the topic closes its socket at such a frame (RFC 6455, section 8.1).
local presence = require "presence"
local testing = require "presence.testing"
require "presence.testing.assertions"

describe("a payload with half a character", function()
  it("raises where it is given, and reaches nobody", function()
    local Room = presence.channel { presence = "none" }
    function Room.handle_in.say(socket, payload)
      socket:broadcast("said", { text = payload.text:sub(1, 4) })
      return "ok"
    end
    function Room.handle_in.whisper(socket, payload)
      socket:push("said", { text = payload.text:sub(1, 4) })
      return "ok"
    end
    function Room.handle_in.echo(_, payload)
      return "ok", { text = payload.text:sub(1, 4) }
    end
    local t = testing.new(presence.endpoint { channels = { ["room:*"] = Room } })
    local other = t:client()
    other:join "room:1"
    for _, event in ipairs { "say", "whisper", "echo" } do
      local c = t:client()
      c:join "room:1"
      assert.replied(c:push(event, { text = "good news" }), "ok")
      c.inbox = {}
      assert.is_nil((c:push(event, { text = "caf\195\169s" })), event) -- "caf" and half of "é"
      assert.same({ "phx_error" }, { c.inbox[1].event, c.inbox[2] and c.inbox[2].event })
    end
    assert.received(other, "said", { text = "good" })
    assert.same({}, other.inbox)
    assert.matches("a string in it is not UTF%-8", t.logged[1].message)
    local ok, err = pcall(function()
      t.endpoint.endpoint:broadcast("room:1", "said", { ["\255"] = 1 })
    end)
    assert.same({ false, "payload: a string in it is not UTF-8" }, { ok, err })
  end)
end)
