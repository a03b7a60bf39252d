-- A process that was ended while its `join` was decided told its client `phx_error` and never
-- answered the join; and a join that took another one's place while that was still being decided
-- swallowed the phx_close of the channel before both.
local presence = require "presence"
local testing = require "presence.testing"
require "presence.testing.assertions"

describe("a process that ends while it joins", function()
  local t, pids

  before_each(function()
    pids = {}
    t = testing.new(presence.endpoint {
      channels = {
        ["room:*"] = presence.channel {
          join = function(socket, _, params)
            pids[#pids + 1] = socket.pid
            socket:track("ann", {})
            if params.exit then
              presence.process.exit(nil, params.exit)
            elseif params.wait then
              presence.process.receive()
            end
            return true
          end,
        },
      },
    })
  end)

  -- Frames as they go out: [join_ref, event, status, reason].
  local function watch(c)
    local frames = {}
    local receive = c.protocol.receive
    c.protocol.receive = function(self, text)
      local message = t.runtime.json.decode(text)
      local payload = message[5]
      frames[#frames + 1] = table.concat({
        tostring(message[1]), message[4], payload.status, payload.response
          and payload.response.reason,
      }, " ")
      return receive(self, text)
    end
    return frames
  end

  it("answers the join, whatever the reason, and tells nothing else", function()
    for _, reason in ipairs { "normal", "shutdown", "broken" } do
      local c = t:client()
      local frames = watch(c)
      assert.same({ nil, "no_reply" }, { c:join("room:1", { wait = true }) })
      assert.is_true(t.runtime.process.exit(pids[#pids], reason))
      t:advance(0)
      assert.same({ "1 phx_reply error join crashed" }, frames)
      assert.equal(0, t.endpoint:metrics().channels)
      assert.equal(0, t.runtime.count "room:1")
    end
    t:finish()
  end)

  it("answers it when its own join ends it", function()
    local c = t:client()
    assert.replied(c:join("room:1", { exit = "normal" }), "error", { reason = "join crashed" })
    assert.replied(c:join("room:1", { exit = "odd" }), "error", { reason = "join crashed" })
    assert.replied(c:join("room:1", {}), "ok")
    t:finish()
  end)

  it("closes the channel whose place it was to take", function()
    local c = t:client()
    c:join("room:1", {})
    local frames = watch(c)
    c:join("room:1", { wait = true })
    t.runtime.process.exit(pids[2], "normal")
    t:advance(0)
    assert.same({ "2 phx_reply error join crashed", "1 phx_close" }, frames)
    t:finish()
  end)

  it("closes both when a third join comes, the older one first", function()
    local c = t:client()
    c:join("room:1", {})
    local frames = watch(c)
    c:join("room:1", { wait = true })
    c:join("room:1", {})
    assert.same({ "3 phx_reply ok", "1 phx_close", "2 phx_close", "3 presence_state" },
      { (frames[1]:gsub("%s+$", "")), frames[2], frames[3], frames[4] })
    assert.equal(4, #frames)
    t:finish()
  end)
end)
