--- Who holds what: the truth about presences, in one C handle that is edited in place.
-- Every edit touches the topic's feed, which tells the subscribers at its next flush.
local core = require "presence.core"
local grace = require "presence.grace"
local json = require "presence.json"
local prototype_keys = require "presence.prototype_keys"

local M = {}

---@class presence.Tracker
local Tracker = {}
Tracker.__index = Tracker

local function check_string(what, name, value)
  if type(value) ~= "string" then
    error(what .. ": " .. name .. " must be a string, got " .. type(value), 3)
  end
end

local function is_pid(pid)
  return type(pid) == "string"
    or type(pid) == "number" and pid == math.floor(pid) and math.abs(pid) <= 2 ^ 53
end

local function check_socket(what, socket)
  if type(socket) ~= "table" then
    error(what .. ": needs a socket, a table {topic =, pid =}, got " .. type(socket), 3)
  end
  if type(socket.topic) ~= "string" then
    error(what .. ": socket.topic must be a string, got " .. type(socket.topic), 3)
  end
  if not is_pid(socket.pid) then
    error(what .. ": socket.pid must be an integer within 2^53 or a string", 3)
  end
end

--- Check a key and a topic as a stranger may have chosen them.
local function check_names(self, topic, key)
  local limits = self.limits
  if #key > limits.max_key_bytes then
    return nil, "too_large", "the key has " .. #key .. " bytes, over " .. limits.max_key_bytes
  end
  if #topic > limits.max_topic_bytes then
    return nil, "too_large", "the topic has " .. #topic .. " bytes, over " .. limits.max_topic_bytes
  end
  if not core.utf8_valid(key) then
    return nil, "not_utf8", "the key is not UTF-8"
  end
  if limits.refuse_prototype_keys and prototype_keys[key] then
    return nil, "refused_key", "the key is " .. key
  end
  if not core.utf8_valid(topic) then
    return nil, "not_utf8", "the topic is not UTF-8"
  end
  return true
end

--- A meta as given, table or text, to the text that is kept.
local function meta_text(self, what, meta)
  local text = meta
  if type(meta) == "table" then
    local ok, encoded = pcall(json.encode_sorted, meta)
    if not ok then
      return nil, "not_object", tostring(encoded)
    end
    text = encoded
  elseif type(meta) ~= "string" then
    error(what .. ": meta must be a JSON object, as text or as a table, got " .. type(meta), 3)
  end
  if #text > self.limits.max_meta_bytes then
    return nil, "too_large",
      "the meta has " .. #text .. " bytes, over " .. self.limits.max_meta_bytes
  end
  return core.meta_object(text, self.limits.max_json_depth)
end

local function next_ref(self)
  self.refs_ = self.refs_ + 1
  return string.format("%s%x", self.ref_prefix, self.refs_)
end

-- Callbacks.

local Callback = {}
Callback.__index = Callback

function Callback:turn()
  local tracker, event = self.tracker, self.event
  local began_at = tracker.loop:now()
  local ok, err = xpcall(self.fn, debug.traceback, event)
  if not ok then
    tracker.log("error", self.name .. " raised: " .. tostring(err), { topic = event.topic })
  end
  tracker.watchdog:stretch(event, tracker.loop:now() - began_at)
end

local function notify(self, name, event)
  local fn = self.callbacks[name]
  if not fn then
    return
  end
  event.entry = self.questions:get_by_key(event.topic, event.key)
  event.at = self.loop:time()
  local call = { fn = fn, name = name, event = event, tracker = self }
  self.turn:add("run", setmetatable(call, Callback))
end

