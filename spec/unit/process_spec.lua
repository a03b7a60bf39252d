local manual_loop = require "presence.manual.loop"
local runtime = require "presence.runtime"

describe("processes", function()
  local loop, rt, logged, process

  before_each(function()
    loop, logged = manual_loop.new(), {}
    rt = runtime.new {
      loop = loop,
      log = function(level, message)
        logged[#logged + 1] = level .. ": " .. message
      end,
    }
    process = rt.process
  end)

  describe("spawn", function()
    it("runs a function with its arguments, with a pid of its own", function()
      local seen
      local pid = process.spawn(function(...)
        seen = { process.self(), ... }
      end, "a", 2)
      assert.same({ pid, "a", 2 }, seen)
      assert.is_number(pid)
      assert.is_nil(process.self())
    end)

    it("gives every process another pid", function()
      local a, b = process.spawn(function() end), process.spawn(function() end)
      assert.not_equal(a, b)
    end)

    it("raises on anything but a function", function()
      assert.has_error(function()
        process.spawn "x"
      end, "spawn: needs a function, got string")
    end)

    it("logs an error with its traceback and ends the process alone", function()
      local pid = process.spawn(function()
        error "boom"
      end)
      assert.matches("process crashed:.*boom.*traceback", logged[1])
      assert.is_false(process.send(pid, "late"))
    end)
  end)

  describe("receive", function()
    it("takes messages in the order they were sent", function()
      local seen = {}
      local pid = process.spawn(function()
        for i = 1, 3 do
          seen[i] = process.receive()
        end
      end)
      for i = 1, 3 do
        assert.is_true(process.send(pid, "m" .. i))
      end
      loop:turn()
      assert.same({ "m1", "m2", "m3" }, seen)
    end)

    it("does not wait when a message is there", function()
      local seen
      local pid = process.spawn(function()
        process.receive()
        seen = { process.receive(0), process.receive(0) }
      end)
      process.send(pid, "first")
      process.send(pid, "second")
      loop:turn()
      assert.same({ "second", nil, "timeout" }, { seen[1], seen[2], "timeout" })
    end)

    it("gives up after its timeout", function()
      local seen
      process.spawn(function()
        seen = { process.receive(0.5) }
      end)
      loop:advance(0.4)
      assert.is_nil(seen)
      loop:advance(0.1)
      assert.same({ nil, "timeout" }, { seen[1], seen[2] })
    end)

    it("keeps its deadline when messages are posted to somebody else", function()
      local at
      process.spawn(function()
        process.receive(1)
        at = loop:now()
      end)
      for _ = 1, 5 do
        process.send(process.spawn(function() end), "x")
        loop:advance(0.3)
      end
      assert.near(1, at, 1e-9)
    end)

    it("raises outside of a process", function()
      assert.error_matches(function()
        process.receive()
      end, "only inside a process")
    end)

    it("raises from inside another coroutine of the process", function()
      local ok, err
      process.spawn(function()
        ok, err = coroutine.resume(coroutine.create(function()
          process.receive()
        end))
      end)
      assert.is_false(ok)
      assert.matches("not in a coroutine made inside one", err)
    end)

    it("refuses a timeout that is not a number", function()
      for _, wrong in ipairs { "soon", 0 / 0 } do
        local ok, err
        process.spawn(function()
          ok, err = pcall(process.receive, wrong)
        end)
        assert.is_false(ok)
        assert.matches("receive: timeout_s must be a number", err)
      end
    end)
  end)

  describe("send", function()
    it("says when nobody is there", function()
      assert.is_false(process.send(12345, "x"))
    end)

    it("refuses nil", function()
      local pid = process.spawn(function()
        process.receive()
      end)
      assert.has_error(function()
        process.send(pid, nil)
      end, "send: the message is nil")
    end)

    it("delivers false, which is a message", function()
      local seen = "nothing"
      local pid = process.spawn(function()
        seen = process.receive()
      end)
      process.send(pid, false)
      loop:turn()
      assert.is_false(seen)
    end)
  end)

  describe("monitor", function()
    local function watch(pid)
      local seen = {}
      process.spawn(function()
        seen.ref = process.monitor(pid)
        seen.message = process.receive()
      end)
      return seen
    end

    it("tells of a normal end", function()
      local pid = process.spawn(function()
        process.receive()
      end)
      local seen = watch(pid)
      process.send(pid, "go")
      loop:turn()
      assert.same({ event = "down", pid = pid, reason = "normal", ref = seen.ref }, seen.message)
    end)

    it("tells of a crash", function()
      local pid = process.spawn(function()
        process.receive()
        error "boom"
      end)
      local seen = watch(pid)
      process.send(pid, "go")
      loop:turn()
      assert.equal("crashed", seen.message.reason)
    end)

    it("tells at once of a process that is not there", function()
      local seen = watch(1)
      loop:turn()
      assert.equal("noproc", seen.message.reason)
    end)

    it("tells one who watches many times as often, in that order", function()
      local pid = process.spawn(function()
        process.receive()
      end)
      local refs, told = {}, {}
      process.spawn(function()
        for i = 1, 50 do
          refs[i] = process.monitor(pid)
        end
        for i = 1, 50 do
          told[i] = process.receive().ref
        end
      end)
      process.exit(pid)
      loop:turn()
      assert.same(refs, told)
    end)

    it("tells each of several monitors once", function()
      local pid = process.spawn(function()
        process.receive()
      end)
      local seen = { watch(pid), watch(pid) }
      process.exit(pid)
      loop:turn()
      assert.equal(pid, seen[1].message.pid)
      assert.equal(pid, seen[2].message.pid)
    end)
  end)

  describe("exit", function()
    it("unwinds a process that waits in receive", function()
      local unwound, after = false, false
      local pid = process.spawn(function()
        pcall(process.receive)
        unwound = true
        process.receive()
        after = true
      end)
      assert.is_true(process.exit(pid, "enough"))
      loop:turn()
      assert.is_true(unwound)
      assert.is_false(after)
      assert.is_false(process.exit(pid))
      assert.same({}, logged)
    end)

    it("does not return to the caller that ends itself", function()
      local after = false
      local pid = process.spawn(function()
        process.exit(nil, "done")
        after = true
      end)
      assert.is_false(after)
      assert.is_false(process.exit(pid))
      assert.same({}, logged)
    end)

    it("is the end of another that raises the error which unwound the first", function()
      local unwound
      local first = process.spawn(function()
        unwound = select(2, pcall(process.receive))
      end)
      process.exit(first, "enough")
      loop:turn()
      assert.equal("process ended: enough", tostring(unwound))
      local seen
      process.spawn(function()
        process.monitor(process.spawn(function()
          process.receive(1)
          error(unwound, 0)
        end))
        seen = process.receive()
      end)
      loop:advance(1)
      assert.equal("enough", seen.reason)
      assert.same({}, logged)
    end)

    it("of a process before a monitor's turn is told once only", function()
      local pid = process.spawn(function()
        process.receive()
      end)
      local messages = {}
      process.spawn(function()
        process.monitor(pid)
        while true do
          messages[#messages + 1] = process.receive()
        end
      end)
      process.exit(pid, "one")
      process.exit(pid, "two")
      loop:turn()
      assert.equal(1, #messages)
      assert.equal("one", messages[1].reason)
    end)
  end)

  it("keep a chain of ten thousand sends from growing the stack", function()
    local n, last = 10000, nil
    local function link(next_pid)
      return process.spawn(function()
        local message = process.receive()
        if next_pid then
          process.send(next_pid, message + 1)
        else
          last = message
        end
      end)
    end
    local pid
    for _ = 1, n do
      pid = link(pid)
    end
    process.send(pid, 1)
    loop:turn()
    assert.equal(n, last)
  end)

  it("that serve have one turn for all that was posted to them in it", function()
    local done, rested = {}, 0
    local server = {
      on_work = function(_, item) done[#done + 1] = item end,
      on_message = function(_, message) done[#done + 1] = message end,
      on_rest = function() rested = rested + 1 end,
    }
    local serving = rt.processes:open(server)
    for i = 1, 3 do
      serving:post(i)
      process.send(serving.pid, i + 10)
    end
    local turns = rt.turn_.run
    assert.equal(0, turns.last - turns.first)
    loop:turn()
    assert.same({ 1, 11, 2, 12, 3, 13 }, done)
    assert.is_false(serving:is_busy())
    assert.equal(0, rested)
    serving:post(4)
    loop:turn()
    assert.equal(4, done[7])
    serving:finish "normal"
    serving:post(5)
    loop:turn()
    assert.equal(5, done[8])
    assert.equal(1, rested)
  end)

  it("end with their presences and subscriptions", function()
    local pid = process.spawn(function()
      rt.pubsub:subscribe "news"
      rt.track({ topic = "news", pid = process.self() }, "ann", "{}")
      while true do
        process.receive()
      end
    end)
    loop:turn()
    assert.equal(1, rt.count "news")
    process.exit(pid)
    assert.equal(0, rt.count "news")
    assert.equal(0, rt.pubsub:broadcast("news", "x", {}))
  end)
end)
