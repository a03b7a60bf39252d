--- A runtime: one loop with its processes, PubSub, tracker and feed.
local binary = require "presence.binary"
local config = require "presence.config"
local core = require "presence.core"
local feed = require "presence.feed"
local guarded_log = require "presence.guarded_log"
local holdings = require "presence.holdings"
local json = require "presence.json"
local process = require "presence.process"
local pubsub = require "presence.pubsub"
local questions = require "presence.questions"
local tracker = require "presence.tracker"
local turn = require "presence.turn"
local watchdog = require "presence.watchdog"

local M = {}

---@class presence.Runtime
---@field loop table
---@field process table spawn, self, send, receive, monitor, exit, register, unregister, whereis
---@field pubsub presence.PubSub
local Runtime = {}
Runtime.__index = Runtime

local function write_to_stderr(level, line)
  if level ~= "debug" and level ~= "info" then
    io.stderr:write("presence: ", level, ": ", line, "\n")
  end
end

local max_field_bytes = 200

-- Fields may hold what clients sent: it must not begin a line of its own, nor fill the log.
local function field_text(value)
  local text = tostring(value)
  if #text > max_field_bytes then
    text = text:sub(1, max_field_bytes) .. "..."
  end
  return (text:gsub("%c", function(control)
    return string.format("\\x%02x", control:byte())
  end))
end

