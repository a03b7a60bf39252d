--- Times of edits from Lua, the collector on, against plain Lua tables: lua5.4 or luajit runs it.
---
---   lua5.4 bench/core/lua_times.lua PRESENCES TOPICS
---
--- Prints name, value, unit, separated by tabs. Every way of keeping presences has its turn in each
--- round, in a process of its own: what one leaves in the allocator is no burden on the next. The
--- fastest round counts, as time of the processor, less what the same loop takes that only makes
--- the strings.
local core = require "presence.core"
local samples = require "bench.core.samples"
local tables = require "bench.core.lua_tables"

local presences, topic_count = tonumber(arg[1]), tonumber(arg[2])
local runs = math.min(presences / 5, 20000)
local rounds = presences > 100000 and 2 or 5
local repeats = 10
local topics, make_key, make_meta = samples.topics(topic_count), samples.key, samples.meta
local clock = os.clock

local interpreter = jit and "LuaJIT" or "Lua 5.4"

local function track_range(store, track, first, last)
  for i = first, last do
    store = track(store, topics[i % topic_count], make_key(i), i, make_meta(i))
  end
  return store
end

local function untrack_range(store, untrack, first, last)
  for i = first, last do
    store = untrack(store, topics[i % topic_count], make_key(i), i)
  end
  return store
end

--- One turn of one way: prints what took how many seconds, and how often it was done.
local function run(build, track, untrack)
  local first, last = presences, presences + runs - 1
  collectgarbage()
  collectgarbage()
  local started = clock()
  local store = build()
  print("build", clock() - started, presences)
  local tracking = 0
  for _ = 1, repeats do
    started = clock()
    store = track_range(store, track, first, last)
    tracking = tracking + (clock() - started)
    store = untrack_range(store, untrack, first, last)
  end
  print("track", tracking, repeats * runs)
  started = clock()
  for _ = 1, repeats do
    for i = first, last do
      local topic = topics[i % topic_count]
      store = track(store, topic, make_key(i), i, make_meta(i))
      store = untrack(store, topic, make_key(i), i)
    end
  end
  print("track and untrack", clock() - started, repeats * runs)
end

--- Only the strings.
local function no_edit(store)
  return store
end
local function no_build()
  return track_range({}, no_edit, 0, presences - 1)
end

--- Plain tables.
local function table_track(store, topic, key, pid, meta)
  tables.track(store, topic, key, pid, meta)
  return store
end
local function table_untrack(store, topic, key, pid)
  tables.untrack(store, topic, key, pid)
  return store
end
local function table_build()
  return track_range(tables.new(), table_track, 0, presences - 1)
end

--- The handle of the tracker: edited in place.
local function owner_track(owner, topic, key, pid, meta)
  owner:track(topic, key, pid, meta, "F")
  return owner
end
local function owner_untrack(owner, topic, key, pid)
  owner:untrack(topic, key, pid)
  return owner
end
local function owner_build()
  return track_range(core.owner(), owner_track, 0, presences - 1)
end

--- Values: every edit is a new state.
local function state_track(s, topic, key, pid, meta)
  return s:track(topic, key, pid, meta)
end
local function state_untrack(s, topic, key, pid)
  return s:untrack(topic, key, pid)
end
local function builder_track(b, topic, key, pid, meta)
  b:track(topic, key, pid, meta)
  return b
end
local function state_build()
  return core.new_state():edit(function(b)
    track_range(b, builder_track, 0, presences - 1)
  end)
end

local ways = {
  strings = { no_build, no_edit, no_edit },
  tables = { table_build, table_track, table_untrack },
  owner = { owner_build, owner_track, owner_untrack },
  state = { state_build, state_track, state_untrack },
}

local way = ways[arg[3]]
if way then
  run(way[1], way[2], way[3])
  return
end

--- The fastest round of each operation of each way, in nanoseconds.
local best = { strings = {}, tables = {}, owner = {}, state = {} }
for _ = 1, rounds do
  for _, who in ipairs { "strings", "tables", "owner", "state" } do
    local turn = assert(
      io.popen(("%s %s %d %d %s"):format(arg[-1], arg[0], presences, topic_count, who))
    )
    for line in turn:lines() do
      local operation, seconds, count = line:match "^([%a ]+)\t(%S+)\t(%S+)$"
      local took = tonumber(seconds) / tonumber(count) * 1e9
      best[who][operation] = math.min(best[who][operation] or math.huge, took)
    end
    assert(turn:close() ~= false, "a turn failed")
  end
end

local function row(name, value, unit)
  print(("%s, %s\t%.3f\t%s"):format(interpreter, name, value, unit))
end

for _, operation in ipairs { "build", "track", "track and untrack" } do
  local strings = best.strings[operation]
  local base = best.tables[operation] - strings
  for _, who in ipairs { "tables", "owner", "state" } do
    row(operation .. ", " .. who, best[who][operation] - strings, "ns")
  end
  for _, who in ipairs { "owner", "state" } do
    local ratio = (best[who][operation] - strings) / base
    row(operation .. ", " .. who .. " against tables", ratio, "times")
  end
end
