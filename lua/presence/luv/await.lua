--- libuv's asynchronous functions inside of tasks, without callbacks.

local M = {}

local unpack = table.unpack or unpack

--- A function that calls `fn(..., callback)` and waits for the callback. For tasks of `loop` only.
---@param loop presence.luv.Loop
---@return fun(fn: function, ...): any, any err, value what the callback was given
function M.on(loop)
  return function(fn, ...)
    local signal = loop:signal()
    local err, value
    local args = { ... }
    args[#args + 1] = loop:wrap(function(given_err, given_value)
      err, value = given_err, given_value
      signal:post()
    end)
    local started, refused = fn(unpack(args))
    if not started then
      return refused
    end
    signal:wait()
    return err, value
  end
end

return M
