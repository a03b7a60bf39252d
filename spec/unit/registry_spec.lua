local manual_loop = require "presence.manual.loop"
local presence = require "presence"

describe("a process's name", function()
  local loop, process

  before_each(function()
    loop = manual_loop.new()
    process = presence.new({ loop = loop }).process
  end)

  -- A process that keeps what it receives.
  local function listener()
    local seen = {}
    seen.pid = process.spawn(function()
      while true do
        seen[#seen + 1] = process.receive()
      end
    end)
    return seen
  end

  it("stands for it in send, monitor and exit", function()
    local clock, watcher = listener(), {}
    assert.is_true(process.register("clock", clock.pid))
    assert.equal(clock.pid, process.whereis "clock")
    process.spawn(function()
      watcher.ref = process.monitor "clock"
      watcher.message = process.receive()
    end)
    assert.is_true(process.send("clock", "tick"))
    loop:turn()
    assert.same({ "tick", pid = clock.pid }, clock)
    assert.is_true(process.exit("clock", "enough"))
    loop:turn()
    assert.same({ event = "down", pid = clock.pid, reason = "enough", ref = watcher.ref },
      watcher.message)
  end)

  it("is the calling process's by default", function()
    local pid = process.spawn(function()
      assert.is_true(process.register "me")
      process.receive()
    end)
    assert.equal(pid, process.whereis "me")
  end)

  it("is one process's at a time, and free when that ends or it is taken back", function()
    local a, b = listener(), listener()
    assert.is_true(process.register("one", a.pid))
    assert.is_true(process.register("other", a.pid))
    local registered, word, detail = process.register("one", b.pid)
    assert.same({ nil, "name_taken" }, { registered, word })
    assert.matches(tostring(a.pid), detail, 1, true)
    assert.equal("name_taken", (select(2, process.register("one", a.pid))))
    assert.equal(a.pid, process.whereis "one")

    assert.is_true(process.unregister "one")
    assert.is_false(process.unregister "one")
    assert.is_true(process.register("one", b.pid))
    process.exit(a.pid)
    assert.equal(b.pid, process.whereis "one")
    assert.is_nil(process.whereis "other")
    assert.is_true(process.register("other", b.pid))
  end)

  it("that nobody has reaches nobody", function()
    assert.is_nil(process.whereis "nobody")
    assert.is_false(process.send("nobody", "x"))
    assert.is_false(process.exit "nobody")
    local message
    process.spawn(function()
      process.monitor "nobody"
      message = process.receive()
    end)
    loop:turn()
    assert.equal("noproc", message.reason)
    assert.equal("nobody", message.pid)
  end)

  it("is for processes that there are, and a string", function()
    local ended = process.spawn(function() end)
    assert.same({ nil, "no_process" }, { (process.register("x", ended)),
      (select(2, process.register("x", ended))) })
    assert.equal("no_process", (select(2, process.register "outside")))
    assert.equal("no_process", (select(2, process.register("x", 5))))
    assert.error_matches(function()
      process.register(5, listener().pid)
    end, "register: name must be a string, got number")
    assert.error_matches(function()
      local pid = process.whereis(5)
      return pid
    end, "whereis: name must be a string, got number")
    assert.error_matches(function()
      process.unregister()
    end, "unregister: name must be a string, got nil")
  end)

  it("cannot be had by one who has been ended and runs on", function()
    local word
    local pid = process.spawn(function()
      pcall(process.receive)
      word = select(2, process.register "ghost")
    end)
    process.exit(pid)
    loop:turn()
    assert.equal("no_process", word)
    assert.is_nil(process.whereis "ghost")
  end)

  it("is kept by each runtime for itself", function()
    process.register("one", listener().pid)
    assert.is_nil(presence.new({ loop = loop }).process.whereis "one")
  end)
end)
