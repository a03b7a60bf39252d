--- The signal that a task inside of nginx waits on: the semaphore is its thread's.

local executor = require "presence.nginx.executor"
local light_thread = require "presence.nginx.light_thread"

local max, min = math.max, math.min
local forever_s = light_thread.forever_s
local shortest_s = 0.001 -- semaphores count milliseconds, and do not wait for none at all

local M = {}

---@class presence.nginx.Signal
---@field private waiter_ presence.nginx.Thread|nil
local Signal = {}
Signal.__index = Signal

--- Wakes whoever waits, at the end of the turn; else the next who will.
function Signal:post()
  local waiter = self.waiter_
  if waiter then
    self.waiter_ = nil
    self.loop_:wake(waiter)
  else
    self.posted_ = true
  end
end

-- Waits of more than nginx can count are made of several.
local function wait_for_semaphore(sem, timeout_s)
  local posted
  repeat
    posted = sem:wait(max(shortest_s, min(forever_s, timeout_s)))
    timeout_s = timeout_s - forever_s
  until posted or timeout_s <= 0
  executor.note_switch()
  return posted
end

--- Wait until somebody posts. Only inside a task.
---@param timeout_s number|nil
---@return boolean posted false after timeout_s
function Signal:wait(timeout_s)
  local thread = executor.current()
  if not thread then
    error("wait: only inside a task, and not inside another coroutine of one", 2)
  end
  if self.posted_ then
    self.posted_ = false
    return true
  end
  if self.waiter_ then
    error("wait: another task waits on this signal", 2)
  end
  self.waiter_ = thread
  if wait_for_semaphore(thread.sem, timeout_s or math.huge) then
    return true
  end
  if self.waiter_ == thread then
    self.waiter_ = nil
    return false
  end
  -- Posted in the moment that the time was up: the thread is on its way.
  wait_for_semaphore(thread.sem, math.huge)
  return true
end

---@param loop presence.nginx.Loop
---@return presence.nginx.Signal
function M.new(loop)
  return setmetatable({ loop_ = loop, posted_ = false, waiter_ = nil }, Signal)
end

return M
