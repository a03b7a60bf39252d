-- A client wrote as much into the log as it liked, by events that its channel does not know and by
-- payloads that crash it; and an event's name with a line feed in it made log lines of its own.
local presence = require "presence"
local manual_loop = require "presence.manual.loop"
local testing = require "presence.testing"

describe("the log, as clients can reach it", function()
  local function start(opts)
    local Room = presence.channel()
    function Room.handle_in.crash(_, payload) return payload.missing.field end
    opts.channels = { ["room:*"] = Room }
    opts.max_messages_per_s = false
    return testing.new(presence.endpoint(opts))
  end

  local function flood(t, event)
    local c = t:client()
    for _ = 1, 500 do
      c:join "room:1"
      c:push(event, {})
    end
    c:close()
  end

  for _, event in ipairs { "unknown", "crash" } do
    it("takes so many lines by the event " .. event .. ", and counts the rest", function()
      local t = start { max_logged_per_s = 5 }
      flood(t, event)
      assert.equal(50, #t.logged)
      t:advance(1)
      flood(t, event)
      assert.equal(55, #t.logged)
      assert.equal(450, t.logged[51].fields.not_logged)
      assert.is_nil(t.logged[52].fields.not_logged)
    end)
  end

  it("takes so many lines of what callbacks of a runtime raise, and counts the rest", function()
    local lines, loop = {}, manual_loop.new()
    local rt = presence.new {
      loop = loop, max_logged_per_s = 5,
      log = function(_, message, fields)
        lines[#lines + 1] = { message:match "^[%a_]+ [%a_]+", fields.not_logged }
      end,
      on_join = function() error "boom" end,
    }
    for i = 1, 200 do rt.track({ topic = "t", pid = i }, "k", {}) end
    loop:turn()
    assert.equal(50, #lines)
    loop:advance(1)
    rt.process.spawn(error, "boom")
    assert.same({ "process crashed", 150 }, lines[51])
    for _ = 1, 100 do rt.log("info", "own lines") end
    assert.equal(151, #lines)
  end)

  it("takes every line when the limit is off", function()
    local t = start { max_logged_per_s = false }
    flood(t, "unknown")
    assert.equal(500, #t.logged)
  end)

  it("keeps a client's text on one line, and short", function()
    local loop, lines = manual_loop.new(), {}
    loop.write_log = function(_, line) lines[#lines + 1] = line end
    local rt = presence.new { loop = loop }
    rt.log("warn", "no handle_in for an event", {
      topic = "room:1\r\npresence: error: forged\27[2J", event = ("x"):rep(60000),
    })
    assert.equal("no handle_in for an event event=" .. ("x"):rep(200)
      .. "... topic=room:1\\x0d\\x0apresence: error: forged\\x1b[2J", lines[1])
    rt.log("info", "many", { f = 6, b = 2, e = 5, a = 1, d = 4, c = 3, h = 8, g = 7 })
    assert.equal("many a=1 b=2 c=3 d=4 e=5 f=6 g=7 h=8", lines[2])
  end)
end)
