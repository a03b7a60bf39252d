--- Audiences in which subscribers of a topic stand together, each in the one that it fits. An
-- audience is made by its first subscriber and goes with its last.
-- Who wants to be in one has a method `new_audience`; what that makes has `fits`, `add`, `remove`,
-- `has` and `count`.
local M = {}

---@class presence.Audiences
local Audiences = {}
Audiences.__index = Audiences

---@param subscriber {new_audience: fun(self): table}
---@return table audience that it is in now
---@return boolean is_new it was made for this subscriber
function Audiences:add(subscriber, ...)
  for i = 1, #self do
    if self[i]:fits(subscriber) then
      self[i]:add(subscriber, ...)
      return self[i], false
    end
  end
  local audience = subscriber:new_audience()
  audience:add(subscriber, ...)
  self[#self + 1] = audience
  return audience, true
end

--- The audience that a subscriber is in, or nil.
function Audiences:of(subscriber)
  for i = 1, #self do
    if self[i]:has(subscriber) then
      return self[i]
    end
  end
end

---@return table|nil emptied an audience that has nobody left
---@return any told what its `remove` said second
function Audiences:remove(subscriber)
  for i = 1, #self do
    local removed, told = self[i]:remove(subscriber)
    if removed then
      return self[i]:count() == 0 and table.remove(self, i) or nil, told
    end
  end
end

---@return presence.Audiences
function M.new()
  return setmetatable({}, Audiences)
end

return M
