-- A second join of a topic ends the old channel, whose `terminate` may end the socket. The new
-- channel then started on a socket that was gone, and its presence stayed for ever.
local presence = require "presence"

describe("a rejoin whose old channel ends the socket in terminate", function()
  it("leaves no ghost", function()
    local endpoint, joins = nil, 0
    local room = presence.channel {
      join = function()
        joins = joins + 1
        return true
      end,
      track = function(socket) return socket.assigns.user_id, {} end,
      terminate = function(socket) endpoint:disconnect(socket.assigns.user_id) end,
    }
    endpoint = presence.endpoint {
      id = function(assigns) return assigns.user_id end,
      connect = function(params) return { user_id = params.user_id } end,
      channels = { ["room:*"] = room },
    }
    local t = presence.testing.new(endpoint)
    local ann = t:client { user_id = "ann" }
    ann:join "room:1"
    assert.equal(1, t.runtime.count "room:1")
    pcall(ann.join, ann, "room:1")
    t:advance(1)
    assert.equal(0, t.runtime.count "room:1")
    assert.equal(1, joins)
    t:finish()
  end)
end)
