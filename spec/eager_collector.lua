-- A helper of busted (--helper) under which the collector never rests: a cycle begins when the one
-- before ends, so that whatever nobody holds is gone soon. Lua 5.4's own interpreter starts in
-- generational mode, which knows no pause.
local eager_stepmul = { ["Lua 5.4"] = 40, ["Lua 5.1"] = 400 }

if _VERSION ~= "Lua 5.1" then
  collectgarbage "incremental"
end
collectgarbage("setpause", 0)
collectgarbage("setstepmul", eager_stepmul[_VERSION])

-- Shown to be so: without any other call of the collector, garbage goes while its maker goes on.
local collected = 0
local function leave_garbage()
  if rawget(_G, "newproxy") then
    getmetatable(rawget(_G, "newproxy")(true)).__gc = function() collected = collected + 1 end
  else
    setmetatable({}, { __gc = function() collected = collected + 1 end })
  end
end
leave_garbage()
for i = 1, 20000 do
  if collected > 0 then
    break
  end
  leave_garbage()
  assert(i < 20000, "the collector rests")
end
