-- phoenix_pubsub#68: a server that shut down ended its channels in the normal way, and clients were
-- told phx_close: they took it for the wish of the application and never joined again. A client
-- joins again after an abnormal end of the socket only, and phoenix.js before 1.8.16 takes 1000
-- for a normal one.
local presence = require "presence"
local testing = require "presence.testing"

describe("a shutdown", function()
  local endpoint, reasons

  before_each(function()
    reasons = {}
    endpoint = presence.endpoint {
      id = function() return "ann" end,
      idle_timeout_s = 10,
      channels = {
        ["room:*"] = presence.channel {
          track = function() return "ann", {} end,
          terminate = function(_, reason) reasons[#reasons + 1] = reason end,
        },
      },
    }
  end)

  local function joined()
    local t = testing.new(endpoint)
    local c = t:client()
    assert(c:join("room:1").status == "ok")
    assert(c:join("room:2").status == "ok")
    return t, c
  end

  local function assert_will_rejoin(t, c, code)
    assert.equal(code, c.closed)
    for _, message in ipairs(c.inbox) do
      assert.not_equal("phx_close", message.event)
    end
    assert.equal(2, #reasons)
    assert.equal(0, t.runtime.count "room:1")
    t:finish()
  end

  it("closes the sockets with 1012 and no channel with phx_close", function()
    local t, c = joined()
    endpoint:drain()
    t:advance(0)
    assert_will_rejoin(t, c, 1012)
  end)

  it("spread over time does so too", function()
    local t, c = joined()
    endpoint:drain { spread_s = 5 }
    t:advance(5)
    assert_will_rejoin(t, c, 1012)
  end)

  it("is no more normal than the other ends from this side", function()
    local t, c = joined()
    endpoint:disconnect "ann"
    t:advance(0)
    assert_will_rejoin(t, c, 1001)
    reasons = {}
    t, c = joined()
    t:advance(15)
    assert_will_rejoin(t, c, 1001)
  end)
end)
