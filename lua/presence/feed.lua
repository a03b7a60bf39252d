--- What each subscriber of a topic was told. The tracker changes the truth and touches the topic;
-- a flush compares what was announced with the truth, once, and tells everybody the difference.
-- A lone change on a quiet topic goes out at the end of its turn, further ones at most once a flush
-- interval: changes that cancel out vanish, a storm of joins is one frame. Leaves alone wait for an
-- interval, too: who comes back within it, or somebody else in its place, is in the same frame.
--
-- Most subscribers were told what was announced last: they are in step, share one diff, and their
-- audiences walk them in C. One who has just joined was told the truth of its own turn, one who
-- reads slowly an older state, and keeps it: at the next flush, or when it reads on, each gets one
-- diff from there to now. An old state that is kept for a slow reader keeps memory; past a bound it
-- is let go, and the reader gets a fresh presence_state instead of a diff.
local audiences = require "presence.audiences"
local core = require "presence.core"
local members = require "presence.members"

local max = math.max

local M = {}

---@class presence.Feed
local Feed = {}
Feed.__index = Feed

-- What an edit of a topic parts an older version from, at most: the nodes on one path, and the
-- presence that it takes out, whose text is counted on top.
local bytes_an_edit = 1024

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
      joining = members.new(), -- they are told the state at the end of the turn
      audiences = audiences.new(), -- of those who are told names
      counters = members.new(), -- those who are told the count
      mailboxes = members.new(), -- processes; they were told `announced`, or what is in
      late_mailboxes = nil, -- mailbox → what it found when it subscribed since the last flush
      last_flush = -math.huge,
      held_until = -math.huge, -- what has changed is only leaves, which may wait until then
      edited_bytes = 0, -- what all edits so far may have parted older versions from
      announced_at = 0, -- as much of that as is announced
      is_dirty = false, -- the truth may differ from what was announced
      has_strays = false, -- somebody who reads was told another state than was announced
      is_due = false, -- the topic has a turn coming
    }, Topic)
    self.topics_[name] = topic
  end
  return topic
end

local function close_if_unheard(self, topic)
  if #topic.joining + #topic.audiences + #topic.counters + #topic.mailboxes == 0 then
    self.topics_[topic.name] = nil
    if topic.timer then
      topic.timer:cancel()
      topic.timer = nil
    end
  end
end

local function ask_for_turn(self, topic)
  if not topic.is_due then
    topic.is_due = true
    self.turn:add("flush", topic)
  end
end

local function flush_wait_s(self, topic)
  return max(topic.last_flush + self.flush_interval_s, topic.held_until) - self.loop:now()
end

local function schedule_flush(self, topic)
  if topic.timer then
    return
  end
  local wait_s = flush_wait_s(self, topic)
  if wait_s <= 0 then
    ask_for_turn(self, topic)
  else
    topic.timer = self.loop:after(wait_s, function()
      topic.timer = nil
      ask_for_turn(self, topic)
    end)
  end
end

-- Policy "last": a leave is announced when it was the key's last connection. Until then what was
-- announced keeps the metas that have left, unless an update of the same pid replaced them, or a
-- connection that came back in their pid's place (replaced: key → pids).
local function hold_leaves_back(announced, truth, name, replaced_pids)
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
      for pid in pairs(replaced_pids[key] or {}) do
        joined[pid] = true
      end
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

local function tell_count(topic, subscriber, state)
  local count = state:count(topic.name)
  if subscriber.told_count ~= count and subscriber:is_writable() then
    subscriber.told_count = count
    subscriber:tell("presence_count", string.format('{"count":%d}', count), {})
  end
end

local function announced_json(topic)
  topic.state_json = topic.state_json or core.wire_state_json(topic.announced, topic.name)
  return topic.state_json
end

-- From now on it keeps the state that it was told.
local function fall_behind(subscriber, state, told_at)
  subscriber.is_behind, subscriber.told, subscriber.told_at = true, state, told_at
end

-- One encoding for all who were told the same state before.
local function diff_from(topic, told, now, diffs)
  local diff = diffs[told]
  if diff == nil then
    local json = core.wire_diff_json(told, now, topic.name)
    diff = json and { json = json, shared = {} } or false
    diffs[told] = diff
  end
  return diff
end

