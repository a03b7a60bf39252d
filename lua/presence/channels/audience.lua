--- The channels of one topic that are told the same frames: those of one definition and endpoint
-- that speak one wire format. A message for all of them is encoded once, and C walks their
-- outboxes. It stands for them with PubSub (`deliver`) and with the feed (`tell`).
local core = require "presence.core"
local members = require "presence.members"

local M = {}

---@class presence.Audience
local Audience = {}
Audience.__index = Audience

--- Is this the audience for a channel?
---@param channel presence.Channel
---@return boolean
function Audience:fits(channel)
  local connection = channel.connection
  return channel.definition == self.definition_ and connection.wire == self.wire_
    and connection.bound.outboxes == self.outboxes_
end

---@param channel presence.Channel
---@param is_in_step boolean|nil it was told all that `tell` has told the others
---@return boolean added false when it was in already
function Audience:add(channel, is_in_step)
  if not self.members_:add(channel) then
    return false
  end
  local seats = self.seats_
  local seated, err = pcall(seats.add, seats, channel.connection.outbox.queue, is_in_step)
  if not seated then
    self.members_:remove(channel) -- else all who come later have other places there than here
    error(err, 0)
  end
  return true
end

---@return boolean removed
---@return boolean was_told by `tell`, ever
function Audience:remove(channel)
  local place = self.members_:place(channel)
  if not place then
    return false, false
  end
  self.members_:remove(channel)
  return true, self.seats_:remove(place)
end

function Audience:has(channel)
  return self.members_:has(channel)
end

---@return integer
function Audience:count()
  return #self.members_
end

local function message_of(self, event, payload, shared, box)
  local wire = self.wire_
  local message = shared[wire]
  if message == nil then
    message = wire.broadcast(self.topic_, event, payload, box) or false
    shared[wire] = message
  end
  return message
end

--- Everybody gets an event, but the channel of the process it is from.
---@param event string
---@param payload any as it was given
---@param from_pid integer|nil
---@param shared table of this broadcast; `shared.payload` is the payload as the wire takes it
---@return integer delivered
function Audience:deliver(event, payload, from_pid, shared)
  local channels = self.members_
  local except = from_pid and channels:place(self.processes_:server_of(from_pid)) or nil
  local handler = self.definition_.handle_out[event]
  local count = except and #channels - 1 or #channels
  if handler then
    for i = 1, #channels do
      if i ~= except then
        channels[i]:intercept(handler, event, shared.payload, type(payload) == "string")
      end
    end
    return count
  end
  -- Nothing else is encoded before all audiences have their messages.
  local message = message_of(self, event, shared.payload, shared, self.wire_.passing)
  if message then
    self.seats_:send(message, except)
    self.outboxes_:notice()
  else
    self.counts_.binary_skipped_total = self.counts_.binary_skipped_total + count
  end
  return count
end

local none = {}

--- Tell an event to all who are in step and keep up; the others are out of step from then on.
---@param event string
---@param json string|nil nil: nobody is told anything
---@param shared table in which audiences of other wire formats keep theirs
---@return presence.Channel[] strays those who are not in step
function Audience:tell(event, json, shared)
  local strays = self.seats_:tell(json and message_of(self, event, json, shared) or nil)
  self.outboxes_:notice()
  if strays == 0 then
    return none
  end
  local places, channels = self.seats_:strays(), {}
  for i = 1, #places do
    channels[i] = self.members_[places[i]]
  end
  return channels
end

--- It was told by itself what it had missed.
---@param channel presence.Channel
function Audience:set_in_step(channel)
  self.seats_:set_in_step(self.members_:place(channel))
end

--- An empty audience that the channel fits.
---@param channel presence.Channel
---@return presence.Audience
function M.new(channel)
  local bound = channel.connection.bound
  return setmetatable({
    topic_ = channel.topic,
    definition_ = channel.definition,
    wire_ = channel.connection.wire,
    processes_ = channel.runtime.processes,
    outboxes_ = bound.outboxes,
    counts_ = bound.counts,
    members_ = members.new(),
    seats_ = core.audience(),
  }, Audience)
end

return M
