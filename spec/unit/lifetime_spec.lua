--- Whatever a script holds outlives what it came from. Each case makes something of a state that
-- nobody holds any more, lets the collector go, and uses it.
local presence = require "presence"
local core = require "presence.core"

local function state()
  return presence.new_state():track("t", "a", 1, '{"n":1}'):track("t", "a", 2, '{"n":2}')
    :track("t", "b", 3, '{"n":3}'):track("u", "c", 4, '{"n":4}')
end

local function collect()
  collectgarbage()
  collectgarbage()
  -- Others take the place of what is gone.
  local others = {}
  for i = 1, 50 do
    others[i] = presence.new_state():track("other", "x" .. i, i, '{"other":true}')
  end
  return others
end

local cases = {
  ["an entry"] = function()
    local entry = state():get("t", "a")
    return function()
      assert.are.same({ 1, 2 }, { entry[1].pid, entry[2].pid })
      assert.are.equal('{"n":2}', entry[2].data)
    end
  end,
  ["a meta"] = function()
    local meta = state():get("t", "b")[1]
    return function()
      assert.are.same({ 3, '{"n":3}' }, { meta.pid, meta.data })
    end
  end,
  ["an iterator over a topic"] = function()
    local step = state():each("t")
    return function()
      local seen = {}
      for key, entry in step do
        seen[key] = #entry
        collect()
      end
      assert.are.same({ a = 2, b = 1 }, seen)
    end
  end,
  ["an iterator over topics"] = function()
    local step = state():topics()
    return function()
      local seen = {}
      for topic, count in step do
        seen[topic] = count
        collect()
      end
      assert.are.same({ t = 2, u = 1 }, seen)
    end
  end,
  ["a list"] = function()
    local list = state():list("t")
    return function()
      assert.are.equal('{"n":3}', list.b[1].data)
    end
  end,
  ["a diff"] = function()
    local diff = presence.diff(state(), state():untrack("t", "a", 1):track("u", "d", 5, "{}"))
    return function()
      assert.are.equal(1, diff.t.leaves.a[1].pid)
      assert.are.equal(5, diff.u.joins.d[1].pid)
    end
  end,
  ["a later version"] = function()
    local later = state():untrack("t", "a", 2)
    return function()
      assert.are.equal(1, later:connections("t", "a"))
      assert.are.equal(2, later:count "t")
    end
  end,
  ["an owner's snapshot of a topic"] = function()
    local owner = core.owner()
    owner:track("t", "a", 1, '{"n":1}', "r1")
    local snapshot = owner:snapshot "t"
    owner:untrack("t", "a", 1)
    return function()
      assert.are.equal('{"n":1}', snapshot:get("t", "a")[1].data)
    end
  end,
  ["a message in the queue of a connection"] = function()
    local queue = core.outbox "message"
    queue:add(core.message_v2(nil, nil, "t", "event", '{"n":1}'))
    return function()
      assert.are.equal('[null,null,"t","event",{"n":1}]', queue:take())
    end
  end,
}

describe("when all else is gone,", function()
  for name, make in pairs(cases) do
    it(name .. " is whole", function()
      local use = make()
      collect()
      use()
    end)
  end
end)
