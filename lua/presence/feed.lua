--- What each subscriber of a topic was told. The tracker changes the truth and touches the topic;
-- a flush compares what was announced with the truth, once, and tells everybody the difference.
-- A lone change on a quiet topic goes out at the end of its turn, further ones at most once a
-- flush interval: changes that cancel out vanish, a storm of joins is one frame.
local core = require "presence.core"
local members = require "presence.members"

local M = {}

---@class presence.Feed
local Feed = {}
Feed.__index = Feed

-- One topic that somebody listens to.
local Topic = {}
Topic.__index = Topic

local function open_topic(self, name)
  local topic = self.topics_[name]
  if not topic then
    topic = setmetatable({
      feed = self,
      name = name,
      announced = self.owner:snapshot(name),
      joining = members.new(), -- they get presence_state at the next flush
      subscribers = members.new(), -- they were told `announced`, or are behind
      mailboxes = members.new(), -- processes; they were told `announced`
      last_flush = -math.huge,
      scheduled_ = false,
    }, Topic)
    self.topics_[name] = topic
  end
  return topic
end

local function close_if_unheard(self, topic)
  if #topic.joining + #topic.subscribers + #topic.mailboxes == 0 then
    self.topics_[topic.name] = nil
    if topic.timer then
      topic.timer:cancel()
      topic.timer = nil
    end
  end
end

local function schedule(self, topic)
  if topic.scheduled_ then
    return
  end
  topic.scheduled_ = true
  local wait = topic.last_flush + self.flush_interval_s - self.loop:now()
  if wait <= 0 then
    self.turn:add("flush", topic)
  else
    topic.timer = self.loop:after(wait, function()
      topic.timer = nil
      self.turn:add("flush", topic)
    end)
  end
end

-- Policy "last": a leave is announced when it was the key's last connection. Until then what was
-- announced keeps the metas that have left, unless an update of the same pid replaced them.
local function hold_leaves_back(announced, truth, name)
  local changes = core.diff(announced, truth)[name]
  if not changes then
    return truth
  end
  local leaves = {}
  for key, entry in pairs(changes.leaves) do
    if not truth:has(name, key) then
      leaves[key] = entry
    elseif changes.joins[key] then
      local joined = {}
      for _, meta in ipairs(core.entry_metas(changes.joins[key])) do
        joined[meta.pid] = true
      end
      local replaced = {}
      for _, meta in ipairs(core.entry_metas(entry)) do
        if joined[meta.pid] then
          replaced[#replaced + 1] = meta
        end
      end
      if replaced[1] then
        leaves[key] = core.make_entry(replaced)
      end
    end
  end
  return core.patch(announced, { [name] = { joins = changes.joins, leaves = leaves } })
end

local function state_json(topic)
  if not topic.state_json_ then
    topic.state_json_ = core.wire_state_json(topic.announced, topic.name)
  end
  return topic.state_json_
end

local function tell_count(topic, subscriber)
  local count = topic.announced:count(topic.name)
  if subscriber.told_count ~= count and subscriber:is_writable() then
    subscriber.told_count = count
    subscriber:tell("presence_count", '{"count":' .. string.format("%d", count) .. "}", {})
  end
end

local function tell_subscribers(topic, before, diff_json)
  local shared = {}
  local subscribers = topic.subscribers
  for i = 1, #subscribers do
    local subscriber = subscribers[i]
    if subscriber.presence_mode == "count" then
      tell_count(topic, subscriber)
    elseif subscriber.behind then -- luacheck: ignore 542
      -- It is told everything at once when it reads on.
    elseif subscriber:is_writable() then
      subscriber:tell("presence_diff", diff_json, shared)
    else
      subscriber.behind = before
    end
  end
end

local function tell_mailboxes(topic, before)
  if #topic.mailboxes == 0 then
    return
  end
  local payload = core.diff_json(before, topic.announced, topic.name)
  if payload then
    for i = 1, #topic.mailboxes do
      topic.mailboxes[i]:deliver(topic.name, "presence_diff", payload)
    end
  end
end

local function greet(topic, subscriber)
  topic.subscribers:add(subscriber)
  if subscriber.presence_mode == "count" then
    tell_count(topic, subscriber)
  else
    subscriber:tell_state(state_json(topic))
  end
end

-- Announce what changed, then greet those who joined with the very state that was announced.
local function flush(self, topic)
  topic.last_flush = self.loop:now()
  local before = topic.announced
  local now = self.owner:snapshot(topic.name)
  if self.policy(topic.name) == "last" then
    now = hold_leaves_back(before, now, topic.name)
  end
  local diff_json = core.wire_diff_json(before, now, topic.name)
  if diff_json then
    topic.announced = now
    topic.state_json_ = nil
    tell_subscribers(topic, before, diff_json)
    tell_mailboxes(topic, before)
  end
  local joining = topic.joining
  if #joining > 0 then
    topic.joining = members.new()
    for i = 1, #joining do
      greet(topic, joining[i])
    end
  end
end

--- The topic's turn, asked for by `schedule`.
function Topic:turn()
  self.scheduled_ = false
  if self.feed.topics_[self.name] == self then
    flush(self.feed, self)
  end
end

--- The truth about a topic has changed.
---@param name string
function Feed:touch(name)
  local topic = self.topics_[name]
  if topic then
    schedule(self, topic)
  end
end

--- Subscribe a channel: `presence_state` at the next flush, diffs after it.
---@param name string
---@param subscriber {presence_mode: "all"|"count", is_writable: fun(self): boolean,
---  tell: fun(self, event: string, json: string, shared: table), tell_state: fun(self, json: string)}
function Feed:join(name, subscriber)
  local topic = open_topic(self, name)
  topic.joining:add(subscriber)
  schedule(self, topic)
end

---@param name string
function Feed:leave(name, subscriber)
  local topic = self.topics_[name]
  if topic then
    topic.joining:remove(subscriber)
    topic.subscribers:remove(subscriber)
    subscriber.behind = nil
    close_if_unheard(self, topic)
  end
end

--- A subscriber that was passed over reads on: it gets one diff from what it was told to now.
---@param name string
function Feed:catch_up(name, subscriber)
  local topic = self.topics_[name]
  if not (topic and topic.subscribers:has(subscriber)) then
    return
  end
  if subscriber.presence_mode == "count" then
    tell_count(topic, subscriber)
  elseif subscriber.behind then
    local diff_json = core.wire_diff_json(subscriber.behind, topic.announced, name)
    subscriber.behind = nil
    if diff_json then
      subscriber:tell("presence_diff", diff_json, {})
    end
  end
end

--- Subscribe a process's mailbox to the diffs of a topic, from this instant on.
---@param name string
---@param mailbox {deliver: fun(self, topic: string, event: string, payload: string)}
function Feed:watch(name, mailbox)
  local topic = open_topic(self, name)
  if topic.scheduled_ then
    -- What changed before the subscription is not for the new subscriber.
    flush(self, topic)
  end
  topic.mailboxes:add(mailbox)
end

---@param name string
function Feed:unwatch(name, mailbox)
  local topic = self.topics_[name]
  if topic then
    topic.mailboxes:remove(mailbox)
    close_if_unheard(self, topic)
  end
end

---@param opts {loop: table, turn: presence.Turn, owner: userdata, flush_interval_s: number,
---  policy: fun(topic: string): "each"|"last"}
---@return presence.Feed
function M.new(opts)
  return setmetatable({
    loop = opts.loop,
    turn = opts.turn,
    owner = opts.owner,
    flush_interval_s = opts.flush_interval_s,
    policy = opts.policy,
    topics_ = {},
  }, Feed)
end

return M
