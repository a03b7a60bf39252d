-- A drain that began while `connect` waited (inside of nginx it may) passed over the socket that
-- was opened then, and it stayed. And a `connect` that returned the user's name in place of a
-- table was taken: `socket.assigns.user_id` of a string is nil, and nobody was tracked, without a
-- word.
local presence = require "presence"
local testing = require "presence.testing"

describe("connect", function()
  local request = { query = { vsn = "2.0.0" }, headers = {} }
  local transport = { framing = "message", send = function() end, close = function() end }

  it("that waits while the server drains lets nobody in", function()
    local signal
    local t = testing.new(presence.endpoint {
      channels = {},
      connect = function()
        signal:wait()
        return {}
      end,
    })
    signal = t.loop:signal()
    local answer
    t.loop:spawn(function() answer = { t.endpoint:connect(request, transport) } end)
    t.endpoint:drain()
    signal:post()
    t:advance(1)
    assert.same({ nil, 503, "draining" }, answer)
    assert.equal(0, t.endpoint:connections())
    t:finish()
  end)

  it("that returns no table is a fault of the application, and said to be one", function()
    local assigns
    local t = testing.new(presence.endpoint {
      channels = {},
      connect = function() return assigns end,
    })
    for _, wrong in ipairs { "ann", 7, print } do
      assigns = wrong
      assert.same({ nil, 500, "connect failed" }, { t.endpoint:connect(request, transport) })
    end
    assert.matches("connect must return a table of assigns.*got string", t.logged[1].message)
    for _, right in ipairs { true, { name = "ann" } } do
      assigns = right
      assert.is_table((t.endpoint:connect(request, transport)))
    end
  end)
end)
