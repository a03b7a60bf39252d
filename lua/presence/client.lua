--- A Phoenix client without a transport: joins, pushes, replies by ref, and an exact mirror of
-- each topic's presences, by the rules of phoenix.js. Messages go out by `send` and come in by
-- `receive`; whoever owns the transport moves them.
local binary = require "presence.binary"
local core = require "presence.core"
local json = require "presence.json"

local M = {}

local max_depth = 64

---@class presence.Client
local Client = {}
Client.__index = Client

-- The mirror: key → {metas = {…}}. phoenix.js tells metas apart by phx_ref alone.

local function refs_of(entry)
  local refs = {}
  for _, meta in ipairs(entry.metas) do
    refs[meta.phx_ref] = true
  end
  return refs
end

local function without(metas, refs)
  local rest = {}
  for _, meta in ipairs(metas) do
    if not refs[meta.phx_ref] then
      rest[#rest + 1] = meta
    end
  end
  return rest
end

--- Apply a `presence_diff` to a mirror: joins before leaves, joined metas after existing ones.
---@param mirror table<string, {metas: table[]}>
---@param diff {joins: table, leaves: table}
function M.sync_diff(mirror, diff)
  for key, joined in pairs(diff.joins) do
    local current = mirror[key]
    local metas = current and without(current.metas, refs_of(joined)) or {}
    for _, meta in ipairs(joined.metas) do
      metas[#metas + 1] = meta
    end
    mirror[key] = { metas = metas }
  end
  for key, left in pairs(diff.leaves) do
    local current = mirror[key]
    if current then
      local metas = without(current.metas, refs_of(left))
      mirror[key] = metas[1] and { metas = metas } or nil
    end
  end
end

--- The mirror that a `presence_state` describes.
---@param state table<string, {metas: table[]}>
---@return table<string, {metas: table[]}>
function M.sync_state(state)
  local mirror = {}
  for key, entry in pairs(state) do
    mirror[key] = { metas = without(entry.metas, {}) }
  end
  return mirror
end

local function quote(text)
  return assert(core.json_quote(text))
end

local function payload_text(self, payload)
  if payload == nil then
    return "{}"
  end
  return type(payload) == "string" and payload or self.json_.encode(payload)
end

-- The two versions of the protocol: what a message is as text, and how text is cut.

local null = "null"

local v1 = { cut = core.cut_v1 }

function v1.text(join_ref, ref, topic, event, payload)
  return string.format('{"topic":%s,"event":%s,"payload":%s,"ref":%s,"join_ref":%s}', quote(topic),
    quote(event), payload, ref, join_ref)
end

local v2 = { cut = core.cut_v2 }

function v2.text(join_ref, ref, topic, event, payload)
  return string.format("[%s,%s,%s,%s,%s]", join_ref, ref, quote(topic), quote(event), payload)
end

local function wire_of(vsn)
  return vsn:match "^1%." and v1 or v2
end

local function push(self, join_ref, topic, event, payload)
  self.refs_ = self.refs_ + 1
  local ref = quote(tostring(self.refs_))
  join_ref = join_ref or ref
  if binary.is(payload) then
    join_ref = join_ref ~= null and join_ref or nil
    self.send_(core.message_binary("client_push", join_ref, ref, topic, event,
      payload.bytes):text(), true)
  else
    self.send_(self.wire_.text(join_ref, ref, topic, event, payload_text(self, payload)), false)
  end
  return ref
end

--- Join a topic.
---@param topic string
---@param params table|string|nil
---@return string ref
function Client:join(topic, params)
  local joined = { pending = {} }
  self.topics_[topic] = joined
  -- Before the push: the answer may come while it is being sent.
  joined.join_ref = quote(tostring(self.refs_ + 1))
  return push(self, nil, topic, "phx_join", params)
end

--- Push an event to a topic, joined or not.
---@param topic string
---@param event string
---@param payload table|string|presence.Binary|nil
---@return string ref
function Client:push(topic, event, payload)
  local joined = self.topics_[topic]
  return push(self, joined and joined.join_ref or null, topic, event, payload)
end

--- Leave a topic.
---@param topic string
---@return string ref
function Client:leave(topic)
  return self:push(topic, "phx_leave")
end

---@return string ref
function Client:heartbeat()
  return push(self, null, "phoenix", "heartbeat")
end

--- The mirror of a topic: key → {metas = {…}}, as phoenix.js would hold it.
---@param topic string
---@return table<string, {metas: table[]}>
function Client:presences(topic)
  local joined = self.topics_[topic]
  return joined and joined.mirror or {}
end

local function on_presence(joined, event, payload)
  if event == "presence_state" then
    joined.mirror = M.sync_state(payload)
    for _, diff in ipairs(joined.pending) do
      M.sync_diff(joined.mirror, diff)
    end
    joined.pending = {}
  elseif joined.mirror then
    M.sync_diff(joined.mirror, payload)
  else
    joined.pending[#joined.pending + 1] = payload
  end
end

local function decode(self, data, is_binary)
  local cut = is_binary and core.cut_binary or self.wire_.cut
  local ok, join_ref, ref, topic, event, payload, kind = cut(data, is_binary or max_depth)
  if not ok then
    error("the server sent a malformed message: " .. tostring(ref), 3)
  end
  payload = is_binary and binary.new(payload) or self.json_.decode(payload)
  if kind == "reply" then
    payload, event = { status = event, response = payload }, "phx_reply"
  end
  return { join_ref = join_ref, ref = ref, topic = topic, event = event, payload = payload }
end

--- A message from the server. Frames of an earlier join of the topic are dropped.
---@param data string
---@param is_binary boolean|nil
---@return {join_ref: string|nil, ref: string|nil, topic: string, event: string, payload: any}|nil
function Client:receive(data, is_binary)
  local message = decode(self, data, is_binary)
  local topic, event = message.topic, message.event
  local joined = self.topics_[topic]
  if joined and message.join_ref and message.join_ref ~= joined.join_ref then
    return nil
  end
  if joined and (event == "presence_state" or event == "presence_diff") then
    on_presence(joined, event, message.payload)
  elseif joined and (event == "phx_close" or event == "phx_error") then
    self.topics_[topic] = nil
  end
  return message
end

---@param opts {send: fun(data: string, is_binary: boolean), json: table|nil, vsn: string|nil} vsn:
---  "2.0.0" by default, or "1.0.0"
---@return presence.Client
function M.new(opts)
  if type(opts) ~= "table" or type(opts.send) ~= "function" then
    error("client: needs the option send, a function of a message", 2)
  end
  return setmetatable({
    send_ = opts.send,
    wire_ = wire_of(opts.vsn or "2.0.0"),
    json_ = json.codec(opts.json),
    topics_ = {},
    refs_ = 0,
  }, Client)
end

return M
