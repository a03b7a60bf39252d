--- What signals promise on every loop: a part of the loop contract.

local busted = require "busted"
local assert = require "luassert"
local describe, it = busted.describe, busted.it

---@param current fun(): table the loop of the test under way
---@param settle fun(loop: table, seconds: number)
---@param settle_until fun(is_done: fun(): boolean)
---@param take_error fun(): string what on_error was given
return function(current, settle, settle_until, take_error)
  local loop

  busted.before_each(function() loop = current() end)

  local function recorder()
    local seen = {}
    return seen, function(what) seen[#seen + 1] = what end
  end

  describe("signals", function()
    it("wake whoever waits", function()
      local signal, got = loop:signal(), nil
      loop:spawn(function() got = signal:wait() end)
      settle(loop, 0.001)
      assert.is_nil(got)
      signal:post()
      settle(loop, 0.001)
      assert.is_true(got)
    end)

    it("remember one post, not two", function()
      local signal, got = loop:signal(), {}
      signal:post()
      signal:post()
      loop:spawn(function()
        got[1] = signal:wait()
        got[2] = signal:wait(0.001)
      end)
      settle_until(function() return got[2] ~= nil end)
      assert.same({ true, false }, got)
    end)

    it("tell that the time was up, and forget the waiter", function()
      local signal, got = loop:signal(), {}
      loop:spawn(function()
        got[1] = signal:wait(0.001)
        got[2] = signal:wait(0.001)
        got[3] = signal:wait()
      end)
      settle_until(function() return got[2] ~= nil end)
      assert.same({ false, false }, got)
      signal:post()
      settle(loop, 0.001)
      assert.same({ false, false, true }, got)
    end)

    it("a post wins over a time that is not up, whose end then wakes nobody", function()
      local signal, got = loop:signal(), {}
      loop:spawn(function()
        got[1] = signal:wait(0.005)
        got[2] = signal:wait(0.02)
      end)
      loop:after(0.001, function() signal:post() end)
      settle_until(function() return got[2] ~= nil end)
      assert.same({ true, false }, got)
    end)

    it("a post in the moment the time is up is not lost", function()
      for _, post_first in ipairs { true, false } do
        local signal, wakes, posts = loop:signal(), 0, 0
        local function post_soon() loop:after(0.001, function() signal:post() end) end
        if post_first then post_soon() end
        loop:spawn(function()
          wakes = wakes + 1
          if signal:wait(0.001) then posts = posts + 1 end
          if posts == 0 and signal:wait(1) then posts = posts + 1 end
        end)
        if not post_first then post_soon() end
        settle_until(function() return posts > 0 end)
        assert.equal(1, posts)
        assert.equal(1, wakes)
      end
    end)

    it("a post does not run the waiter inside of the poster", function()
      local signal, seen, note = loop:signal(), recorder()
      loop:spawn(function()
        signal:wait()
        note "woken"
      end)
      loop:after(0, function()
        signal:post()
        note "posted"
      end)
      settle(loop, 0.01)
      assert.same({ "posted", "woken" }, seen)
    end)

    it("wake in the order of the posts", function()
      local seen, note = recorder()
      local signals = {}
      for i = 1, 3 do
        signals[i] = loop:signal()
        loop:spawn(function()
          signals[i]:wait()
          note(i)
        end)
      end
      for _, i in ipairs { 2, 3, 1 } do signals[i]:post() end
      settle(loop, 0.01)
      assert.same({ 2, 3, 1 }, seen)
    end)

    it("refuse to wait outside of a task", function()
      assert.error_matches(function() loop:signal():wait() end, "inside a task")
    end)

    it("refuse a second waiter", function()
      local signal = loop:signal()
      loop:spawn(function() signal:wait() end)
      loop:spawn(function() signal:wait() end)
      assert.matches("another task waits", take_error())
      signal:post()
      settle(loop, 0.001)
    end)

    it("refuse to wait inside another coroutine of the task", function()
      local signal, ok, err = loop:signal(), nil, nil
      loop:spawn(function()
        ok, err = coroutine.resume(coroutine.create(function() signal:wait() end))
      end)
      assert.is_false(ok)
      assert.matches("another coroutine", tostring(err))
    end)

    it("carry two tasks that answer each other ten thousand times", function()
      local ping, pong, rounds = loop:signal(), loop:signal(), 0
      loop:spawn(function()
        for _ = 1, 10000 do
          ping:wait()
          pong:post()
        end
      end)
      loop:spawn(function()
        for _ = 1, 10000 do
          ping:post()
          pong:wait()
          rounds = rounds + 1
        end
      end)
      for _ = 1, 50 do
        if rounds == 10000 then break end
        settle(loop, 0.02)
      end
      assert.equal(10000, rounds)
    end)
  end)
end
