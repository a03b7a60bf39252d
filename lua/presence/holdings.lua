--- Which presences a pid holds, and which topics a key is on: what the end of a process, and the
-- question `where`, would else have to search for.
local core = require "presence.core"

local M = {}

---@class presence.Holdings
local Holdings = {}
Holdings.__index = Holdings

--- A pid holds a presence.
---@param pid integer|string
---@param topic string
---@param key string
---@param leave_after number|nil the presence's own
function Holdings:add(pid, topic, key, leave_after)
  local topics = self.by_pid_[pid]
  if not topics then
    topics = {}
    self.by_pid_[pid] = topics
  end
  local keys = topics[topic]
  if not keys then
    keys = {}
    topics[topic] = keys
  end
  keys[key] = leave_after or true
  self.by_key_:track(key, topic, pid, "{}", "-")
end

--- A pid holds a presence no more.
function Holdings:remove(pid, topic, key)
  local topics = self.by_pid_[pid]
  topics[topic][key] = nil
  if next(topics[topic]) == nil then
    topics[topic] = nil
  end
  if next(topics) == nil then
    self.by_pid_[pid] = nil
  end
  self.by_key_:untrack(key, topic, pid)
end

--- Everything that a pid holds, in one order, so that what follows comes the same in every run.
---@param pid integer|string
---@return {topic: string, key: string, leave_after: number|nil}[]
function Holdings:of(pid)
  local presences = {}
  for topic, keys in pairs(self.by_pid_[pid] or {}) do
    for key, leave_after in pairs(keys) do
      presences[#presences + 1] = {
        topic = topic, key = key, leave_after = leave_after ~= true and leave_after or nil,
      }
    end
  end
  table.sort(presences, function(a, b)
    return a.topic < b.topic or (a.topic == b.topic and a.key < b.key)
  end)
  return presences
end

--- The topics that a key is on, sorted.
---@param key string
---@return string[]
function Holdings:topics_of(key)
  local topics = {}
  for topic in self.by_key_:snapshot(key):each(key) do
    topics[#topics + 1] = topic
  end
  table.sort(topics)
  return topics
end

--- Does nobody hold anything?
---@return boolean
function Holdings:is_empty()
  return next(self.by_pid_) == nil and self.by_key_:snapshot():stats().metas == 0
end

--- @return presence.Holdings
function M.new()
  return setmetatable({ by_pid_ = {}, by_key_ = core.owner() }, Holdings)
end

return M
