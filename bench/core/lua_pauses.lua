--- What the collector of Lua sees of memory in C: the longest pause with many presences held, and
--- how far a loop of edits outgrows what is alive. lua5.4 or luajit runs it:
---
---   lua5.4 bench/core/lua_pauses.lua PRESENCES
---
--- Prints name, value, unit, separated by tabs. A pause is the longest single edit with the strings
--- it takes, as time of the processor, the collector on as it comes.
local core = require "presence.core"
local samples = require "bench.core.samples"
local tables = require "bench.core.lua_tables"

local presences = tonumber(arg[1])
local interpreter = jit and "LuaJIT" or "Lua 5.4"
local clock = os.clock
local topic = "room:lobby"

local function row(name, value, unit)
  print(("%s, %s\t%.3f\t%s"):format(interpreter, name, value, unit))
end

--- The longest call of edit(store, i) over a range, in ms; and the store after it.
local function longest(store, edit, first, last)
  local worst = 0
  local before = clock()
  for i = first, last do
    store = edit(store, i)
    local now = clock()
    if now - before > worst then
      worst = now - before
    end
    before = now
  end
  return worst * 1e3, store
end

local function pauses(who, new, track, untrack)
  collectgarbage()
  collectgarbage()
  local build, steady, drop
  local function swap(store, i)
    return untrack(track(store, presences + i), presences + i)
  end
  local store
  build, store = longest(new(), track, 0, presences - 1)
  steady = longest(store, swap, 1, 200000)
  -- All is dropped at once; small edits elsewhere go on, until it is long gone.
  store = nil -- luacheck: ignore 311
  drop = longest(new(), swap, 1, 400000)
  row("longest pause, building, " .. who, build, "ms")
  row("longest pause, steady, " .. who, steady, "ms")
  row("longest pause, dropping all, " .. who, drop, "ms")
end

pauses("owner", core.owner, function(owner, i)
  owner:track(topic, samples.key(i), i, samples.meta(i), "F")
  return owner
end, function(owner, i)
  owner:untrack(topic, samples.key(i), i)
  return owner
end)

pauses("state", core.new_state, function(s, i)
  return s:track(topic, samples.key(i), i, samples.meta(i))
end, function(s, i)
  return s:untrack(topic, samples.key(i), i)
end)

pauses("tables", tables.new, function(store, i)
  tables.track(store, topic, samples.key(i), i, samples.meta(i))
  return store
end, function(store, i)
  tables.untrack(store, topic, samples.key(i), i)
  return store
end)