local function line_of(message, fields)
  local parts, names = { message }, {}
  for name in pairs(fields or {}) do
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    parts[#parts + 1] = " " .. name .. "=" .. field_text(fields[name])
  end
  return table.concat(parts)
end

-- Into the log that the loop's platform has, else to standard error.
local function default_log(loop)
  local write = loop.write_log or write_to_stderr
  return function(level, message, fields)
    write(level, line_of(message, fields))
  end
end

-- What an end means to those who see a presence go.
local leave_reasons = {
  normal = "left",
  left = "left",
  closed = "closed",
  crashed = "crashed",
  timeout = "timeout",
}

local allowed = {
  loop = true, json = true, log = true, on_join = true, on_leave = true, on_update = true,
  ref_prefix = true,
}

local function is_loop(loop)
  return type(loop) == "table" and loop.now and loop.spawn and loop.after and loop.defer
end

--- The options merged over their defaults. Raises on what `new` would refuse, a missing loop apart.
---@param what string for the error message
---@param opts table
---@param level integer whose mistake it is, as for `error`
---@return table
function M.merge_options(what, opts, level)
  level = level + 1
  local merged = config.merge(what, config.runtime, opts, allowed, level + 1)
  if merged.loop ~= nil and not is_loop(merged.loop) then
    error(what .. ": the option loop must be a loop (presence.manual.loop, presence.luv.loop, …)",
      level)
  end
  if type(merged.refuse_prototype_keys) ~= "boolean" then
    error(what .. ": the option refuse_prototype_keys must be true or false", level)
  end
  if merged.leaves ~= "last" and merged.leaves ~= "each" then
    error(what .. ": the option leaves must be 'last' or 'each'", level)
  end
  for _, name in ipairs { "on_join", "on_leave", "on_update", "log" } do
    if merged[name] ~= nil and type(merged[name]) ~= "function" then
      error(what .. ": the option " .. name .. " must be a function", level)
    end
  end
  return merged
end

local function process_functions(processes)
  return {
    spawn = function(fn, ...)
      return processes:spawn(fn, ...)
    end,
    self = process.self,
    send = function(pid, message)
      return processes:send(pid, message)
    end,
    receive = process.receive,
    monitor = function(pid)
      return processes:monitor(pid)
    end,
    exit = function(pid, reason)
      return processes:exit(pid, reason)
    end,
    register = function(name, pid)
      local named = pid == nil and process.current() or processes:get(pid)
      return processes.registry:register(name, named)
    end,
    unregister = function(name)
      return processes.registry:unregister(name)
    end,
    whereis = function(name)
      return processes.registry:whereis(name)
    end,
  }
end

-- A prefix that differs from run to run, so that a client which outlives a restart never takes a
-- new presence for one of the old run.
local function new_ref_prefix()
  local address = tostring({}):match "0x(%x+)" or tostring({})
  return string.format("%x%s-", os.time(), address:sub(-7))
end

local tracker_functions = { "track", "update", "put", "untrack" }
local question_functions = {
  "list", "count", "get_by_key", "online", "topics", "where", "snapshot",
}

-- Functions on the runtime that are methods of one of its parts.
local function lend(self, part, names)
  for _, name in ipairs(names) do
    self[name] = function(...)
      return part[name](part, ...)
    end
  end
end

-- What the application and the project itself log, and what callbacks cause to be logged.
local function new_logs(opts)
  local sink = opts.log or default_log(opts.loop)
  local function log(level, message, fields)
    pcall(sink, level, message, fields or {})
  end
  return log, guarded_log.new {
    log = log, max_per_s = opts.max_logged_per_s,
    now = function()
      return opts.loop:now()
    end,
  }
end

--- Make a runtime. See docs/options.md for its options.
---@param opts table `loop` is required
---@return presence.Runtime
function M.new(opts)
  opts = M.merge_options("new", opts, 2)
  if opts.loop == nil then
    error("new: the option loop must be a loop (presence.manual.loop, presence.luv.loop, …)", 2)
  end
  local self = setmetatable({ loop = opts.loop, options = opts, endpoints_ = {} }, Runtime)
  self.json = json.codec(opts.json)
  local caused_log
  self.log, caused_log = new_logs(opts)
  opts.loop.on_error = function(err)
    caused_log("error", tostring(err))
  end
  self.turn_ = turn.new(opts.loop, opts.loop.on_error)
  self.watchdog = watchdog.new {
    loop = opts.loop, log = caused_log, max_turn_s = opts.max_turn_s,
    max_mailbox = opts.max_mailbox,
  }
  self.processes = process.new {
    loop = opts.loop, turn = self.turn_, log = caused_log, runtime = self,
    watchdog = self.watchdog,
  }
  local owner = core.owner()
  self.feed = feed.new {
    loop = opts.loop, turn = self.turn_, owner = owner, flush_interval_s = opts.flush_interval_s,
    max_behind_bytes = opts.max_behind_bytes,
    policy = function(topic)
      return self:leaves_policy(topic)
    end,
  }
  self.pubsub = pubsub.new {
    runtime = self, feed = self.feed,
    encode = function(topic, event, payload)
      payload = self:payload(payload)
      if type(payload) ~= "string" then
        binary.check_field("the topic", topic)
        binary.check_field("the event", event)
      end
      return payload
    end,
  }
  local held = holdings.new()
  self.questions = questions.new(owner, held)
  self.tracker = tracker.new {
    loop = opts.loop, turn = self.turn_, log = caused_log, processes = self.processes,
    watchdog = self.watchdog, feed = self.feed, owner = owner, holdings = held,
    questions = self.questions, limits = opts, callbacks = opts,
    ref_prefix = opts.ref_prefix or new_ref_prefix(),
    leave_after = function(topic)
      return self:leave_after(topic)
    end,
  }
  self.processes.on_exit = function(ended, reason, is_clean)
    self.pubsub:drop(ended)
    local tracker_end = is_clean and self.tracker.drop or self.tracker.lose
    tracker_end(self.tracker, ended.pid, leave_reasons[reason] or "closed")
  end
  self.process = process_functions(self.processes)
  lend(self, self.tracker, tracker_functions)
  lend(self, self.questions, question_functions)
  return self
end

--- When is a leave announced on a topic: every one for the topics of an endpoint, whose clients
--- mirror metas; elsewhere as the option `leaves` says.
---@param topic string
---@return "each"|"last"
function Runtime:leaves_policy(topic)
  for _, bound in ipairs(self.endpoints_) do
    if bound:match(topic) then
      return "each"
    end
  end
  return self.options.leaves
end

--- How long a presence on a topic may be lost before it leaves: as the topic's channel says, else
--- as the option `leave_after`.
---@param topic string
---@return number seconds
function Runtime:leave_after(topic)
  for _, bound in ipairs(self.endpoints_) do
    local definition = bound:match(topic)
    if definition and definition.leave_after then
      return definition.leave_after
    end
  end
  return self.options.leave_after
end

--- A payload as the wire takes it, JSON text or bytes: a string is JSON already, a table is
--- encoded, nil is `{}`.
---@param payload table|string|presence.Binary|nil
---@return string|presence.Binary
function Runtime:payload(payload)
  if payload == nil then
    return "{}"
  elseif type(payload) == "string" then
    local ok, _, detail = core.json_valid(payload, self.options.max_json_depth)
    if not ok then
      error("payload: a string must be JSON text: " .. tostring(detail), 0)
    end
    return payload
  elseif binary.is(payload) then
    return payload
  elseif type(payload) == "table" then
    local text = self.json.encode(payload)
    -- Codecs pass bytes on as they are, and whoever gets text that is not UTF-8 closes the socket.
    if type(text) ~= "string" or not core.utf8_valid(text) then
      error("payload: a string in it is not UTF-8", 0)
    end
    return text
  end
  error("payload: must be a table, a string that is JSON text, or presence.binary(bytes), got "
    .. type(payload), 0)
end

--- Decode a payload that came from outside, JSON text by its grammar. Not every one goes into Lua's
--- values: half a surrogate pair, a number past the range of doubles. Nor do bytes.
---@param payload string|presence.Binary
---@return boolean ok
---@return any value
function Runtime:decode(payload)
  if binary.is(payload) then
    return false
  end
  return json.decode_finite(self.json, payload)
end

return M
