--- How far a million edits by value outgrow what is alive, on a topic of 10,000 keys, counted and
--- not measured: the bytes that live in the heap of the core, and those that Lua counts. lua5.4 or
--- luajit runs it:
---
---   lua5.4 bench/core/lua_live.lua [EDITS]
---
--- Prints name, value, unit, separated by tabs. Everything that the interpreter holds counts.
local core = require "presence.core"
local samples = require "bench.core.samples"

local keys, edits = 10000, tonumber(arg[1]) or 1000000
local topic = "room:lobby"
local interpreter = jit and "LuaJIT" or "Lua 5.4"

local function row(name, value, unit)
  print(("%s, %s\t%.3f\t%s"):format(interpreter, name, value, unit))
end

local function live_bytes()
  return core.heap_usage().live_bytes + collectgarbage "count" * 1024
end

local function settled_bytes()
  collectgarbage()
  collectgarbage()
  local empty = core.new_state()
  while core.heap_usage().work_waits do
    empty:track("t", "k", 1, "1")
  end
  collectgarbage()
  return live_bytes()
end

local s = core.new_state():edit(function(b)
  for i = 0, keys - 1 do
    b:track(topic, samples.key(i), i, samples.meta(i))
  end
end)
local alive = settled_bytes()
local most = alive
-- Key after key gets a second presence, and loses it again.
for i = 0, edits - 1 do
  local key = samples.key(math.floor(i / 2) % keys)
  if i % 2 == 0 then
    s = s:track(topic, key, keys, samples.meta(i))
  else
    s = s:untrack(topic, key, keys)
  end
  if i % 100 == 0 then
    most = math.max(most, live_bytes())
  end
end
assert(s:count(topic) == keys)
row("live bytes, alive", alive, "bytes")
row("live bytes at most, a million edits", most, "bytes")
row("live bytes at most against alive", most / alive, "times")
