--- Tasks on plain coroutines, and the signal a task waits on: what the loops without
-- schedulers of their own (manual, luv) share. A finished task's coroutine is used again.
local M = {}

local create, resume, running, yield =
  coroutine.create, coroutine.resume, coroutine.running, coroutine.yield
local unpack = table.unpack or unpack -- luacheck: ignore 143
local max_idle = 256

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
  return work(self, yield())
end

--- Run fn in a task, at once, until it first waits. Its error goes to `on_error`.
---@param fn function
function Tasks:spawn(fn, ...)
  local idle = self.idle_
  local co = idle[#idle]
  if co then
    idle[#idle] = nil
    assert(resume(co, fn, ...))
  else
    assert(resume(create(work), self, fn, ...))
  end
end

--- A signal for one waiting task. A post before the wait is remembered; posts do not add up.
---@return presence.Signal
function Tasks:signal()
  return setmetatable({ loop_ = self.loop, posted_ = false, waiter_ = nil, timer_ = nil }, Signal)
end

local function wake(self, woke)
  local waiter, timer = self.waiter_, self.timer_
  self.waiter_, self.timer_ = nil, nil
  if timer then
    timer:cancel()
  end
  -- At the end of the turn: whoever posts is in the middle of something.
  self.loop_:defer(function()
    assert(resume(waiter, woke))
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
  if self.posted_ then
    self.posted_ = false
    return true
  end
  local co, is_main = running()
  if not co or is_main then
    error("wait: only inside a task", 2)
  end
  if self.waiter_ then
    error("wait: another task waits on this signal", 2)
  end
  self.waiter_ = co
  if timeout_s then
    self.timer_ = self.loop_:after(timeout_s, function()
      self.timer_ = nil
      wake(self, false)
    end)
  end
  return yield()
end

--- @param loop table gives `after` and `defer`
--- @param on_error fun(err: any)
--- @return presence.Tasks
function M.new(loop, on_error)
  return setmetatable({ loop = loop, on_error = on_error, idle_ = {} }, Tasks)
end

M.unpack = unpack

return M
