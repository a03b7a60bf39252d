--- Clocks of the system: nginx's own are cached for a turn and count whole milliseconds.

local ffi = require "ffi"

local C, tonumber = ffi.C, tonumber

ffi.cdef [[
struct presence_nginx_timespec { long sec; long nsec; };
int clock_gettime(int clock, struct presence_nginx_timespec *now);
]]

local wall_clock, monotonic_clock = 0, 1 -- CLOCK_REALTIME, CLOCK_MONOTONIC of Linux
local time_now = ffi.new "struct presence_nginx_timespec"

local function read(clock)
  C.clock_gettime(clock, time_now)
  return tonumber(time_now.sec) + tonumber(time_now.nsec) / 1e9
end

local M = {}

--- Seconds on a clock that never goes back.
---@return number
function M.now()
  return read(monotonic_clock)
end

--- Seconds since 1970.
---@return number
function M.time()
  return read(wall_clock)
end

return M
