--- Testing an application: clients of an endpoint without a server, a loop or any sleeping.
-- Every `presence.testing.new` has a runtime of its own, whose clock the test turns.
local binary = require "presence.binary"
local client = require "presence.client"
local json = require "presence.json"
local manual_loop = require "presence.manual.loop"
local runtime = require "presence.runtime"

local M = {}

---@class presence.Testing
---@field runtime presence.Runtime
---@field endpoint presence.BoundEndpoint
local Testing = {}
Testing.__index = Testing

---@class presence.TestClient
---@field closed boolean|integer the code the server closed with, true when it had none
local TestClient = {}
TestClient.__index = TestClient

local function describe(self, value)
  if type(value) == "string" or binary.is(value) then
    return tostring(value)
  end
  local ok, text = pcall(json.encode_sorted, value)
  return ok and text or self.test.runtime.json.encode(value)
end

local function describe_inbox(self)
  if #self.inbox == 0 then
    return "nothing came"
  end
  local lines = {}
  for _, message in ipairs(self.inbox) do
    lines[#lines + 1] = "  " .. message.topic .. " " .. message.event .. " "
      .. describe(self, message.payload)
  end
  return "what came instead:\n" .. table.concat(lines, "\n")
end

local function on_message(self, data, is_binary)
  local message = self.protocol:receive(data, is_binary)
  if not message then
    return
  end
  if message.event == "phx_reply" and message.ref then
    self.replies[message.ref] = message.payload
  else
    self.inbox[#self.inbox + 1] = message
  end
end

-- The reply to a message, once the turn is over.
local function take_reply(self, ref)
  self.test.loop:turn()
  local reply = self.replies[ref]
  self.replies[ref] = nil
  if not reply then
    return nil, "no_reply"
  end
  return reply
end

local function check_text(what, name, value)
  if type(value) ~= "string" then
    error(what .. ": " .. name .. " must be a string, got " .. type(value), 3)
  end
end

local function topic_or_current(self, what, topic)
  topic = topic or self.topic
  if not topic then
    error(what .. ": join a topic first, or name one", 3)
  end
  return topic
end

--- Join a topic. It becomes the one that `push`, `leave` and `presences` mean.
---@param topic string
---@param params table|string|nil
---@return {status: "ok"|"error", response: any}|nil reply nil, "no_reply" when there was none
function TestClient:join(topic, params)
  check_text("join", "topic", topic)
  local ref = self.protocol:join(topic, params)
  local reply, word = take_reply(self, ref)
  if reply and reply.status == "ok" then
    self.topic = topic
  end
  return reply, word
end

--- Push an event.
---@param event string
---@param payload table|string|presence.Binary|nil
---@param topic string|nil default: the topic joined last
---@return {status: "ok"|"error", response: any}|nil reply nil, "no_reply" when there was none
function TestClient:push(event, payload, topic)
  check_text("push", "event", event)
  topic = topic_or_current(self, "push", topic)
  return take_reply(self, self.protocol:push(topic, event, payload))
end

--- Take the oldest message with this event that came, and has not been taken yet.
--- Raises, with what came instead, when there is none.
---@param event string
---@param topic string|nil default: any topic
---@return any payload
function TestClient:expect(event, topic)
  check_text("expect", "event", event)
  self.test.loop:turn()
  for i, message in ipairs(self.inbox) do
    if message.event == event and (topic == nil or message.topic == topic) then
      table.remove(self.inbox, i)
      return message.payload
    end
  end
  error("expected " .. event .. (topic and " on " .. topic or "") .. ", but "
    .. describe_inbox(self), 2)
end

--- The client's mirror of a topic: key → {metas = {…}}, as phoenix.js would hold it.
---@param topic string|nil default: the topic joined last
---@return table<string, {metas: table[]}>
function TestClient:presences(topic)
  self.test.loop:turn()
  return self.protocol:presences(topic_or_current(self, "presences", topic))
end

--- Leave a topic.
---@param topic string|nil default: the topic joined last
---@return {status: "ok"|"error", response: any}|nil reply
function TestClient:leave(topic)
  topic = topic_or_current(self, "leave", topic)
  return take_reply(self, self.protocol:leave(topic))
end

--- Send a raw message, however malformed.
---@param data string
---@param is_binary boolean|nil
function TestClient:send(data, is_binary)
  check_text("send", "data", data)
  self.connection:receive(data, is_binary)
  self.test.loop:turn()
end

--- Close the connection, as a page that is closed does.
function TestClient:close()
  if not self.closed then
    self.closed = true
    self.connection:closed(1001)
  end
  self.test.loop:turn()
end

--- Stop reading: the server sees backpressure until `read_on`.
function TestClient:stop_reading()
  self.reading = false
end

--- Read what waited, and on.
function TestClient:read_on()
  self.reading = true
  local waiting = self.waiting
  self.waiting = {}
  for _, message in ipairs(waiting) do
    on_message(self, message.data, message.is_binary)
  end
  self.connection:drained()
  self.test.loop:turn()
end

--- Connect a client.
---@param params table<string, string>|nil the query of the connect request
---@param request {headers: table|nil, remote_address: string|nil, secure: boolean|nil}|nil
---@return presence.TestClient|nil
---@return integer|nil status when refused
---@return string|nil reason
function Testing:client(params, request)
  if params ~= nil and type(params) ~= "table" then
    error("client: params must be a table, got " .. type(params), 2)
  end
  local query = { vsn = "2.0.0" }
  for name, value in pairs(params or {}) do
    query[name] = value
  end
  request = request or {}
  local self_ = setmetatable(
    { test = self, inbox = {}, replies = {}, waiting = {}, reading = true, closed = false },
    TestClient
  )
  local connection, status, reason = self.endpoint:connect({
    path = self.endpoint.endpoint.mount .. "/websocket",
    query = query,
    headers = request.headers or {},
    remote_address = request.remote_address or "127.0.0.1",
    secure = request.secure or false,
  }, {
    framing = "message",
    send = function(data, is_binary)
      if self_.reading then
        on_message(self_, data, is_binary)
        return true
      end
      self_.waiting[#self_.waiting + 1] = { data = data, is_binary = is_binary }
      return false
    end,
    close = function(code)
      self_.closed = code or true
    end,
  })
  if not connection then
    return nil, status, reason
  end
  self_.connection = connection
  self_.protocol = client.new {
    json = self.runtime.json,
    vsn = query.vsn,
    send = function(data, is_binary)
      connection:receive(data, is_binary)
    end,
  }
  self.clients_[#self.clients_ + 1] = self_
  return self_
end

--- Turn the clock.
---@param seconds number
function Testing:advance(seconds)
  if type(seconds) ~= "number" or seconds ~= seconds or seconds < 0 then
    error("advance: seconds must be a number from 0 on, got " .. tostring(seconds), 2)
  end
  self.loop:advance(seconds)
end

local function leftovers(self)
  local left = {}
  local processes = 0
  for _ in pairs(self.runtime.processes.by_pid_) do
    processes = processes + 1
  end
  if processes > 0 then
    left[#left + 1] = processes .. " processes still run"
  end
  for _, topic in ipairs(self.runtime.topics()) do
    left[#left + 1] = topic.count .. " keys are still present on " .. topic.topic
  end
  local pending = self.loop:pending()
  if pending > 0 then
    left[#left + 1] = pending .. " timers are still set"
  end
  for _, entry in ipairs(self.logged) do
    if entry.level == "error" then
      left[#left + 1] = "an error was logged: " .. entry.message
    end
  end
  return left
end

--- Close every client; raise when anything is left running or an error was logged.
function Testing:finish()
  for _, one in ipairs(self.clients_) do
    one:close()
  end
  self.runtime.tracker.grace:expire_all()
  self.loop:turn()
  local left = leftovers(self)
  if left[1] then
    error("not finished cleanly:\n" .. table.concat(left, "\n"), 2)
  end
end

local function copy_with(opts, fields)
  local copy = {}
  for name, value in pairs(opts or {}) do
    copy[name] = value
  end
  for name, value in pairs(fields) do
    copy[name] = value
  end
  return copy
end

--- Test an endpoint on a fresh runtime with a clock of its own.
---@param endpoint presence.Endpoint
---@param opts table|nil options of the runtime
---@return presence.Testing
function M.new(endpoint, opts)
  if type(endpoint) ~= "table" or type(endpoint.bind) ~= "function" then
    error("testing.new: needs an endpoint, made by presence.endpoint", 2)
  end
  if type(opts) == "string" then
    opts = nil -- the second result of require in `testing.new(require "app")`, by Lua 5.4
  end
  local loop = manual_loop.new()
  local logged = {}
  local function log(level, message, fields)
    logged[#logged + 1] = { level = level, message = message, fields = fields }
  end
  local self = setmetatable({ loop = loop, logged = logged, clients_ = {} }, Testing)
  self.runtime = runtime.new(copy_with(opts, { loop = loop, log = log, ref_prefix = "F" }))
  self.endpoint = endpoint:bind(self.runtime)
  return self
end

return M