-- Bring a subscriber who reads from what it was told to what has been announced.
local function bring_into_step(topic, subscriber, diffs)
  local told = subscriber.told
  subscriber.is_behind, subscriber.told = false, nil
  topic.audiences:of(subscriber):set_in_step(subscriber)
  if not told then
    subscriber:tell_state(announced_json(topic))
    return
  end
  local diff = diff_from(topic, told, topic.announced, diffs)
  if diff then
    subscriber:tell("presence_diff", diff.json, diff.shared)
  end
end

-- Those who were not told with the others. before: what was announced before, and when.
local function see_to_stray(self, topic, subscriber, before, before_at, diffs)
  if not subscriber.is_behind then
    fall_behind(subscriber, before, before_at)
  end
  if subscriber:is_writable() then
    bring_into_step(topic, subscriber, diffs)
  elseif topic.edited_bytes - subscriber.told_at > self.max_behind_bytes then
    subscriber.told = nil
  end
end

local function tell_subscribers(self, topic, before, before_at)
  local diffs = {}
  local diff = before ~= topic.announced and diff_from(topic, before, topic.announced, diffs)
  local json, shared
  if diff then
    json, shared = diff.json, diff.shared
  end
  for i = 1, #topic.audiences do
    local strays = topic.audiences[i]:tell("presence_diff", json, shared)
    for j = 1, #strays do
      see_to_stray(self, topic, strays[j], before, before_at, diffs)
    end
  end
  for i = 1, #topic.counters do
    tell_count(topic, topic.counters[i], topic.announced)
  end
end

local function tell_mailboxes(topic, before)
  local late, payloads = topic.late_mailboxes, {}
  topic.late_mailboxes = nil
  for i = 1, #topic.mailboxes do
    local mailbox = topic.mailboxes[i]
    local told = late and late[mailbox] or before
    local payload = payloads[told]
    if payload == nil then
      payload = core.diff_json(told, topic.announced, topic.name) or false
      payloads[told] = payload
    end
    if payload then
      mailbox:deliver(topic.name, "presence_diff", payload)
    end
  end
end

-- What a flush of this instant would announce.
local function to_announce(self, topic)
  local now = self.owner:snapshot(topic.name)
  if self.policy(topic.name) == "last" then
    now = hold_leaves_back(topic.announced, now, topic.name, topic.replaced or {})
  end
  return now
end

-- Announce what changed since the last flush.
local function flush(self, topic)
  topic.last_flush = self.loop:now()
  topic.is_dirty = false
  local before, before_at = topic.announced, topic.announced_at
  local now = to_announce(self, topic)
  topic.replaced, topic.announced_at = nil, topic.edited_bytes
  local has_changed = now ~= before
  if has_changed then
    topic.announced = now
    topic.state_json = nil
  end
  if has_changed or topic.has_strays then
    topic.has_strays = false
    tell_subscribers(self, topic, before, before_at)
    tell_mailboxes(topic, before)
  end
end

-- Tell those who joined in this turn what is true now, their own presences included. Between two
-- flushes that is more than was announced.
local function greet(self, topic)
  local joining = topic.joining
  topic.joining = members.new()
  local state, json
  if topic.is_dirty then
    state = self.owner:snapshot(topic.name)
    json = core.wire_state_json(state, topic.name)
    topic.has_strays = true
  else
    state = topic.announced
    json = announced_json(topic)
  end
  for i = 1, #joining do
    local subscriber = joining[i]
    if subscriber.presence_mode == "count" then
      topic.counters:add(subscriber)
      tell_count(topic, subscriber, state)
    else
      topic.audiences:add(subscriber, not topic.is_dirty)
      if topic.is_dirty then
        fall_behind(subscriber, state, topic.edited_bytes)
      end
      subscriber:tell_state(json)
    end
  end
end

--- The topic's turn.
function Topic:turn()
  local feed = self.feed
  self.is_due = false
  if feed.topics_[self.name] ~= self then
    return
  end
  if self.is_dirty then
    if flush_wait_s(feed, self) <= 0 then
      flush(feed, self)
    else
      schedule_flush(feed, self) -- its timer was set for a flush that came sooner
    end
  end
  if #self.joining > 0 then
    greet(feed, self)
  end
end

