--- What ngx_lua's light threads need and ngx_lua does not offer: whether the running code may wait,
-- and semaphores that are used again.

local ffi = require "ffi"
local semaphore = require "ngx.semaphore"

local C, running = ffi.C, coroutine.running

ffi.cdef "int lua_isyieldable(void *L);"

local M = {}

--- Longest wait that a semaphore knows, in seconds: it counts milliseconds in an int.
M.forever_s = 2147483

-- coroutine → its lua_State. ngx_lua replaces the coroutine library, without `isyieldable`.
local states = setmetatable({}, { __mode = "k" })

local function state_of(co)
  local state = states[co]
  if not state then
    state = ffi.cast("void *", tonumber(tostring(co):match "0x%x+"))
    states[co] = state
  end
  return state
end

--- May the running code wait? Not in init_worker and log phases, nor inside of a C function that
--- calls back, such as `string.gsub`.
---@return boolean
function M.may_wait()
  local co = running()
  return co ~= nil and C.lua_isyieldable(state_of(co)) ~= 0
end

local max_spare = 1024
local spare = {}

--- A semaphore at zero, on which nobody waits.
---@return table
function M.take_semaphore()
  local last = #spare
  local taken = spare[last]
  if taken then
    spare[last] = nil
    return taken
  end
  local made, err = semaphore.new(0)
  return made or error("no semaphore: " .. tostring(err), 0)
end

--- Gives one back. Posts that nobody took are gone.
---@param given table
function M.give_semaphore(given)
  if #spare < max_spare and given:count() >= 0 then
    while given:count() > 0 do
      given:wait(0)
    end
    spare[#spare + 1] = given
  end
end

return M