-- A connection comes for one that was lost: to everybody an update.
local function commit_return(self, lost_pid, topic, key, pid, text, ref, leave_after)
  local old = self.owner:get(topic, key, lost_pid)
  assert(self.owner:take_over(topic, key, pid, text, ref, lost_pid))
  self.grace:drop(topic, key, lost_pid)
  self.holdings:remove(lost_pid, topic, key)
  self.holdings:add(pid, topic, key, leave_after)
  self.feed:replace(topic, key, lost_pid)
  self.feed:touch(topic, #key + #old)
  notify(self, "on_update", {
    topic = topic, key = key, pid = pid, meta = text, old_meta = old, first = false, last = false,
  })
  return ref
end

local function commit_track(self, topic, key, pid, text, ref, leave_after)
  if self.owner:get(topic, key, pid) then
    return nil, "already_tracked", "the key is tracked by this socket"
  end
  local lost_pid = self.grace:first(topic, key)
  if lost_pid ~= nil then
    return commit_return(self, lost_pid, topic, key, pid, text, ref, leave_after)
  end
  local ok, word, detail = self.owner:track(topic, key, pid, text, ref)
  if not ok then
    return nil, word, detail
  end
  self.holdings:add(pid, topic, key, leave_after)
  self.feed:touch(topic)
  notify(self, "on_join", {
    topic = topic, key = key, pid = pid, meta = text,
    first = self.owner:connections(topic, key) == 1, last = false,
  })
  return ref
end

local function commit_untrack(self, topic, key, pid, reason)
  local meta = self.owner:get(topic, key, pid)
  if not meta then
    return 0
  end
  local removed = self.owner:untrack(topic, key, pid)
  self.grace:drop(topic, key, pid)
  self.holdings:remove(pid, topic, key)
  self.feed:touch(topic, #key + #meta, true)
  notify(self, "on_leave", {
    topic = topic, key = key, pid = pid, meta = meta, reason = reason,
    first = false, last = self.owner:connections(topic, key) == 0,
  })
  return removed
end

-- What is tracked while `join` decides is held until it accepts.

local function find_held(held, key)
  for i = 1, #held do
    if held[i].key == key then
      return held[i], i
    end
  end
end

--- Track the held presences of a socket whose join was accepted.
---@param socket table
function Tracker:commit_held(socket)
  local held = socket.held_
  socket.held_ = nil
  for _, presence in ipairs(held or {}) do
    local ref, word = commit_track(self, socket.topic, presence.key, socket.pid, presence.text,
      presence.ref, presence.leave_after)
    if not ref then
      self.log("warn", "what was tracked in join was refused when it was accepted: " .. word,
        { topic = socket.topic, key = presence.key })
    end
  end
end

local function check_leave_after(what, opts)
  if opts ~= nil and type(opts) ~= "table" then
    error(what .. ": options must be a table, got " .. type(opts), 3)
  end
  local leave_after = opts and opts.leave_after
  local is_number = type(leave_after) == "number" and leave_after == leave_after
  if leave_after ~= nil and not (is_number and leave_after >= 0) then
    error(what .. ": leave_after must be a number of seconds", 3)
  end
  return leave_after
end

--- Track a socket's process on the socket's topic under key.
---@param socket {topic: string, pid: integer|string}
---@param key string
---@param meta string|table a JSON object
---@param opts {leave_after: number|nil}|nil seconds this presence may be lost before it leaves
---@return string|nil ref
---@return string|nil word "already_tracked", "not_object", "not_utf8", "too_large", "refused_key",
---  "no_process"
---@return string|nil detail
function Tracker:track(socket, key, meta, opts)
  check_socket("track", socket)
  check_string("track", "key", key)
  local leave_after = check_leave_after("track", opts)
  local topic, pid = socket.topic, socket.pid
  local ok, word, detail = check_names(self, topic, key)
  if not ok then
    return nil, word, detail
  end
  local text
  text, word, detail = meta_text(self, "track", meta)
  if not text then
    return nil, word, detail
  end
  if self.processes:has_ended(pid) then
    return nil, "no_process", "the socket's process has ended"
  end
  local held = socket.held_
  if not held then
    return commit_track(self, topic, key, pid, text, next_ref(self), leave_after)
  end
  if find_held(held, key) then
    return nil, "already_tracked", "the key is tracked by this socket"
  end
  local ref = next_ref(self)
  held[#held + 1] = { key = key, text = text, ref = ref, leave_after = leave_after }
  return ref
end

-- The meta a socket has under key: text, ref, and the held presence when it is one.
local function current_meta(self, socket, key)
  local held = socket.held_ and find_held(socket.held_, key)
  if held then
    return held.text, held.ref, held
  end
  if self.processes:has_ended(socket.pid) then
    return nil -- what it tracked is gone, or waits for another connection
  end
  return self.owner:get(socket.topic, key, socket.pid)
end

--- Replace the meta that a socket tracks under key. Equal bytes change nothing.
---@param socket {topic: string, pid: integer|string}
---@param key string
---@param meta string|table|fun(old: string): string|table
---@return string|nil ref the one before where nothing changed, a new one else
---@return string|nil word "nopresence", "not_object", "not_utf8", "too_large"
---@return string|nil detail
function Tracker:update(socket, key, meta)
  check_socket("update", socket)
  check_string("update", "key", key)
  local topic, pid = socket.topic, socket.pid
  local old = current_meta(self, socket, key)
  if not old then
    return nil, "nopresence", "the key is not tracked by this socket"
  end
  if type(meta) == "function" then
    meta = meta(old)
  end
  local text, word, detail = meta_text(self, "update", meta)
  if not text then
    return nil, word, detail
  end
  -- The function may have tracked or untracked meanwhile.
  local old_ref, held
  old, old_ref, held = current_meta(self, socket, key)
  if not old then
    return nil, "nopresence", "the key is not tracked by this socket"
  end
  if text == old then
    return old_ref
  end
  local ref = next_ref(self)
  if held then
    held.text, held.ref = text, ref
    return ref
  end
  local ok
  ok, word, detail = self.owner:update(topic, key, pid, text, ref)
  if not ok then
    return nil, word, detail
  end
  self.feed:touch(topic, #key + #old)
  notify(self, "on_update", {
    topic = topic, key = key, pid = pid, meta = text, old_meta = old, first = false, last = false,
  })
  return ref
end

--- Track, or update what is tracked already.
---@param socket {topic: string, pid: integer|string}
---@param key string
---@param meta string|table
---@param opts {leave_after: number|nil}|nil as for `track`
---@return string|nil ref
---@return string|nil word
---@return string|nil detail
function Tracker:put(socket, key, meta, opts)
  check_socket("put", socket)
  check_string("put", "key", key)
  if current_meta(self, socket, key) then
    return self:update(socket, key, meta)
  end
  return self:track(socket, key, meta, opts)
end

--- Remove what a socket's process tracks: under one key of the socket's topic, or everything.
---@param socket {topic: string, pid: integer|string}
---@param key string|nil
---@return integer removed
function Tracker:untrack(socket, key)
  check_socket("untrack", socket)
  if key == nil then
    socket.held_ = socket.held_ and {}
    return self:drop(socket.pid, "left")
  end
  check_string("untrack", "key", key)
  if socket.held_ then
    local held, place = find_held(socket.held_, key)
    if held then
      table.remove(socket.held_, place)
      return 1
    end
  end
  return commit_untrack(self, socket.topic, key, socket.pid, "left")
end

--- Remove everything that a pid tracks.
---@param pid integer|string
---@param reason "left"|"closed"|"crashed"|"timeout"|"node_down"
---@return integer removed
function Tracker:drop(pid, reason)
  local removed = 0
  for _, presence in ipairs(self.holdings:of(pid)) do
    removed = removed + commit_untrack(self, presence.topic, presence.key, pid, reason)
  end
  return removed
end

--- A pid was lost, and may come back: what it tracks leaves when its `leave_after` is over, at once
--- where that is 0.
---@param pid integer|string
---@param reason "left"|"closed"|"crashed"|"timeout"|"node_down"
function Tracker:lose(pid, reason)
  for _, presence in ipairs(self.holdings:of(pid)) do
    local topic, key = presence.topic, presence.key
    local leave_after = presence.leave_after or self.leave_after(topic)
    if leave_after > 0 then
      self.grace:hold(topic, key, pid, leave_after, function()
        commit_untrack(self, topic, key, pid, reason)
      end)
    else
      commit_untrack(self, topic, key, pid, reason)
    end
  end
end

---@param opts {loop: table, turn: presence.Turn, log: function, processes: presence.Processes,
---  watchdog: presence.Watchdog, feed: presence.Feed, owner: userdata, holdings: presence.Holdings,
---  questions: presence.Questions, limits: table, callbacks: table, ref_prefix: string,
---  leave_after: fun(topic: string): number}
---@return presence.Tracker
function M.new(opts)
  return setmetatable({
    loop = opts.loop,
    turn = opts.turn,
    log = opts.log,
    processes = opts.processes,
    watchdog = opts.watchdog,
    feed = opts.feed,
    owner = opts.owner,
    holdings = opts.holdings,
    questions = opts.questions,
    limits = opts.limits,
    callbacks = opts.callbacks,
    ref_prefix = opts.ref_prefix,
    leave_after = opts.leave_after,
    grace = grace.new(opts.loop),
    refs_ = 0,
  }, Tracker)
end

return M