--- A connection came back in the place of a lost pid: to everybody an update. `touch` follows.
---@param name string
---@param key string
---@param pid integer|string the lost one
function Feed:replace(name, key, pid)
  local topic = self.topics_[name]
  if topic then
    topic.replaced = topic.replaced or {}
    topic.replaced[key] = topic.replaced[key] or {}
    topic.replaced[key][pid] = true
  end
end

-- What held the flush back has company that does not wait for it.
local function let_go(self, topic)
  topic.held_until = -math.huge
  if topic.timer then
    topic.timer:cancel()
    topic.timer = nil
  end
  schedule_flush(self, topic)
end

--- The truth about a topic has changed.
---@param name string
---@param taken_out_bytes integer|nil of the presence that the edit took out, if it did
---@param is_leave boolean|nil
function Feed:touch(name, taken_out_bytes, is_leave)
  local topic = self.topics_[name]
  if not topic then
    return
  end
  topic.edited_bytes = topic.edited_bytes + bytes_an_edit + (taken_out_bytes or 0)
  if not topic.is_dirty then
    topic.is_dirty = true
    topic.held_until = is_leave and self.loop:now() + self.flush_interval_s or -math.huge
    schedule_flush(self, topic)
  elseif not is_leave and topic.held_until > -math.huge then
    let_go(self, topic)
  end
end

--- Subscribe a channel: `presence_state` at the end of this turn, diffs after it.
---@param name string
---@param subscriber {presence_mode: "all"|"count", is_writable: (fun(self): boolean),
---  tell: fun(self, event: string, json: string, shared: table),
---  tell_state: fun(self, json: string), new_audience: fun(self): table} see audiences.lua; those
---  audiences also have `tell` and `set_in_step`
function Feed:join(name, subscriber)
  local topic = open_topic(self, name)
  topic.joining:add(subscriber)
  ask_for_turn(self, topic)
end

---@param name string
---@return boolean was_told a diff, together with others
function Feed:leave(name, subscriber)
  local topic = self.topics_[name]
  if not topic then
    return false
  end
  topic.joining:remove(subscriber)
  topic.counters:remove(subscriber)
  local _, was_told = topic.audiences:remove(subscriber)
  subscriber.told = nil
  close_if_unheard(self, topic)
  return was_told or false
end

--- A subscriber that was passed over reads on: it gets one diff from what it was told to what has
--- been announced since.
---@param name string
function Feed:catch_up(name, subscriber)
  local topic = self.topics_[name]
  local counts = topic and topic.counters:has(subscriber)
  local is_behind = topic and subscriber.is_behind and topic.audiences:of(subscriber)
  if not (counts or is_behind) then
    return
  elseif topic.is_dirty then
    -- It may have been told more than was announced; the flush that is coming tells it the rest.
    topic.has_strays = true
  elseif counts then
    tell_count(topic, subscriber, topic.announced)
  else
    bring_into_step(topic, subscriber, {})
  end
end

--- Subscribe a process's mailbox to the diffs of a topic, from this instant on.
---@param name string
---@param mailbox {deliver: fun(self, topic: string, event: string, payload: string)}
function Feed:watch(name, mailbox)
  local topic = open_topic(self, name)
  topic.mailboxes:add(mailbox)
  if topic.is_dirty then
    -- What changed before the subscription is not for the new subscriber.
    topic.late_mailboxes = topic.late_mailboxes or {}
    topic.late_mailboxes[mailbox] = to_announce(self, topic)
    topic.has_strays = true
  end
end

---@param name string
function Feed:unwatch(name, mailbox)
  local topic = self.topics_[name]
  if topic then
    topic.mailboxes:remove(mailbox)
    if topic.late_mailboxes then
      topic.late_mailboxes[mailbox] = nil
    end
    close_if_unheard(self, topic)
  end
end

---@param opts {loop: table, turn: presence.Turn, owner: userdata, flush_interval_s: number,
---  max_behind_bytes: number,
---  policy: fun(topic: string): "each"|"last"}
---@return presence.Feed
function M.new(opts)
  return setmetatable({
    loop = opts.loop,
    turn = opts.turn,
    owner = opts.owner,
    flush_interval_s = opts.flush_interval_s,
    max_behind_bytes = opts.max_behind_bytes,
    policy = opts.policy,
    topics_ = {},
  }, Feed)
end

return M
