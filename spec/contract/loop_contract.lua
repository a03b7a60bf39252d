--- What every loop promises. A loop's own spec calls this with a way to make one and a way to let
-- it work: `settle(loop, seconds)` returns when `seconds` of the loop's clock have gone by.

local busted = require "busted"
local assert = require "luassert"
local describe, it = busted.describe, busted.it
local before_each, after_each = busted.before_each, busted.after_each

---@param new_loop fun(opts: table): table
---@param settle fun(loop: table, seconds: number)
---@param platform {tasks_may_yield: boolean}|nil tasks_may_yield: functions of the platform yield
return function(new_loop, settle, platform)
  local loop, errors

  before_each(function()
    errors = {}
    loop = new_loop { on_error = function(err) errors[#errors + 1] = tostring(err) end }
  end)

  after_each(function()
    assert.same({}, errors)
  end)

  local function take_error()
    return table.remove(errors, 1)
  end

  -- A machine may be slow, so what takes its time is given more when it needs it.
  local function settle_until(is_done)
    for _ = 1, 100 do
      settle(loop, 0.02)
      if is_done() then return end
    end
  end

  local function recorder()
    local seen = {}
    return seen, function(what) seen[#seen + 1] = what end
  end

  describe("clock", function()
    it("goes forward, in seconds", function()
      local before = loop:now()
      settle(loop, 0.02)
      local passed = loop:now() - before
      assert.is_true(passed >= 0.02 and passed < 5)
    end)

    it("knows the time since 1970", function()
      assert.is_true(loop:time() > 9e8)
    end)

    it("has a name", function()
      assert.is_string(loop.name)
    end)
  end)

  describe("timers", function()
    it("fire once, in the order of their times, those of one time as they were set", function()
      local seen, note = recorder()
      loop:after(0.010, function() note "late" end)
      loop:after(0.001, function() note "soon" end)
      for i = 1, 3 do loop:after(0.005, function() note(i) end) end
      settle(loop, 0.03)
      assert.equal("soon,1,2,3,late", table.concat(seen, ","))
    end)

    it("never fire before their time", function()
      local early = 0
      for i = 1, 20 do
        local set, delay = loop:now(), i / 1000 + 0.00037
        loop:after(delay, function()
          if loop:now() < set + delay then early = early + 1 end
        end)
      end
      settle(loop, 0.05)
      assert.equal(0, early)
    end)

    it("never fire once cancelled, and cancelling again or late is nothing", function()
      local seen, note = recorder()
      local a = loop:after(0.001, function() note "a" end)
      local b = loop:after(0.001, function() note "b" end)
      a:cancel()
      a:cancel()
      settle(loop, 0.01)
      b:cancel()
      settle(loop, 0.01)
      assert.same({ "b" }, seen)
    end)

    it("can cancel one that is due at the same time", function()
      local seen, note = recorder()
      local second
      loop:after(0.001, function()
        note "first"
        second:cancel()
      end)
      second = loop:after(0.001, function() note "second" end)
      settle(loop, 0.01)
      assert.same({ "first" }, seen)
    end)

    it("may be set from a timer", function()
      local seen, note = recorder()
      loop:after(0.001, function()
        note "outer"
        loop:after(0, function() note "at once" end)
        loop:after(0.001, function() note "later" end)
      end)
      settle_until(function() return #seen == 3 end)
      assert.same({ "outer", "at once", "later" }, seen)
    end)

    it("go on after one that raises, whose error comes with a traceback", function()
      local seen, note = recorder()
      loop:after(0.001, function() error "broken timer" end)
      loop:after(0.002, function() note "next" end)
      settle(loop, 0.01)
      assert.same({ "next" }, seen)
      local err = take_error()
      assert.matches("broken timer", err)
      assert.matches("stack traceback", err)
    end)

    it("come by the ten thousand, half of them cancelled", function()
      local fired, timers = 0, {}
      for i = 1, 10000 do
        timers[i] = loop:after(0.001 + (i % 7) / 1000, function() fired = fired + 1 end)
      end
      for i = 1, 10000, 2 do timers[i]:cancel() end
      settle(loop, 0.05)
      assert.equal(5000, fired)
    end)
  end)

  describe("tasks", function()
    it("run at once, with their arguments, nil among them", function()
      local got
      loop:spawn(function(...) got = { n = select("#", ...), ... } end, 1, nil, "c", nil)
      assert.same({ n = 4, 1, nil, "c", nil }, got)
    end)

    it("one that ended leaves nothing to the next", function()
      local got = {}
      for i = 1, 5 do
        loop:spawn(function(...) got[i] = select("#", ...) end)
      end
      assert.same({ 0, 0, 0, 0, 0 }, got)
    end)

    it("one that raises reaches on_error, with a traceback, and nobody else", function()
      local seen, note = recorder()
      loop:spawn(function() error "broken task" end)
      loop:spawn(function() note "next" end)
      local err = take_error()
      assert.matches("broken task", err)
      assert.matches("stack traceback", err)
      assert.same({ "next" }, seen)
    end)

    it("one that raises after it waited reaches on_error too", function()
      local signal = loop:signal()
      loop:spawn(function()
        signal:wait()
        error "broken later"
      end)
      signal:post()
      settle(loop, 0.01)
      assert.matches("broken later", take_error())
      local ran = false
      loop:spawn(function() ran = true end)
      assert.is_true(ran)
    end)

    it("may spawn tasks a thousand deep", function()
      local depth = 0
      local function deeper(left)
        depth = depth + 1
        if left > 1 then loop:spawn(deeper, left - 1) end
      end
      loop:spawn(deeper, 1000)
      settle(loop, 0.01)
      assert.equal(1000, depth)
    end)

    it("a thousand wait at the same time, and again", function()
      local woken = 0
      for _ = 1, 2 do
        local signals = {}
        for i = 1, 1000 do
          signals[i] = loop:signal()
          loop:spawn(function()
            signals[i]:wait()
            woken = woken + 1
          end)
        end
        for i = 1, 1000 do signals[i]:post() end
        settle(loop, 0.01)
      end
      assert.equal(2000, woken)
    end)

    it("may use pcall and coroutines of their own around what they do", function()
      local signal, got = loop:signal(), {}
      loop:spawn(function()
        local ok, err = pcall(function()
          got[1] = signal:wait()
          error("inner", 0)
        end)
        got[2], got[3] = ok, err
        for value in coroutine.wrap(function() coroutine.yield "own" end) do got[4] = value end
      end)
      signal:post()
      settle(loop, 0.01)
      assert.same({ true, false, "inner", "own" }, got)
    end)
  end)

  describe("signals of it:", function()
    local function current() return loop end
    require "spec.contract.loop_signals"(current, settle, settle_until, take_error)
  end)

  it("a task that yields by itself goes on, and is reported where it may not", function()
    local seen, note = recorder()
    loop:spawn(function()
      coroutine.yield("whom?")
      note "went on"
    end)
    if not (platform and platform.tasks_may_yield) then
      assert.matches("yielded by itself", take_error())
    end
    settle(loop, 0.01)
    assert.same({ "went on" }, seen)
  end)

  describe("defer", function()
    it("runs at the end of the turn, in order, what it defers too", function()
      local seen, note = recorder()
      loop:after(0.001, function()
        loop:defer(function()
          note "first"
          loop:defer(function() note "third" end)
        end)
        loop:defer(function() note "second" end)
        note "body"
      end)
      settle(loop, 0.01)
      assert.same({ "body", "first", "second", "third" }, seen)
    end)

    it("comes soon when no turn is under way", function()
      local seen, note = recorder()
      loop:defer(function() note "done" end)
      settle(loop, 0.01)
      assert.same({ "done" }, seen)
    end)

    it("goes on after one that raises", function()
      local seen, note = recorder()
      loop:defer(function() error "broken deferred" end)
      loop:defer(function() note "next" end)
      settle(loop, 0.01)
      assert.same({ "next" }, seen)
      assert.matches("broken deferred", take_error())
    end)

    it("comes in the turn of a task that was woken", function()
      local signal, seen, note = loop:signal(), recorder()
      loop:spawn(function()
        signal:wait()
        loop:defer(function() note "deferred" end)
        note "woken"
      end)
      loop:after(0.001, function()
        signal:post()
        loop:after(0, function() note "next turn" end)
      end)
      settle_until(function() return #seen == 3 end)
      assert.same({ "woken", "deferred", "next turn" }, seen)
    end)
  end)

  it("refuses what is not a function or a number", function()
    assert.has_error(function() loop:after("soon", function() end) end)
    assert.has_error(function() loop:spawn("fn") end)
  end)
end
