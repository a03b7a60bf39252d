--- The loop whose clock is turned by hand: for tests, and for programs that bring their own loop.
-- Nothing happens by itself: `turn` runs what is due now, `advance` moves the clock.
local tasks = require "presence.tasks"

local M = {}

---@class presence.ManualLoop
local Loop = {}
Loop.__index = Loop
Loop.name = "manual"

local Timer = {}
Timer.__index = Timer

-- A turn that defers more than this never comes to rest.
local max_steps = 1000000

function Timer:cancel()
  self.fn = nil
end

--- A binary heap by (at, id): timers of one instant fire in the order they were set.
local function before(a, b)
  return a.at < b.at or (a.at == b.at and a.id < b.id)
end

local function heap_push(heap, timer)
  local i = #heap + 1
  heap[i] = timer
  while i > 1 do
    local parent = math.floor(i / 2)
    if not before(heap[i], heap[parent]) then
      return
    end
    heap[i], heap[parent] = heap[parent], heap[i]
    i = parent
  end
end

local function heap_pop(heap)
  local n = #heap
  local top = heap[1]
  heap[1], heap[n] = heap[n], nil
  local i = 1
  while true do
    local least = i
    for child = 2 * i, 2 * i + 1 do
      if heap[child] and before(heap[child], heap[least]) then
        least = child
      end
    end
    if least == i then
      return top
    end
    heap[i], heap[least] = heap[least], heap[i]
    i = least
  end
end

--- Seconds since the loop was made; moves only by `advance`.
function Loop:now()
  return self.now_
end

--- Seconds since 1970: the option `epoch` plus `now`.
function Loop:time()
  return self.epoch_ + self.now_
end

function Loop:spawn(fn, ...)
  self.tasks_:spawn(fn, ...)
end

function Loop:signal()
  return self.tasks_:signal()
end

function Loop:after(seconds, fn)
  self.next_id_ = self.next_id_ + 1
  local timer = setmetatable(
    { at = self.now_ + math.max(0, seconds), id = self.next_id_, fn = fn },
    Timer
  )
  heap_push(self.timers_, timer)
  return timer
end

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

local function run_due(self, until_)
  local timers = self.timers_
  while timers[1] and timers[1].at <= until_ do
    local timer = heap_pop(timers)
    local fn = timer.fn
    if fn then
      timer.fn = nil
      self.now_ = math.max(self.now_, timer.at)
      guarded(self, fn)
      drain(self)
    end
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
  self:turn()
end

--- Number of timers that are set and functions that wait for the end of the turn.
---@return integer
function Loop:pending()
  local n = #self.deferred_
  for _, timer in ipairs(self.timers_) do
    if timer.fn then
      n = n + 1
    end
  end
  return n
end

--- @param opts {epoch: number|nil, on_error: fun(err: any)|nil}|nil
--- @return presence.ManualLoop
function M.new(opts)
  opts = opts or {}
  local self = setmetatable({
    now_ = 0,
    epoch_ = opts.epoch or 1000000000,
    next_id_ = 0,
    timers_ = {},
    deferred_ = {},
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
