-- A process that sent itself a message for each that it read never let go of the loop: no other
-- process, no timer and no socket had a turn any more.
local presence = require "presence"
local manual_loop = require "presence.manual.loop"
local testing = require "presence.testing"

describe("a mailbox that never runs empty", function()
  local endless = 20000

  it("of a process lets timers and other processes run meanwhile", function()
    local rt = presence.new { loop = manual_loop.new() }
    local process = rt.process
    local handled, at_timer = 0, nil
    rt.loop:after(0, function() at_timer = handled end)
    process.spawn(function()
      process.send(process.self(), "on")
      while handled < endless do
        process.receive()
        handled = handled + 1
        process.send(process.self(), "on")
      end
    end)
    rt.loop:turn()
    assert.equal(endless, handled)
    assert.is_true(at_timer < endless, "the timer came at " .. at_timer)
  end)

  it("of a channel does too, and the channel can be ended", function()
    local handled, at_timer = 0, nil
    local Room = presence.channel {
      handle_info = function(socket)
        handled = handled + 1
        if handled < endless then socket.runtime.process.send(socket.pid, "on") end
      end,
    }
    local t = testing.new(presence.endpoint { channels = { ["room:*"] = Room } })
    local c = t:client()
    c:join "room:1"
    t.loop:after(0, function()
      at_timer = handled
      c.connection:closed(1001)
    end)
    t.runtime.process.send(next(t.runtime.processes.by_pid_), "on")
    t:advance(1)
    assert.is_true(at_timer > 0 and at_timer < endless, "the timer came at " .. at_timer)
    assert.equal(at_timer, handled)
    t:finish()
  end)
end)
