--- An ordered set that is walked often: add, remove and has are O(1), items lie in an array.
local M = {}

---@class presence.Members
local Members = {}
Members.__index = Members

---@param item any anything but nil
---@return boolean added false when it was in already
function Members:add(item)
  if self.place_[item] then
    return false
  end
  local n = #self + 1
  self[n] = item
  self.place_[item] = n
  return true
end

--- The last item takes the place of the one removed.
---@return boolean removed
function Members:remove(item)
  local place = self.place_[item]
  if not place then
    return false
  end
  local n = #self
  local last = self[n]
  self[place], self.place_[last] = last, place
  self[n], self.place_[item] = nil, nil
  return true
end

---@return integer|nil place in the array
function Members:place(item)
  return self.place_[item]
end

function Members:has(item)
  return self.place_[item] ~= nil
end

--- @return presence.Members
function M.new()
  return setmetatable({ place_ = {} }, Members)
end

return M
