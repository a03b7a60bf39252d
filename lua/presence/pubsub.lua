--- The PubSub table of a runtime: topic → subscribers. Mailboxes of processes are delivered to one
-- by one, channels audience by audience (audiences.lua), by the method `deliver`, which leaves out
-- the process from_pid and returns to how many it delivered. `shared` is one table a broadcast, in
-- which audiences keep encoded frames; `shared.payload` is the payload as the wire takes it: JSON
-- text, or presence.Binary.
-- deliver never runs user code and never waits: it fills a mailbox, a work queue or an outbox.
local audiences = require "presence.audiences"
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

local function open_topic(self, topic)
  local subscribers = self.topics_[topic]
  if not subscribers then
    subscribers = { mailboxes = members.new(), audiences = audiences.new() }
    self.topics_[topic] = subscribers
  end
  return subscribers
end

local function close_if_unheard(self, topic, subscribers)
  if #subscribers.mailboxes + #subscribers.audiences == 0 then
    self.topics_[topic] = nil
  end
end

--- Let a channel hear what is broadcast on a topic.
---@param subscriber table see audiences.lua
function PubSub:add(topic, subscriber)
  open_topic(self, topic).audiences:add(subscriber)
end

--- The end of that. Harmless when there was no beginning.
function PubSub:remove(topic, subscriber)
  local subscribers = self.topics_[topic]
  if subscribers then
    subscribers.audiences:remove(subscriber)
    close_if_unheard(self, topic, subscribers)
  end
end

-- A process subscribes with an object that fills its mailbox.

local Mailbox = {}
Mailbox.__index = Mailbox

function Mailbox:deliver(topic, event, payload, from_pid)
  if self.pid == from_pid then
    return 0
  end
  self.processes:send(self.pid, { topic = topic, event = event, payload = payload })
  return 1
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
  if not open_topic(self, topic).mailboxes:add(mailbox) then
    return false
  end
  mailbox.topics[topic] = true
  self.feed:watch(topic, mailbox)
  return true
end

local function unsubscribe(self, topic, mailbox)
  local subscribers = self.topics_[topic]
  if not (subscribers and subscribers.mailboxes:remove(mailbox)) then
    return false
  end
  close_if_unheard(self, topic, subscribers)
  self.feed:unwatch(topic, mailbox)
  return true
end

--- End the calling process's subscription.
---@param topic string
---@return boolean unsubscribed false when there was none
function PubSub:unsubscribe(topic)
  check_topic("unsubscribe", topic)
  local mailbox = current_of(self, "unsubscribe").subscriber_
  if not (mailbox and unsubscribe(self, topic, mailbox)) then
    return false
  end
  mailbox.topics[topic] = nil
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
    unsubscribe(self, topic, mailbox)
  end
end

--- Send an event, which is a string of UTF-8, to every subscriber of a topic but those of one
--- process.
---@param from_pid integer|nil
---@return integer delivered
function PubSub:dispatch(from_pid, topic, event, payload)
  local subscribers = self.topics_[topic]
  if not subscribers then
    return 0
  end
  local mailboxes, audiences_there = subscribers.mailboxes, subscribers.audiences
  local shared, delivered = {}, 0
  if #audiences_there > 0 then
    -- Before the first delivery: a payload that cannot be encoded raises and reaches nobody.
    shared.payload = self.encode(topic, event, payload)
  end
  for i = 1, #mailboxes do
    delivered = delivered + mailboxes[i]:deliver(topic, event, payload, from_pid)
  end
  for i = 1, #audiences_there do
    delivered = delivered + audiences_there[i]:deliver(event, payload, from_pid, shared)
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
  return self:dispatch(nil, topic, event, payload)
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
  return self:dispatch(pid, topic, event, payload)
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
