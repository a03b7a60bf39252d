--- Presences whose connection was lost and may come back: held until their time is over. Per topic
-- and key the one that was lost first is the first whose place a connection takes that comes.
local M = {}

---@class presence.Grace
local Grace = {}
Grace.__index = Grace

local function waiting_for(self, topic, key)
  local keys = self.topics_[topic]
  return keys and keys[key]
end

local function remove(self, topic, key, place)
  local waiting = self.topics_[topic][key]
  local held = table.remove(waiting, place)
  held.timer:cancel()
  if #waiting == 0 then
    self.topics_[topic][key] = nil
    if next(self.topics_[topic]) == nil then
      self.topics_[topic] = nil
    end
  end
end

--- Hold a presence for some seconds. `on_expiry` is called unless it is dropped before.
---@param topic string
---@param key string
---@param pid integer|string
---@param seconds number
---@param on_expiry fun()
function Grace:hold(topic, key, pid, seconds, on_expiry)
  local keys = self.topics_[topic] or {}
  self.topics_[topic] = keys
  local waiting = keys[key] or {}
  keys[key] = waiting
  self.held_ = self.held_ + 1
  local held = { pid = pid, on_expiry = on_expiry, order = self.held_ }
  held.timer = self.loop:after(seconds, function()
    self:drop(topic, key, pid)
    on_expiry()
  end)
  waiting[#waiting + 1] = held
end

--- Which presence was lost first: a connection that comes takes its place.
---@param topic string
---@param key string
---@return integer|string|nil pid
function Grace:first(topic, key)
  local waiting = waiting_for(self, topic, key)
  return waiting and waiting[1].pid
end

--- Hold a presence no longer.
---@return boolean dropped false when it was not held
function Grace:drop(topic, key, pid)
  for place, held in ipairs(waiting_for(self, topic, key) or {}) do
    if held.pid == pid then
      remove(self, topic, key, place)
      return true
    end
  end
  return false
end

--- Let the time of all be over now, in the order they were lost.
function Grace:expire_all()
  local expired = {}
  for _, keys in pairs(self.topics_) do
    for _, waiting in pairs(keys) do
      for _, held in ipairs(waiting) do
        held.timer:cancel()
        expired[#expired + 1] = held
      end
    end
  end
  self.topics_ = {}
  table.sort(expired, function(a, b)
    return a.order < b.order
  end)
  for _, held in ipairs(expired) do
    held.on_expiry()
  end
end

---@param loop table gives `after`
---@return presence.Grace
function M.new(loop)
  return setmetatable({ loop = loop, topics_ = {}, held_ = 0 }, Grace)
end

return M
