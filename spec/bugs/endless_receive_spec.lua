-- `while true do pcall(receive) end` went on after its process had ended: the error that unwinds it
-- was caught each time, and nobody else had a turn any more. So it was with a timer of the manual
-- loop that set itself again for the same instant.
local manual_loop = require "presence.manual.loop"
local presence = require "presence"
local testing = require "presence.testing"
require "presence.testing.assertions"

describe("receiving without end", function()
  local logged, rt, loop

  before_each(function()
    logged, loop = {}, manual_loop.new()
    rt = presence.new {
      loop = loop,
      log = function(level, message) logged[#logged + 1] = level .. ": " .. message end,
    }
  end)

  it("stops when the process has ended, with a line in the log", function()
    local caught = 0
    local pid = rt.process.spawn(function()
      while true do
        if not pcall(rt.process.receive) then caught = caught + 1 end
      end
    end)
    rt.process.send(pid, "x")
    loop:turn()
    rt.process.exit(pid)
    loop:turn()
    assert.equal(1000, caught)
    assert.equal(1, #logged)
    assert.matches("^error: a process that has ended goes on to receive", logged[1])
    rt.process.send(pid, "y")
    loop:advance(60)
    assert.equal(1000, caught)
    assert.equal(0, loop:pending())
  end)

  it("leaves nothing behind", function()
    local function count() return collectgarbage "count" end
    local function run()
      for _ = 1, 200 do
        local pid = rt.process.spawn(function()
          while true do pcall(rt.process.receive) end
        end)
        rt.process.exit(pid)
      end
      loop:turn()
      logged = {}
      collectgarbage()
      collectgarbage()
    end
    run()
    local before = count()
    for _ = 1, 5 do run() end
    assert.is_true(count() - before < 50, count() - before .. " KiB more")
  end)

  it("of a channel's callback ends with the socket, and others go on", function()
    local Room = presence.channel()
    function Room.handle_in.wait()
      while true do pcall(presence.process.receive) end
    end
    local t = testing.new(presence.endpoint { channels = { ["room:*"] = Room } })
    local c, other = t:client(), t:client()
    c:join "room:1"
    c:push("wait", {})
    c:close()
    assert.replied(other:join "room:1", "ok")
    assert.matches("goes on to receive", t.logged[1].message)
    assert.equal("room:1", t.logged[1].fields.topic)
  end)

  it("may go on a few times, to tidy up", function()
    local tidied = false
    local pid = rt.process.spawn(function()
      for _ = 1, 900 do pcall(rt.process.receive) end
      tidied = true
    end)
    rt.process.exit(pid)
    loop:turn()
    assert.is_true(tidied)
    assert.same({}, logged)
  end)
end)

describe("a timer of the manual loop for the instant that it fires in", function()
  local loop

  before_each(function() loop = manual_loop.new() end)

  it("raises when it sets itself over and over", function()
    local fired = 0
    local function again()
      fired = fired + 1
      loop:after(0, again)
    end
    loop:after(1, again)
    local function user() loop:advance(2) end
    assert.error_matches(user, "a timer sets one for the same instant, over and over")
    assert.is_true(fired <= 10001)
    assert.equal(1, loop:now())
  end)

  it("may set others a thousand times, and very many may be set for one instant before", function()
    local fired = 0
    local function again(left)
      fired = fired + 1
      if left > 1 then loop:after(0, function() again(left - 1) end) end
    end
    loop:after(1, function() again(1000) end)
    for _ = 1, 20000 do loop:after(1, function() fired = fired + 1 end) end
    loop:advance(1)
    assert.equal(21000, fired)
    for _ = 1, 20000 do
      loop:after(0, function() fired = fired + 1 end)
      loop:turn()
    end
    assert.equal(41000, fired)
  end)
end)
