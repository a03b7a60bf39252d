--- The loop contract on libuv. A turn is what libuv waited for: what its callbacks deferred (of
-- many, the first so many) is done together, after them and before libuv waits again. So what many
-- clients sent at once leads to one write for each who hears of it. The timers that are due are a
-- turn, too; they share one uv handle.

local uv = require "luv"
local guarded = require "presence.guarded"
local tasks = require "presence.tasks"
local timers = require "presence.timers"

local ceil, max, min = math.ceil, math.max, math.min

-- What uv is asked for at most; a timer further away is set again when this has passed.
local MAX_DELAY_MS = 2 ^ 31
-- Deferred functions that keep deferring must not starve input and timers: the rest of so many goes
-- to the next turn.
local MAX_DEFERRED_A_TURN = 100000
-- Callbacks that make one turn at most: what they queue for others must not pile up.
local MAX_CALLBACKS_A_TURN = 64

---@class presence.luv.Loop
---@field name "luv"
---@field on_error fun(err: any)
local Loop = { name = "luv" }
Loop.__index = Loop

local function print_error(err)
  io.stderr:write("presence: ", tostring(err), "\n")
end

local call_guarded = guarded.new(print_error)

local function drain(loop)
  local deferred = loop.deferred_
  for _ = 1, MAX_DEFERRED_A_TURN do
    local fn = deferred[deferred.first]
    if not fn then
      deferred.first, deferred.last = 1, 0
      return
    end
    deferred[deferred.first] = nil
    deferred.first = deferred.first + 1
    call_guarded(loop, fn)
  end
end

-- libuv calls it before it waits and after what it waited for; it goes on while something is
-- deferred, though nothing else be left.
local function end_turn(loop)
  loop.callbacks_ = 0
  if loop.deferred_.last == 0 then return end
  drain(loop)
  if loop.deferred_.last > 0 then
    loop:after(0, function() end) -- lest it wait
  else
    loop.before_wait_:unref()
  end
end

-- Handles of libuv that call end_turn in every round and keep nothing alive by themselves.
local function hear_of_rounds(loop)
  loop.before_wait_, loop.after_wait_ = uv.new_prepare(), uv.new_check()
  for _, name in ipairs { "before_wait_", "after_wait_" } do
    loop[name]:start(function() end_turn(loop) end)
    loop[name]:unref()
  end
end

local function call(loop, fn, ...)
  call_guarded(loop, fn, ...)
  loop.callbacks_ = loop.callbacks_ + 1
  if loop.callbacks_ >= MAX_CALLBACKS_A_TURN then end_turn(loop) end
end

-- uv counts milliseconds from the time it noted at the start of its iteration. Both clocks are the
-- same one, so the first millisecond that is not too early is exact.
local function arm(loop)
  local at = loop.timers_:next_at()
  if not at then
    loop.armed_for_ = nil
    if loop.handle_ then uv.timer_stop(loop.handle_) end
  elseif loop.armed_for_ ~= at then
    loop.armed_for_ = at
    if not loop.handle_ then loop.handle_ = uv.new_timer() end
    local delay_ms = min(MAX_DELAY_MS, max(0, ceil(at * 1000) - uv.now()))
    uv.timer_start(loop.handle_, delay_ms, 0, loop.fire_)
  end
end

local function fire(loop)
  loop.armed_for_, loop.firing_ = nil, true
  local now = loop:now()
  local fn = loop.timers_:pop_due(now)
  while fn do
    call_guarded(loop, fn)
    fn = loop.timers_:pop_due(now)
  end
  loop.firing_ = false
  arm(loop)
end

--- Seconds on a clock that never goes back.
---@return number
function Loop.now(_)
  return uv.hrtime() / 1e9
end

--- Seconds since 1970.
---@return number
function Loop.time(_)
  local seconds, microseconds = uv.gettimeofday()
  return seconds + microseconds / 1e6
end

--- Runs `fn(...)` in a task, at once, until it first waits. An error in it goes to `on_error`.
---@param fn function
---@param ... any
function Loop:spawn(fn, ...)
  self.tasks_:spawn(fn, ...)
end

--- How long the running task has run since it last waited, without the tasks that it started.
---@return number seconds
function Loop:stretch_s()
  return self.tasks_:stretch_s()
end

--- A signal for one waiting task. A post before the wait is remembered; posts do not add up.
---@return presence.Signal
function Loop:signal()
  return self.tasks_:signal()
end

--- Calls `fn` in `seconds`, outside of any task; it must not wait. O(log n) of the timers set.
---@param seconds number
---@param fn fun()
---@return presence.Timer
function Loop:after(seconds, fn)
  local timer = self.timers_:after(self:now(), seconds, fn)
  if not self.firing_ then arm(self) end
  return timer
end

--- Calls `fn` once at the end of the turn; what is deferred meanwhile belongs to the same end.
---@param fn fun()
function Loop:defer(fn)
  local deferred = self.deferred_
  if not self.before_wait_ then hear_of_rounds(self) end
  if deferred.last == 0 then self.before_wait_:ref() end
  deferred.last = deferred.last + 1
  deferred[deferred.last] = fn
end

--- A function that calls `fn` as a part of the turn: every callback given to libuv goes through
--- this. Errors go to `on_error`, never into libuv.
---@param fn function
---@return function
function Loop:wrap(fn)
  return function(...) call(self, fn, ...) end
end

--- Runs until `stop`, or until there is nothing left to wait for (libuv has one loop a Lua state).
function Loop:run()
  uv.run("default")
  end_turn(self) -- of callbacks that stopped it
end

--- Lets `run` return after this turn of libuv. Harmless when it is not running.
function Loop.stop(_)
  uv.stop()
end

--- Drops the timers and gives the uv handles back; the loop is of no use after. Twice is harmless.
function Loop:close()
  self.timers_ = timers.new()
  for _, name in ipairs { "handle_", "before_wait_", "after_wait_" } do
    local handle = self[name]
    if handle and not handle:is_closing() then handle:close() end
  end
end

local M = {}

---@class presence.luv.LoopOptions
---@field on_error? fun(err: any) what becomes of errors in tasks and callbacks; default: stderr

--- A loop on this Lua state's libuv loop. Several may be made, they share libuv's.
---@param opts? presence.luv.LoopOptions
---@return presence.luv.Loop
function M.new(opts)
  local loop = setmetatable({
    on_error = opts and opts.on_error or print_error,
    deferred_ = { first = 1, last = 0 },
    callbacks_ = 0,
    firing_ = false,
  }, Loop)
  loop.tasks_ = tasks.new(loop, function(err) guarded.report(loop, err, print_error) end)
  loop.timers_ = timers.new(function()
    if not loop.firing_ then arm(loop) end
  end)
  loop.fire_ = function()
    call_guarded(loop, fire, loop)
    end_turn(loop)
  end
  return loop
end

return M
