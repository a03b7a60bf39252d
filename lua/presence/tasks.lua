--- Tasks on plain coroutines, and the signal a task waits on: what the loops without
-- schedulers of their own (manual, luv) share. A finished task's coroutine is used again.
local M = {}

local create, resume, status = coroutine.create, coroutine.resume, coroutine.status
local running, yield = coroutine.running, coroutine.yield
local unpack = table.unpack or unpack -- luacheck: ignore 143
local max_idle = 256
-- Lua stacks about 190 C calls: a task that is spawned deeper than this starts at the end of the
-- turn.
local max_depth = 16
-- What a task yields when it waits, and when it has ended; anything else it yielded by itself.
local waits, idles = {}, {}

---@class presence.Tasks
local Tasks = {}
Tasks.__index = Tasks

---@class presence.Signal
local Signal = {}
Signal.__index = Signal

local function traceback(err)
  if type(err) ~= "string" then
    return err
  end
  return debug.traceback(err, 2)
end

local function work(self, fn, ...)
  local ok, err = xpcall(fn, traceback, ...)
  if not ok then
    self.on_error(err)
  end
  local idle = self.idle_
  if #idle >= max_idle then
    return
  end
  idle[#idle + 1] = running()
  return work(self, yield(idles))
end

local function run(self, co, ...)
  local outer, outer_began_at = self.current_, self.began_at_
  local began_at = self.loop:now()
  self.current_, self.began_at_, self.depth_ = co, began_at, self.depth_ + 1
  local ok, state = resume(co, ...)
  self.current_, self.depth_ = outer, self.depth_ - 1
  -- The task that was interrupted did not run meanwhile.
  self.began_at_ = outer_began_at and outer_began_at + self.loop:now() - began_at
  if not ok then
    error(state, 0)
  end
  if status(co) == "suspended" and state ~= waits and state ~= idles then
    self.on_error(debug.traceback(co, "a task yielded by itself; it should wait on a signal"))
    self.loop:after(0, function()
      run(self, co)
    end)
  end
end

--- Run fn in a task, at once, until it first waits. Its error goes to `on_error`.
---@param fn function
function Tasks:spawn(fn, ...)
  if type(fn) ~= "function" then
    error("spawn: expected a function, got " .. type(fn), 3)
  end
  if self.depth_ >= max_depth then
    local args = { n = select("#", ...), ... }
    return self.loop:defer(function()
      self:spawn(fn, unpack(args, 1, args.n))
    end)
  end
  local idle = self.idle_
  local co = idle[#idle]
  if co then
    idle[#idle] = nil
    run(self, co, fn, ...)
  else
    run(self, create(work), self, fn, ...)
  end
end

--- How long the running task has run since it last waited, without the tasks that it started.
---@return number seconds
function Tasks:stretch_s()
  return self.loop:now() - self.began_at_
end

--- A signal for one waiting task. A post before the wait is remembered; posts do not add up.
---@return presence.Signal
function Tasks:signal()
  return setmetatable({ tasks_ = self, posted_ = false, waiter_ = nil, timer_ = nil }, Signal)
end

local function wake(self, woke)
  local waiter, timer = self.waiter_, self.timer_
  self.waiter_, self.timer_ = nil, nil
  if timer then
    timer:cancel()
  end
  -- At the end of the turn: whoever posts is in the middle of something.
  local scheduler = self.tasks_
  scheduler.loop:defer(function()
    run(scheduler, waiter, woke)
  end)
end

function Signal:post()
  if self.waiter_ then
    wake(self, true)
  else
    self.posted_ = true
  end
end

--- Wait until somebody posts. Only inside a task.
---@param timeout_s number|nil
---@return boolean posted false after timeout_s
function Signal:wait(timeout_s)
  local scheduler = self.tasks_
  local co = scheduler.current_
  if not co then
    error("wait: only inside a task", 2)
  end
  if running() ~= co then
    error("wait: inside another coroutine of the task", 2)
  end
  if self.posted_ then
    self.posted_ = false
    return true
  end
  if self.waiter_ then
    error("wait: another task waits on this signal", 2)
  end
  self.waiter_ = co
  if timeout_s then
    self.timer_ = scheduler.loop:after(timeout_s, function()
      wake(self, false)
    end)
  end
  if scheduler.loop.on_wait then
    scheduler.loop.on_wait(scheduler:stretch_s())
  end
  return yield(waits)
end

--- @param loop table gives `now`, `after` and `defer`; its `on_wait`, if there is one, is told by a
---   task that is about to wait how long it ran
--- @param on_error fun(err: any)
--- @return presence.Tasks
function M.new(loop, on_error)
  return setmetatable({ loop = loop, on_error = on_error, idle_ = {}, depth_ = 0 }, Tasks)
end

return M
