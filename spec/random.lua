--- A generator of its own, so that a seed gives the same run under every Lua.

local M = {}

---@param seed integer
---@return fun(most: integer): integer random from 1 to `most`
function M.from(seed)
  local state = seed
  return function(most)
    state = (state * 16807) % 2147483647
    return state % most + 1
  end
end

return M
