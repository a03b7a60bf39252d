--- Many WebSocket clients on libuv that speak Phoenix Channels, version 2: they join one room, and
-- those that are told to come back do so whenever they are closed.

local uv = require "luv"
local core = require "presence.core"
local client_side = require "spec.contract.raw.handshake"
local returning = require "spec.nginx.returning"

local M = {}

local mask = "\1\2\3\4"
local text, close_frame = 1, 8

---@class spec.nginx.Client: spec.nginx.Returning `codes`: 1006 when nothing was said
local Client
Client, M.new = returning.class()

local function message(join_ref, ref, topic, event, payload)
  return core.client_frame(text, ('["%s","%s","%s","%s",%s]'):format(join_ref, ref, topic, event,
    payload or "{}"), mask)
end

local function on_message(self, data)
  if data:find('"phx_reply"', 1, true) and data:find('"status":"ok"', 1, true) then
    self.state = "joined"
    self.joins = self.joins + 1
  elseif data:find('"phx_reply"', 1, true) then
    self.failure = data
  end
  if self.on_message then
    self.on_message(data)
  end
end

local function on_frames(self)
  local kind, data = self.codec:next()
  while kind do
    if kind == "text" then
      on_message(self, data)
    elseif kind == "close" then
      self.code = data
      self.tcp:write(core.client_frame(close_frame, core.close_payload(data or 1000, ""), mask))
    end
    kind, data = self.codec:next()
  end
end

local function on_bytes(self, bytes)
  if self.codec then
    self.codec:feed(bytes)
    return on_frames(self)
  end
  self.received = self.received .. bytes
  local response = client_side.response(self.received)
  if response and response.status == 101 then
    self.codec = core.websocket { role = "client", max_message_bytes = 1e7, max_fragments = 100 }
    self.state = "joining"
    self.tcp:write(message("1", "1", self.topic, "phx_join"))
    self.codec:feed(response.body)
    on_frames(self)
  elseif response then
    self.refused = response.status
  end
end

function Client:hang_up()
  if not self.tcp:is_closing() then
    self.tcp:close()
  end
end

local function on_end(self)
  self:lose(self.code or self.refused or 1006)
end

function Client:connect()
  self.state, self.received, self.codec, self.code, self.refused = "connecting", "", nil, nil, nil
  local tcp = uv.new_tcp()
  self.tcp = tcp
  tcp:connect("127.0.0.1", self.port, function(err)
    if err or tcp:is_closing() then
      return on_end(self)
    end
    tcp:write(client_side.request({ vsn = "2.0.0", user_id = self.user_id }, {}))
    tcp:read_start(function(_, bytes)
      if tcp ~= self.tcp then
        return
      elseif bytes then
        on_bytes(self, bytes)
      else
        on_end(self)
      end
    end)
  end)
end

--- Sends an event to the room.
function Client:push(event, payload)
  self.tcp:write(message("1", "2", self.topic, event, payload))
end

--- Says goodbye; the server hangs up.
function Client:close(code)
  self.comes_back = false
  self.tcp:write(core.client_frame(close_frame, core.close_payload(code or 1001, ""), mask))
end

return M
