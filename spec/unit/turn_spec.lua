local manual_loop = require "presence.manual.loop"
local turn = require "presence.turn"

describe("a turn", function()
  local loop, errors, one, order

  before_each(function()
    loop, errors, order = manual_loop.new(), {}, {}
    one = turn.new(loop, function(err) errors[#errors + 1] = err end)
  end)

  local function job(name, act)
    return {
      turn = function()
        order[#order + 1] = name
        if act then act() end
      end,
    }
  end

  it("runs, then flushes, then writes, in whatever order jobs came", function()
    one:add("write", job "write 1")
    one:add("flush", job "flush 1")
    one:add("run", job "run 1")
    one:add("write", job "write 2")
    one:add("run", job "run 2")
    assert.same({}, order)
    loop:turn()
    assert.same({ "run 1", "run 2", "flush 1", "write 1", "write 2" }, order)
    assert.equal(0, loop:pending())
  end)

  it("goes back to an earlier phase for what a later one brings", function()
    one:add("write", job("write 1", function() one:add("flush", job "flush late") end))
    one:add("write", job "write 2")
    one:add("flush", job("flush 1", function() one:add("run", job "run late") end))
    one:add("flush", job "flush 2")
    loop:turn()
    assert.same({ "flush 1", "run late", "flush 2", "write 1", "flush late", "write 2" }, order)
  end)

  it("goes on after a job that raises", function()
    one:add("run", job("bad", function() error "boom" end))
    one:add("run", job "good")
    loop:turn()
    assert.same({ "bad", "good" }, order)
    assert.matches("boom", errors[1])
  end)

  it("leaves what is over 100,000 jobs to the next one, so that timers come between", function()
    local count, at_timer = 0, nil
    local endless = {}
    function endless.turn()
      count = count + 1
      if count < 250000 then one:add("run", endless) end
    end
    loop:after(0, function() at_timer = count end)
    one:add("run", endless)
    loop:turn()
    assert.equal(100000, at_timer)
    assert.equal(250000, count)
    assert.equal(0, loop:pending())
  end)
end)
