local timers = require "presence.timers"

describe("timers", function()
  it("come due by their times, those of one time in the order they were set", function()
    local heap, seen = timers.new(), {}
    for i, at in ipairs { 5, 1, 3, 1, 5, 0 } do
      heap:add(at, function() seen[#seen + 1] = i end)
    end
    assert.equal(0, heap:next_at())
    local fn = heap:pop_due(4)
    while fn do
      fn()
      fn = heap:pop_due(4)
    end
    assert.same({ 6, 2, 4, 3 }, seen)
    assert.equal(5, heap:next_at())
    assert.equal(2, heap.count)
  end)

  it("tell when cancelling took the last one out, and only then", function()
    local empty = 0
    local heap = timers.new(function() empty = empty + 1 end)
    local a, b = heap:add(1, print), heap:add(2, print)
    a:cancel()
    a:cancel()
    assert.equal(0, empty)
    b:cancel()
    b:cancel()
    assert.equal(1, empty)
    assert.is_nil(heap:next_at())
    heap:add(3, print)
    heap:pop_due(3)
    assert.equal(1, empty)
  end)

  it("behave like a sorted list under random edits", function()
    local seed = os.time()
    math.randomseed(seed)
    local heap, model, order = timers.new(), {}, 0
    for _ = 1, 20000 do
      local what = math.random(3)
      if what == 1 or #model == 0 then
        order = order + 1
        local entry = { at = math.random(50), order = order }
        entry.timer = heap:add(entry.at, function() return entry end)
        model[#model + 1] = entry
      elseif what == 2 then
        table.remove(model, math.random(#model)).timer:cancel()
      else
        table.sort(model, function(a, b)
          return a.at < b.at or a.at == b.at and a.order < b.order
        end)
        assert.equal(model[1].at, heap:next_at(), "seed " .. seed)
        assert.is_nil(heap:pop_due(model[1].at - 1))
        local due = heap:pop_due(model[1].at)
        assert.equal(model[1], due(), "seed " .. seed)
        table.remove(model, 1)
      end
      assert.equal(#model, heap.count)
    end
  end)
end)
