--- Memory in C as a Lua program meets it, by counts and not by clocks: what edits leave behind
--- stays in proportion, and no call frees more than its share.
local presence = require "presence"
local core = require "presence.core"

local function settle()
  collectgarbage()
  collectgarbage()
  -- Small edits pay for what waits.
  local s = core.new_state()
  while core.heap_usage().work_waits do
    s:track("t", "k", 1, "1")
  end
  collectgarbage()
end

local function filled(keys)
  return presence.new_state():edit(function(b)
    for i = 1, keys do
      b:track("room:lobby", "user:" .. i, i, ('{"n":%d,"status":"online"}'):format(i))
    end
  end)
end

describe("a long loop of edits by value", function()
  it("stays under twice of what is alive, on both sides", function()
    -- In an interpreter of its own: what else this one holds would be alive, too.
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write(
      ("package.path, package.cpath = %q, %q\n"):format("./?.lua;" .. package.path, package.cpath),
      "arg = {}\nlocal script = assert(loadfile 'bench/core/lua_live.lua')\nscript()\n")
    file:close()
    local pipe = assert(io.popen((jit and "luajit " or "lua5.4 ") .. path .. " 2>&1"))
    local output = pipe:read "*a"
    pipe:close()
    os.remove(path)
    local times = tonumber(output:match "live bytes at most against alive\t(%S+)\ttimes")
    assert.is_truthy(times, output)
    assert.is_true(times >= 1 and times < 2, output)
  end)
end)

describe("a state that is dropped", function()
  --- The most objects that one of many calls freed while a large state went away.
  local function most_freed(call)
    local most = 0
    local freed = core.heap_usage().freed_objects
    repeat
      call()
      local usage = core.heap_usage()
      most = math.max(most, usage.freed_objects - freed)
      freed = usage.freed_objects
    until not usage.work_waits
    return most
  end

  it("is freed by and by, a bounded number of objects a call", function()
    local count = 100000
    local s = filled(count) -- luacheck: ignore 231
    settle()
    local live = core.heap_usage().live_bytes
    s = nil -- luacheck: ignore 311
    collectgarbage()
    collectgarbage()
    assert.is_true(core.heap_usage().work_waits)
    -- Most of it is still there: the collector has not waited for it.
    assert.is_true(core.heap_usage().live_bytes > live / 2)
    collectgarbage "stop"
    local empty = presence.new_state()
    local most = most_freed(function()
      empty:track("t", "k", 1, "1")
    end)
    collectgarbage "restart"
    assert.is_true(most > 0 and most <= 800, most .. " objects freed in one call")
    settle()
    assert.is_true(core.heap_usage().live_bytes < live / 2)
  end)

  it("is freed by the edits of an owner, too", function()
    local owner = core.owner()
    for i = 1, 50000 do
      owner:track("t", "user:" .. i, i, "{}", "r")
    end
    settle()
    owner = nil -- luacheck: ignore 311
    collectgarbage()
    collectgarbage()
    collectgarbage "stop"
    local other = core.owner()
    local most = most_freed(function()
      other:track("t", "k", 1, "{}", "r")
      other:untrack("t", "k", 1)
    end)
    collectgarbage "restart"
    assert.is_true(most > 0 and most <= 1600, most .. " objects freed in one call")
  end)
end)
