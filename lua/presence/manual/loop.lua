--- The loop whose clock is turned by hand: for tests, and for programs that bring their own loop.
-- Nothing happens by itself: `turn` runs what is due now, `advance` moves the clock.
local tasks = require "presence.tasks"
local timers = require "presence.timers"

local M = {}

---@class presence.ManualLoop
---@field name "manual"
---@field on_error fun(err: any)
local Loop = { name = "manual" }
Loop.__index = Loop

-- A turn that defers more than this never comes to rest.
local max_steps = 1000000
-- Nor does an instant whose timers set timers for the same one so often.
local max_rounds = 10000

--- Seconds since the loop was made; moves only by `advance`.
---@return number
function Loop:now()
  return self.now_
end

--- Seconds since 1970: the option `epoch` plus `now`.
---@return number
function Loop:time()
  return self.epoch_ + self.now_
end

--- Run `fn(...)` in a task, at once, until it first waits.
---@param fn function
function Loop:spawn(fn, ...)
  self.tasks_:spawn(fn, ...)
end

--- How long the running task has run since it last waited, without the tasks that it started.
---@return number seconds
function Loop:stretch_s()
  return self.tasks_:stretch_s()
end

--- A signal for one waiting task.
---@return presence.Signal
function Loop:signal()
  return self.tasks_:signal()
end

--- Call `fn` once the clock has been turned by `seconds`, outside of any task.
---@param seconds number
---@param fn fun()
---@return presence.Timer
function Loop:after(seconds, fn)
  local timer = self.timers_:after(self.now_, seconds, fn) -- no tail call: it says who is wrong
  return timer
end

--- Call `fn` at the end of the turn.
---@param fn fun()
function Loop:defer(fn)
  local deferred = self.deferred_
  deferred[#deferred + 1] = fn
end

local function guarded(self, fn)
  local ok, err = xpcall(fn, debug.traceback)
  if not ok then
    self.on_error(err)
  end
end

local function drain(self)
  local steps = 0
  while self.deferred_[1] do
    local deferred = self.deferred_
    self.deferred_ = {}
    for i = 1, #deferred do
      guarded(self, deferred[i])
    end
    steps = steps + #deferred
    if steps > max_steps then
      error("manual loop: the turn never comes to rest", 3)
    end
  end
end

-- Timers of one instant come in rounds: those that were set before it, those that these have set,
-- and so on.
local function run_due(self, target)
  local timers_ = self.timers_
  local rounds, set_before_round = 0, timers_.set_count
  local at = timers_:next_at()
  while at and at <= target do
    if at > self.now_ then
      self.now_ = at
      rounds, set_before_round = 0, timers_.set_count
    end
    local fn, order = timers_:pop_due(self.now_)
    if order > set_before_round then
      rounds, set_before_round = rounds + 1, timers_.set_count
      if rounds > max_rounds then
        error("manual loop: a timer sets one for the same instant, over and over", 3)
      end
    end
    guarded(self, fn)
    drain(self)
    at = timers_:next_at()
  end
end

--- Run everything that is due now, and what it leads to.
function Loop:turn()
  drain(self)
  run_due(self, self.now_)
end

--- Turn the clock forward: timers fire in the order of their times, each at its own time.
---@param seconds number
function Loop:advance(seconds)
  self:turn()
  local target = self.now_ + seconds
  run_due(self, target)
  self.now_ = target
end

--- Number of timers that are set and functions that wait for the end of the turn.
---@return integer
function Loop:pending()
  return #self.deferred_ + self.timers_.count
end

--- @param opts {epoch: number|nil, on_error: fun(err: any)|nil}|nil
--- @return presence.ManualLoop
function M.new(opts)
  opts = opts or {}
  local self = setmetatable({
    now_ = 0,
    epoch_ = opts.epoch or 1000000000,
    deferred_ = {},
    timers_ = timers.new(),
    on_error = opts.on_error or function(err)
      error(err, 0)
    end,
  }, Loop)
  self.tasks_ = tasks.new(self, function(err)
    self.on_error(err)
  end)
  return self
end

return M
