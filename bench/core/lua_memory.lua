--- How far a million edits by value outgrow what is alive, on a topic of 10,000 keys. lua5.4 or
--- luajit runs it:
---
---   lua5.4 bench/core/lua_memory.lua
---
--- Prints name, value, unit, separated by tabs. Memory is what the core and Lua have from their
--- allocators. What the process has resident, over what it had with everything loaded and no
--- presence, tells more of libc's allocator, which keeps what it was given back.
local core = require "presence.core"
local samples = require "bench.core.samples"

local keys, edits = 10000, 1000000
local interpreter = jit and "LuaJIT" or "Lua 5.4"

local function resident_bytes()
  local file = assert(io.open "/proc/self/statm")
  local pages = file:read("*a"):match "^%d+ (%d+)"
  file:close()
  return tonumber(pages) * 4096
end

local function held_bytes()
  return core.heap_usage().held_bytes + collectgarbage "count" * 1024
end

collectgarbage()
collectgarbage()
local empty = resident_bytes()
local s = core.new_state()
-- Every key twice: the loop takes out the second and puts it back, so that at least 10,000 and at
-- most 20,000 metas are alive.
s = s:edit(function(b)
  for i = 0, 2 * keys - 1 do
    b:track("room:lobby", samples.key(i % keys), i, samples.meta(i))
  end
end)
collectgarbage()
collectgarbage()
local alive, resident = held_bytes(), resident_bytes() - empty
local most, most_resident = alive, resident
for i = 0, edits - 1 do
  local n = keys + i % keys
  local key = samples.key(n % keys)
  if math.floor(i / keys) % 2 == 0 then
    s = s:untrack("room:lobby", key, n)
  else
    s = s:track("room:lobby", key, n, samples.meta(n))
  end
  if i % 100 == 0 then
    most = math.max(most, held_bytes())
    most_resident = math.max(most_resident, resident_bytes() - empty)
  end
end

local function rows(name, at_rest, at_most)
  print(("%s, %s alive\t%.0f\tbytes"):format(interpreter, name, at_rest))
  print(("%s, %s at most, a million edits\t%.0f\tbytes"):format(interpreter, name, at_most))
  print(("%s, %s at most against alive\t%.3f\ttimes"):format(interpreter, name, at_most / at_rest))
end
rows("memory", alive, most)
rows("resident memory", resident, most_resident)
