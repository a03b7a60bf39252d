--- What users ask of the truth about presences. Nothing here changes it.
local core = require "presence.core"

local M = {}

---@class presence.Questions
local Questions = {}
Questions.__index = Questions

local function check_string(what, name, value)
  if type(value) ~= "string" then
    error(what .. ": " .. name .. " must be a string, got " .. type(value), 3)
  end
end

--- Everybody on a topic: an array of `{key, meta_json}` pairs, one a meta.
---@param topic string
---@return {[1]: string, [2]: string}[]
function Questions:list(topic)
  check_string("list", "topic", topic)
  local pairs_ = {}
  for key, entry in self.owner:snapshot(topic):each(topic) do
    for _, meta in ipairs(core.entry_metas(entry)) do
      pairs_[#pairs_ + 1] = { key, meta.data }
    end
  end
  return pairs_
end

--- Number of distinct keys on a topic.
---@param topic string
---@return integer
function Questions:count(topic)
  check_string("count", "topic", topic)
  return self.owner:count(topic)
end

---@param topic string
---@param key string
---@return presence.PresenceEntry|nil
function Questions:get_by_key(topic, key)
  check_string("get_by_key", "topic", topic)
  check_string("get_by_key", "key", key)
  return self.owner:snapshot(topic):get(topic, key)
end

--- Number of connections of many keys at one instant.
---@param topic string
---@param keys string[]
---@return table<string, integer>
function Questions:online(topic, keys)
  check_string("online", "topic", topic)
  if type(keys) ~= "table" then
    error("online: keys must be an array of strings, got " .. type(keys), 2)
  end
  local connections = {}
  for _, key in ipairs(keys) do
    check_string("online", "a key", key)
    connections[key] = self.owner:connections(topic, key)
  end
  return connections
end

--- Topics that somebody is on, with their number of keys, sorted by name.
---@param prefix string|nil
---@return {topic: string, count: integer}[]
function Questions:topics(prefix)
  if prefix ~= nil then
    check_string("topics", "prefix", prefix)
  end
  local topics = {}
  for topic, count in self.owner:snapshot():topics() do
    if not prefix or topic:sub(1, #prefix) == prefix then
      topics[#topics + 1] = { topic = topic, count = count }
    end
  end
  table.sort(topics, function(a, b)
    return a.topic < b.topic
  end)
  return topics
end

--- The topics that a key is on, sorted.
---@param key string
---@return string[]
function Questions:where(key)
  check_string("where", "key", key)
  return self.holdings:topics_of(key)
end

--- The immutable state of this instant.
---@return presence.PresenceState
function Questions:snapshot()
  return self.owner:snapshot()
end

---@param owner userdata who holds what
---@param holdings presence.Holdings the same, by pid and by key
---@return presence.Questions
function M.new(owner, holdings)
  return setmetatable({ owner = owner, holdings = holdings }, Questions)
end

return M
