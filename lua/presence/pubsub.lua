--- The PubSub table of a runtime: topic → subscribers. A subscriber is an object with a `pid` and
-- a method `deliver(topic, event, payload, shared)`; `shared` is one table a broadcast, in which
-- subscribers keep encoded frames. Where one `needs_payload`, `shared.payload` is the payload as
-- the wire takes it: JSON text, or presence.Binary.
-- deliver never runs user code and never waits: it fills a mailbox, a work queue or an outbox.
local core = require "presence.core"
local members = require "presence.members"
local process = require "presence.process"

local M = {}

---@class presence.PubSub
local PubSub = {}
PubSub.__index = PubSub

local function check_topic(what, topic)
  if type(topic) ~= "string" then
    error(what .. ": topic must be a string, got " .. type(topic), 3)
  end
end

local function check_event(what, event)
  if type(event) ~= "string" then
    error(what .. ": event must be a string, got " .. type(event), 3)
  end
  if not core.utf8_valid(event) then
    error(what .. ": event is not UTF-8", 3)
  end
end

--- Add a subscriber object to a topic.
---@return boolean added false when it was subscribed already
function PubSub:add(topic, subscriber)
  local subscribers = self.topics_[topic]
  if not subscribers then
    subscribers = members.new()
    self.topics_[topic] = subscribers
  end
  return subscribers:add(subscriber)
end

---@return boolean removed
function PubSub:remove(topic, subscriber)
  local subscribers = self.topics_[topic]
  if not (subscribers and subscribers:remove(subscriber)) then
    return false
  end
  if #subscribers == 0 then
    self.topics_[topic] = nil
  end
  return true
end

-- A process subscribes with an object that fills its mailbox.

local Mailbox = {}
Mailbox.__index = Mailbox

function Mailbox:deliver(topic, event, payload)
  self.processes:send(self.pid, { topic = topic, event = event, payload = payload })
end

local function mailbox_of(current)
  local mailbox = current.subscriber_
  if not mailbox then
    mailbox = setmetatable(
      { pid = current.pid, processes = current.processes, topics = {} },
      Mailbox
    )
    current.subscriber_ = mailbox
  end
  return mailbox
end

local function current_of(self, what)
  local current = process.current()
  if not current or current.runtime ~= self.runtime then
    error(what .. ": only inside a process of this runtime", 3)
  end
  return current
end

--- Subscribe the calling process: it receives `{topic, event, payload}`, `presence_diff` too.
---@param topic string
---@return boolean|nil subscribed false when it was already
---@return string|nil word "no_process"
---@return string|nil detail
function PubSub:subscribe(topic)
  check_topic("subscribe", topic)
  local current = current_of(self, "subscribe")
  if not current.alive then
    return nil, "no_process", "the process has ended"
  end
  local mailbox = mailbox_of(current)
  if not self:add(topic, mailbox) then
    return false
  end
  mailbox.topics[topic] = true
  self.feed:watch(topic, mailbox)
  return true
end

--- End the calling process's subscription.
---@param topic string
---@return boolean unsubscribed false when there was none
function PubSub:unsubscribe(topic)
  check_topic("unsubscribe", topic)
  local mailbox = current_of(self, "unsubscribe").subscriber_
  if not (mailbox and self:remove(topic, mailbox)) then
    return false
  end
  mailbox.topics[topic] = nil
  self.feed:unwatch(topic, mailbox)
  return true
end

--- Remove what an ended process had subscribed.
---@param ended presence.Process
function PubSub:drop(ended)
  local mailbox = ended.subscriber_
  if not mailbox then
    return
  end
  for topic in pairs(mailbox.topics) do
    self:remove(topic, mailbox)
    self.feed:unwatch(topic, mailbox)
  end
end

local function dispatch(self, from_pid, topic, event, payload)
  local subscribers = self.topics_[topic]
  if not subscribers then
    return 0
  end
  local shared = {}
  for i = 1, #subscribers do
    if subscribers[i].needs_payload then
      -- Before the first delivery: a payload that cannot be encoded raises and reaches nobody.
      shared.payload = self.encode(topic, event, payload)
      break
    end
  end
  local delivered = 0
  for i = 1, #subscribers do
    local subscriber = subscribers[i]
    if subscriber.pid ~= from_pid then
      subscriber:deliver(topic, event, payload, shared)
      delivered = delivered + 1
    end
  end
  return delivered
end

--- Send an event to every subscriber of a topic. The payload is shared by them all.
---@param topic string
---@param event string
---@param payload any for channels: a table, a string that is JSON text, or presence.binary(bytes)
---@return integer delivered number of subscribers
function PubSub:broadcast(topic, event, payload)
  check_topic("broadcast", topic)
  check_event("broadcast", event)
  return dispatch(self, nil, topic, event, payload)
end

--- The same, to all but the subscriptions of one process.
---@param pid integer
---@return integer delivered
function PubSub:broadcast_from(pid, topic, event, payload)
  if pid == nil then
    error("broadcast_from: pid is nil", 2)
  end
  check_topic("broadcast_from", topic)
  check_event("broadcast_from", event)
  return dispatch(self, pid, topic, event, payload)
end

---@param opts {runtime: table, feed: presence.Feed,
---  encode: fun(topic: string, event: string, payload: any): string|presence.Binary}
---@return presence.PubSub
function M.new(opts)
  return setmetatable({
    runtime = opts.runtime,
    feed = opts.feed,
    encode = opts.encode,
    topics_ = {},
  }, PubSub)
end

return M
