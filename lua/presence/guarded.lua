--- Calls on behalf of a loop that an error must not break: it goes to the loop's `on_error`.

local M = {}

local function with_traceback(err)
  return debug.traceback(tostring(err), 2)
end

--- Tell a loop's `on_error`. What that raises itself is told by `write_error`.
---@param loop {on_error: fun(err: any)}
---@param err any
---@param write_error fun(text: string)
function M.report(loop, err, write_error)
  local ok, second = pcall(loop.on_error, err)
  if not ok then
    write_error("on_error raised: " .. tostring(second) .. "\nwhile reporting: " .. tostring(err))
  end
end

--- The function that a loop calls others by: `guarded(loop, fn, ...)`.
---@param write_error fun(text: string)
---@return fun(loop: {on_error: fun(err: any)}, fn: function, ...)
function M.new(write_error)
  return function(loop, fn, ...)
    local ok, err = xpcall(fn, with_traceback, ...)
    if not ok then
      M.report(loop, err, write_error)
    end
  end
end

return M
