-- A handle_info that returned "ok" as other handlers do sent its client a reply to no message.
local presence = require "presence"
local testing = require "presence.testing"
require "presence.testing.assertions"

describe("what handle_info returns", function()
  it("sends nothing, unless it stops the channel or makes no sense", function()
    local pid
    local Room = presence.channel {
      presence = "none",
      join = function(socket)
        pid = socket.pid
        return true
      end,
      handle_info = function(_, message) return message.status, message.response end,
    }
    local t = testing.new(presence.endpoint { channels = { ["room:*"] = Room } })
    local c = t:client()
    c:join "room:1"
    local texts, receive = {}, c.protocol.receive
    c.protocol.receive = function(protocol, text)
      texts[#texts + 1] = text
      return receive(protocol, text)
    end
    local send = t.runtime.process.send
    send(pid, { status = "ok", response = { n = 1 } })
    send(pid, { status = "error" })
    send(pid, {})
    t:advance(1)
    assert.same({}, texts)
    send(pid, { status = "stop", response = "done" })
    t:advance(1)
    assert.received(c, "phx_close")
    t:finish()

    c = t:client()
    c:join "room:1"
    send(pid, { status = 42 })
    assert.received(c, "phx_error")
  end)
end)
