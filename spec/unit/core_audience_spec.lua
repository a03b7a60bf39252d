-- presence.core: outboxes that are due, and audiences. How they work is tested in C
-- (spec/c/test_net_audience.c); here is what Lua sees of it.
local core = require "presence.core"

local function message(text)
  return core.message(text)
end

local function outbox(due, number, framing)
  return core.outbox(framing or "message", due, number, 100)
end

describe("presence.core, due", function()
  it("gives the outboxes that are for their owners, in order", function()
    local due = core.due()
    local a, b = outbox(due, 7), outbox(due, 2 ^ 40)
    assert.is_true(b:add(message "one"))
    assert.is_false(a:add(message "two"))
    assert.is_false(due:tell())
    assert.same({ 2 ^ 40, 7 }, due:write())
    assert.is_nil(due:write())
    assert.equal("one", (b:take()))
    assert.is_true(a:add(message "three"))
    assert.same({ 7 }, due:write())
  end)

  it("leaves alone who does not read, until too much waits for him", function()
    local due = core.due()
    local q = outbox(due, 1)
    q:block(true)
    assert.is_false(q:is_writable())
    assert.is_false(q:add(message(("x"):rep(100))))
    assert.is_true(q:add(message "x"))
    assert.same({ 1 }, due:write())
    assert.is_false(q:add(message "x"))
    assert.is_true(q:block(false))
    assert.is_true(q:is_writable())
    assert.same({ 1 }, due:write())
    assert.equal(3, #q)
  end)

  it("takes nothing more for what is closed, and shows it to its owner", function()
    local due = core.due()
    local q, gone = outbox(due, 1), outbox(due, 2)
    q:add(message "last")
    q:close()
    q:add(message "too late")
    gone:add(message "lost")
    gone:abandon()
    gone:add(message "lost")
    assert.equal(1, #q)
    assert.equal(0, #gone)
    assert.same({ 1, 2 }, due:write())
    assert.is_false(q:is_writable())
  end)

  it("outlives its outboxes, and they it", function()
    local due = core.due()
    for i = 1, 100 do
      outbox(due, i):add(message "x")
    end
    collectgarbage()
    collectgarbage()
    assert.equal(100, #due:write())
    local q = outbox(core.due(), 1)
    collectgarbage()
    collectgarbage()
    q:add(message "x")
    assert.equal(1, #q)
  end)

  it("raises on misuse", function()
    local due, q = core.due(), core.outbox "message"
    for _, call in ipairs {
      function() core.outbox("message", {}, 1, 1) end,
      function() core.outbox("message", due) end,
      function() core.outbox("message", due, -1, 1) end,
      function() core.outbox("message", due, 1.5, 1) end,
      function() due.write(q) end,
      function() q.block(due, true) end,
      function() core.outbox("websocket"):direct(-1) end,
    } do
      assert.has_error(call)
    end
  end)
end)

-- Finalizers are code of users, and run wherever memory is asked for.
describe("presence.core, while finalizers run", function()
  -- Makes garbage whose finalizers do something: some is found in the midst of `body`.
  local function amid_finalizers(does, body)
    local function litter()
      local new_proxy = rawget(_G, "newproxy") -- of Lua 5.1, whose tables have no finalizers
      if new_proxy then
        getmetatable(new_proxy(true)).__gc = does
      else
        setmetatable({}, { __gc = does })
      end
    end
    local pause = collectgarbage("setpause", 100)
    local multiplier = collectgarbage("setstepmul", 1000)
    for round = 1, 3000 do
      litter()
      body(round)
    end
    collectgarbage("setpause", pause)
    collectgarbage("setstepmul", multiplier)
    collectgarbage()
  end

  it("takes every frame and message once", function()
    for _, framing in ipairs { "websocket", "message" } do
      local q = core.outbox(framing)
      local added, taken = 0, {}
      local function add()
        added = added + 1
        q:add(message(("%06d"):format(added)))
      end
      amid_finalizers(add, function(round)
        for _ = 1, round % 4 do
          add()
        end
        taken[#taken + 1] = q:take()
      end)
      while #q > 0 do
        taken[#taken + 1] = q:take()
      end
      local seen, count = {}, 0
      for number in table.concat(taken):gmatch "%d%d%d%d%d%d" do
        assert.is_nil(seen[number])
        seen[number], count = true, count + 1
      end
      assert.equal(added, count)
    end
  end)

  it("reads nothing of an outbox that is abandoned meanwhile", function()
    for _, framing in ipairs { "websocket", "message" } do
      local q = core.outbox(framing)
      amid_finalizers(function() q:abandon() end, function(round)
        q = core.outbox(framing)
        for _ = 1, round % 4 do
          q:add(message "0123456789")
        end
        while #q > 0 do
          q:take()
        end
      end)
    end
  end)

  it("forgets nobody who becomes due", function()
    local due = core.due()
    local queues, named, last = {}, {}, 0
    local function add()
      last = last + 1
      local number = last
      queues[number] = outbox(due, number)
      queues[number]:add(message "x")
    end
    local function name(numbers)
      for _, number in ipairs(numbers or {}) do
        assert.is_nil(named[number])
        named[number] = true
      end
    end
    amid_finalizers(add, function()
      add()
      name(due:write())
    end)
    name(due:write())
    assert.equal(last, #named)
  end)
end)

describe("presence.core, audience", function()
  local function audience(count)
    local due, a, queues = core.due(), core.audience(), {}
    for i = 1, count do
      queues[i] = outbox(due, i)
      a:add(queues[i], true)
    end
    return a, queues, due
  end

  local function sizes(queues)
    local list = {}
    for i, q in ipairs(queues) do
      list[i] = #q
    end
    return list
  end

  it("sends to all, or to all but one", function()
    local a, queues, due = audience(3)
    a:send(message "x")
    a:send(message "y", 2)
    assert.same({ 2, 1, 2 }, sizes(queues))
    assert.is_true(due:tell())
    assert.same({ 1, 2, 3 }, due:write())
    assert.equal("x", (queues[3]:take()))
    assert.equal("y", (queues[3]:take()))
  end)

  it("tells those in step, and names the others", function()
    local a, queues = audience(3)
    local late = outbox(core.due(), 4)
    a:add(late, false)
    assert.equal(1, a:tell())
    assert.equal(1, a:tell(message "diff"))
    queues[2]:block(true)
    assert.equal(2, a:tell(message "diff"))
    assert.same({ 2, 4 }, a:strays())
    a:set_in_step(4)
    assert.equal(1, a:tell(message "diff"))
    assert.same({ 3, 1, 3 }, sizes(queues))
    assert.equal(1, #late)
  end)

  it("says whether one that leaves was told, and moves the last one up", function()
    local a, queues = audience(3)
    assert.is_false(a:remove(1))
    a:send(message "x")
    assert.same({ 0, 1, 1 }, sizes(queues))
    a:tell(message "y")
    assert.is_true(a:remove(1))
    assert.equal(1, #a)
    a:send(message "z")
    assert.same({ 0, 3, 2 }, sizes(queues))
  end)

  it("keeps outboxes that nobody else holds, and lets them go", function()
    local a = audience(50)
    collectgarbage()
    collectgarbage()
    a:send(message "x")
    assert.equal(50, #a)
    for _ = 1, 50 do
      a:remove(1)
    end
    assert.same({}, a:strays())
  end)

  it("raises on misuse", function()
    local a, queues = audience(2)
    for _, call in ipairs {
      function() a:add() end,
      function() a:add(message "x", true) end,
      function() a:add({}, true) end,
      function() a:send() end,
      function() a:send("x") end,
      function() a:send(queues[1]) end,
      function() a:send(message "x", 0) end,
      function() a:send(message "x", 3) end,
      function() a:tell "x" end,
      function() a:remove(3) end,
      function() a:remove(1.5) end,
      function() core.audience():remove(1) end,
      function() a:set_in_step() end,
      function() a.strays(queues[1]) end,
    } do
      assert.has_error(call)
    end
    assert.equal(2, #a)
    assert.equal("presence.audience", getmetatable(a))
  end)
end)
