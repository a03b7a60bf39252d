--- A queue in one table: push and shift are O(1), and it begins anew whenever it runs empty.
local M = {}

---@class presence.Queue
---@field first integer place of the oldest item
---@field last integer place of the newest

--- @return presence.Queue
function M.new()
  return { first = 1, last = 0 }
end

---@param queue presence.Queue
---@param item any anything but nil
function M.push(queue, item)
  queue.last = queue.last + 1
  queue[queue.last] = item
end

--- Take the oldest item.
---@param queue presence.Queue
---@return any item nil when there is none
function M.shift(queue)
  local first = queue.first
  if first > queue.last then
    return nil
  end
  local item = queue[first]
  queue[first] = nil
  if first == queue.last then
    queue.first, queue.last = 1, 0
  else
    queue.first = first + 1
  end
  return item
end

---@param queue presence.Queue
---@return integer
function M.length(queue)
  return queue.last - queue.first + 1
end

return M
