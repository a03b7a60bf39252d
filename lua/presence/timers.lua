--- Timers of one loop: a binary heap by time, then by the order they were set.
-- Setting and cancelling cost O(log n) and no handle of the platform, so a timer for every
-- connection is cheap. The heap knows no clock: the loop says what time it is.

local floor, max = math.floor, math.max

---@class presence.Timer
---@field private at_ number when it is due, in the loop's seconds
---@field private order_ integer breaks ties: set first, called first
---@field private place_ integer|nil index in the heap; nil once called or cancelled
---@field private fn_ function
---@field private heap_ presence.Timers
local Timer = {}
Timer.__index = Timer

---@class presence.Timers
---@field count integer how many are set
---@field set_count integer how many were ever set
local Timers = {}
Timers.__index = Timers

local function before(a, b)
  if a.at_ ~= b.at_ then return a.at_ < b.at_ end
  return a.order_ < b.order_
end

local function sift_up(heap, timer, place)
  while place > 1 do
    local parent_place = floor(place / 2)
    local parent = heap[parent_place]
    if not before(timer, parent) then break end
    heap[place], parent.place_ = parent, place
    place = parent_place
  end
  heap[place], timer.place_ = timer, place
end

local function sift_down(heap, timer, place, count)
  while true do
    local child_place = 2 * place
    if child_place > count then break end
    local child = heap[child_place]
    if child_place < count and before(heap[child_place + 1], child) then
      child_place = child_place + 1
      child = heap[child_place]
    end
    if not before(child, timer) then break end
    heap[place], child.place_ = child, place
    place = child_place
  end
  heap[place], timer.place_ = timer, place
end

local function remove(heap, timer)
  local place, count = timer.place_, heap.count
  local last = heap[count]
  heap[count], heap.count, timer.place_ = nil, count - 1, nil
  if last == timer then return end
  if place > 1 and before(last, heap[floor(place / 2)]) then
    sift_up(heap, last, place)
  else
    sift_down(heap, last, place, count - 1)
  end
end

--- Never calls the function if it has not been called; cancelling twice, or too late, is nothing.
function Timer:cancel()
  if not self.place_ then return end
  local heap = self.heap_
  remove(heap, self)
  self.fn_ = nil
  if heap.count == 0 and heap.on_empty then heap.on_empty() end
end

--- Sets a timer. O(log n).
---@param at number when it is due
---@param fn fun() called once by whoever takes it with `pop_due`
---@return presence.Timer
function Timers:add(at, fn)
  self.set_count = self.set_count + 1
  local timer = setmetatable({ at_ = at, order_ = self.set_count, fn_ = fn, heap_ = self }, Timer)
  self.count = self.count + 1
  sift_up(self, timer, self.count)
  return timer
end

--- What a loop's `after` does: sets a timer for `seconds` after `now`, or raises where `after` was
--- called.
---@param now number
---@param seconds number
---@param fn fun()
---@return presence.Timer
---@return number at when it is due
function Timers:after(now, seconds, fn)
  if type(seconds) ~= "number" or seconds ~= seconds then
    error("after: expected seconds, got " .. tostring(seconds), 3)
  elseif type(fn) ~= "function" then
    error("after: expected a function, got " .. type(fn), 3)
  end
  local at = now + max(0, seconds)
  return self:add(at, fn), at
end

--- When the next one is due, or nil when none is set. O(1).
---@return number|nil
function Timers:next_at()
  local first = self[1]
  return first and first.at_
end

--- Takes the first timer that is due at `now`. O(log n).
---@param now number
---@return function|nil fn its function, to be called by the caller
---@return integer|nil order how many were set up to it
function Timers:pop_due(now)
  local first = self[1]
  if not first or first.at_ > now then return nil end
  remove(self, first)
  local fn = first.fn_
  first.fn_ = nil
  return fn, first.order_
end

local M = {}

--- An empty heap. `on_empty` is called when cancelling took the last timer out.
---@param on_empty? fun()
---@return presence.Timers
function M.new(on_empty)
  return setmetatable({ count = 0, set_count = 0, on_empty = on_empty }, Timers)
end

return M
