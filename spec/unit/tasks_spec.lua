-- Tasks on plain coroutines, on a loop that does nothing by itself.
local manual_loop = require "presence.manual.loop"
local tasks = require "presence.tasks"

describe("tasks", function()
  local some, deferred, after, errors

  local function run_deferred()
    while deferred[1] do
      table.remove(deferred, 1)()
    end
  end

  before_each(function()
    deferred, after, errors = {}, {}, {}
    some = tasks.new({
      now = function() return 0 end,
      defer = function(_, fn) deferred[#deferred + 1] = fn end,
      after = function(_, seconds, fn)
        local timer = { seconds = seconds, fn = fn }
        function timer.cancel() timer.is_cancelled = true end
        after[#after + 1] = timer
        return timer
      end,
    }, function(err) errors[#errors + 1] = err end)
  end)

  it("are spawned of functions", function()
    local loop = manual_loop.new()
    local function user() loop:spawn "x" end
    assert.matches("tasks_spec.lua:%d+: spawn: expected a function, got string",
      (select(2, pcall(user))))
  end)

  it("use finished coroutines again", function()
    local first, second
    some:spawn(function() first = coroutine.running() end)
    some:spawn(function() second = coroutine.running() end)
    assert.equal(first, second)
    some:spawn(error, "boom")
    some:spawn(function() second = coroutine.running() end)
    assert.equal(first, second)
    assert.equal(1, #errors)
  end)

  it("keep so many finished coroutines, and no more", function()
    local signals = {}
    for i = 1, 300 do
      signals[i] = some:signal()
      some:spawn(function() signals[i]:wait() end)
    end
    for i = 1, 300 do signals[i]:post() end
    assert.equal(0, #some.idle_)
    run_deferred()
    assert.equal(256, #some.idle_)
  end)

  -- How deep a task was when the first of a chain of spawns did not begin at once.
  local function depth_of_chain()
    local depth = 0
    local function deeper()
      depth = depth + 1
      if depth < 40 then
        some:spawn(deeper)
      end
    end
    some:spawn(deeper)
    local stopped_at = depth
    run_deferred()
    assert.equal(40, depth)
    return stopped_at
  end

  it("that spawn tasks begin at once sixteen deep, then at the end of the turn", function()
    for _ = 1, 5 do
      assert.equal(16, depth_of_chain())
    end
  end)

  it("get all their arguments, at whatever depth they begin", function()
    local seen
    local function deeper(depth, ...)
      if depth == 20 then
        seen = { n = select("#", ...), ... }
      else
        some:spawn(deeper, depth + 1, ...)
      end
    end
    some:spawn(deeper, 1, "a", nil, false, nil)
    assert.is_nil(seen)
    run_deferred()
    assert.same({ n = 4, "a", nil, false, nil }, seen)
  end)

  it("wait on a signal, and are told whether it was posted or the time was up", function()
    local signal, seen = some:signal(), {}
    some:spawn(function()
      for i = 1, 4 do
        seen[i] = signal:wait(i ~= 4 and i or nil)
      end
    end)
    signal:post()
    assert.is_nil(seen[1])
    run_deferred()
    assert.is_true(seen[1])
    assert.is_true(after[1].is_cancelled)
    assert.equal(2, after[2].seconds)
    after[2].fn()
    run_deferred()
    assert.is_false(seen[2])
    signal:post()
    signal:post() -- is remembered, since nobody waits any more
    run_deferred()
    assert.same({ true, false, true, true }, seen)
    assert.is_true(after[3].is_cancelled)
    assert.equal(3, #after)
  end)

  it("go on after they yielded by themselves, which is reported", function()
    local went_on = false
    some:spawn(function()
      coroutine.yield "something"
      went_on = true
    end)
    assert.matches("a task yielded by itself", errors[1])
    assert.is_false(went_on)
    assert.equal(0, after[1].seconds)
    after[1].fn()
    assert.is_true(went_on)
  end)
end)
