-- A process kept a record of everybody who had ever monitored it, ended or not: a long-lived one
-- that each channel monitors grew with every join.
local presence = require "presence"
local manual_loop = require "presence.manual.loop"

describe("monitors", function()
  local rt, process

  before_each(function()
    rt = presence.new { loop = manual_loop.new() }
    process = rt.process
  end)

  local function watch(pid, then_)
    return process.spawn(function()
      process.monitor(pid)
      if then_ then then_() end
    end)
  end

  local function wait() process.receive() end

  it("of watchers that have ended are forgotten", function()
    local pid = process.spawn(wait)
    for _ = 1, 100 do watch(pid) end
    process.exit(watch(pid, wait), "killed")
    local waiting = watch(pid, wait)
    local kept = {}
    for _, watcher in pairs(rt.processes:get(pid).watchers_) do kept[#kept + 1] = watcher end
    assert.same({ waiting }, kept)
  end)

  it("of watched processes that have ended are forgotten", function()
    local heard = 0
    local watcher = process.spawn(function()
      for _ = 1, 100 do
        process.monitor(process.spawn(function() process.receive(0.1) end))
        local message = process.receive()
        assert(message.event == "down" and message.reason == "normal")
        heard = heard + 1
      end
      wait()
    end)
    rt.loop:advance(20)
    assert.equal(100, heard)
    assert.is_nil(next(rt.processes:get(watcher).watched_))
  end)

  it("tell those who watch each other, and themselves, without a fault", function()
    local told = {}
    local function watch_and_note(pid)
      return watch(pid, function() told[#told + 1] = process.receive().reason end)
    end
    local one, two
    one = process.spawn(function()
      process.monitor(process.self())
      process.monitor(process.receive())
      wait()
    end)
    two = watch_and_note(one)
    process.send(one, two)
    rt.loop:turn()
    process.exit(one, "enough")
    rt.loop:turn()
    assert.same({ "enough" }, told)
    assert.is_nil(next(rt.processes.by_pid_))
  end)

  it("set by a process that has been ended itself leave nothing", function()
    local pid = process.spawn(wait)
    local signal = rt.loop:signal()
    local late = process.spawn(function()
      signal:wait()
      process.monitor(pid)
    end)
    process.exit(late, "killed")
    signal:post()
    rt.loop:turn()
    assert.is_nil(rt.processes:get(pid).watchers_)
    process.exit(pid)
    assert.is_nil(next(rt.processes.by_pid_))
  end)
end)
