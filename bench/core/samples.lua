--- The samples of bench/core/samples.h, in Lua. They are made when they are needed, as a server
--- makes strings of what it reads: who keeps presences decides what stays in Lua's memory.
local M = {}

local prefixes, fills = {}, {}
for i = 0, 8 do
  prefixes[i] = ("user-numb"):sub(1, 1 + i)
end
for i = 0, 40 do
  fills[i] = ',"n":"' .. ("0"):rep(1 + i) .. '"}'
end

--- Names of `count` topics at the indices 0 to count - 1.
function M.topics(count)
  local names = {}
  for i = 0, count - 1 do
    names[i] = ("room:%07d"):format(i)
  end
  return names
end

--- A key of 8 to 16 bytes.
function M.key(i)
  return prefixes[i % 9] .. (1000000 + i)
end

--- A meta of 40 to 80 bytes.
function M.meta(i)
  return '{"device":"web","at":' .. (1700000000 + i % 1000000) .. fills[i * 7 % 41]
end

return M
