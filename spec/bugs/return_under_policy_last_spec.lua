-- On a topic whose leaves are announced with the last connection (`leaves = "last"`), somebody who
-- came back in time was told as a second connection: the lost meta was held back as if it had left.
local json = require "cjson"
local manual_loop = require "presence.manual.loop"
local presence = require "presence"

describe("a return within leave_after, with leaves = 'last'", function()
  local rt, diffs

  before_each(function()
    diffs = {}
    rt = presence.new { loop = manual_loop.new(), leave_after = 5 }
    rt.process.spawn(function()
      rt.pubsub:subscribe "t"
      while true do diffs[#diffs + 1] = json.decode(rt.process.receive().payload) end
    end)
  end)

  local function tracking(n)
    local pid = rt.process.spawn(function()
      rt.track({ topic = "t", pid = rt.process.self() }, "ann", { n = n })
      rt.process.receive()
    end)
    rt.loop:advance(1)
    return pid
  end

  local function ns(metas)
    local list = {}
    for i, meta in ipairs(metas) do list[i] = meta.n end
    table.sort(list)
    return list
  end

  it("is one update, and the lost meta leaves with it", function()
    rt.process.exit(tracking(1), "crashed")
    local back = tracking(2)
    assert.equal(2, #diffs)
    assert.same({ 2 }, ns(diffs[2].joins.ann.metas))
    assert.same({ 1 }, ns(diffs[2].leaves.ann.metas))
    rt.process.exit(back, "normal")
    rt.loop:advance(1)
    assert.equal(3, #diffs)
    assert.same({ 2 }, ns(diffs[3].leaves.ann.metas))
    assert.same({}, diffs[3].joins)
  end)

  it("still holds back the leaves of other connections", function()
    local phone, laptop = tracking(1), tracking(2)
    rt.process.exit(laptop, "normal") -- held back
    rt.process.exit(phone, "crashed")
    local back = tracking(3)
    assert.same({ 1 }, ns(diffs[3].leaves.ann.metas))
    rt.process.exit(back, "normal")
    rt.loop:advance(1)
    assert.equal(4, #diffs)
    assert.same({ 2, 3 }, ns(diffs[4].leaves.ann.metas))
  end)

  it("that breaks off and comes back again within one flush leaves nothing behind", function()
    local last = tracking(1)
    for n = 2, 5 do
      rt.process.exit(last, "crashed")
      last = rt.process.spawn(function()
        rt.track({ topic = "t", pid = rt.process.self() }, "ann", { n = n })
        rt.process.receive()
      end)
    end
    rt.loop:advance(1)
    rt.process.exit(last, "normal")
    rt.loop:advance(1)
    local told = {}
    for _, diff in ipairs(diffs) do
      for _, meta in ipairs((diff.joins.ann or { metas = {} }).metas) do
        told[meta.n] = (told[meta.n] or 0) + 1
      end
      for _, meta in ipairs((diff.leaves.ann or { metas = {} }).metas) do
        told[meta.n] = told[meta.n] - 1
      end
    end
    for _, balance in pairs(told) do assert.equal(0, balance) end
  end)
end)
