--- A client that knows frames and nothing else, for the suite of raw frames.

local assert = require "luassert"
local core = require "presence.core"
local json = require "cjson"

local unpack = table.unpack or unpack

local M = {}

M.text, M.binary, M.continuation, M.close, M.ping, M.pong = 1, 2, 0, 8, 9, 10

local mask = "\55\250\33\61"

--- A masked frame, as clients send them.
function M.frame(opcode, payload, is_final)
  return core.client_frame(opcode, payload, mask, is_final ~= false)
end

local Client = {}
Client.__index = Client

--- Bytes as they are.
function Client:bytes(bytes)
  self.connection.send_bytes(bytes)
end

--- One text message as one frame.
function Client:text(text)
  self:bytes(M.frame(M.text, text))
end

--- The text of a message: refs and the payload are JSON text, `nil` is null.
function M.message(join_ref, ref, topic, event, payload)
  return ("[%s,%s,%s,%s,%s]"):format(join_ref or "null", ref or "null", json.encode(topic),
    json.encode(event), payload or "{}")
end

--- One message; the arguments of `message`.
function Client:send(...)
  self:text(M.message(...))
end

--- Several messages in one segment.
function Client:send_all(messages)
  local frames = {}
  for i, fields in ipairs(messages) do
    frames[i] = M.frame(M.text, M.message(unpack(fields, 1, 5)))
  end
  self:bytes(table.concat(frames))
end

local function describe_frame(frame)
  if not frame then
    return "nothing"
  end
  return frame.kind .. " " .. tostring(frame.data or frame.code or "")
end

--- The next frame, of any kind.
function Client:frame()
  return self.connection.recv(self.patience_s)
end

--- The text of the next message; anything else fails.
function Client:next()
  local frame = self:frame()
  assert.equal("text", frame and frame.kind, "a text message was due, not "
    .. describe_frame(frame))
  return frame.data
end

--- The next message must be this one.
function Client:expect(...)
  local expected = select("#", ...) == 1 and ... or M.message(...)
  assert.equal(expected, self:next())
end

--- The next message, decoded: `{join_ref, ref, topic, event, payload}`; `event` must be this one.
function Client:expect_event(event, topic)
  local text = self:next()
  local message = json.decode(text)
  assert.equal(event, message[4], text)
  if topic then
    assert.equal(topic, message[3], text)
  end
  return message[5], message
end

--- Nothing is on its way: the answer to a heartbeat comes first.
function Client:expect_nothing()
  self.beats = (self.beats or 0) + 1
  local ref = '"beat-' .. self.beats .. '"'
  self:send(nil, ref, "phoenix", "heartbeat")
  self:expect(nil, ref, "phoenix", "phx_reply", '{"status":"ok","response":{}}')
end

--- The server must close with this code, and then hang up. Messages before the close frame are
--- passed over when `after_messages` is set, but none may tell a channel that it closed: the client
--- would not join again.
function Client:expect_close(code, after_messages)
  local frame = self:frame()
  while after_messages and frame and frame.kind == "text" do
    assert.is_nil(frame.data:find("phx_close", 1, true), frame.data)
    frame = self:frame()
  end
  assert.equal("close", frame and frame.kind, "a close frame was due, not "
    .. describe_frame(frame))
  assert.equal(code, frame.code)
  frame = self:frame()
  assert.equal("gone", frame and frame.kind, "the end was due, not " .. describe_frame(frame))
end

local ok_reply = '{"status":"ok","response":%s}'
local error_reply = '{"status":"error","response":%s}'

function M.ok(response)
  return ok_reply:format(response or "{}")
end

function M.error(response)
  return error_reply:format(response)
end

--- Joins, and takes the reply, which must be ok.
function Client:join(topic, ref, params)
  self:send(ref, ref, topic, "phx_join", params)
  self:expect(ref, ref, topic, "phx_reply", M.ok())
end

--- Joins a topic with presence; returns the `presence_state`.
function Client:enter(topic, ref, params)
  self:join(topic, ref, params)
  return (self:expect_event("presence_state", topic))
end

--- Sends an event that must be answered with ok.
function Client:push(join_ref, ref, topic, event, payload)
  self:send(join_ref, ref, topic, event, payload)
  self:expect(join_ref, ref, topic, "phx_reply", M.ok())
end

--- The client is gone without a word.
function Client:vanish()
  self.connection.vanish()
end

---@param platform table
---@param connection table
function M.new(platform, connection)
  return setmetatable({ connection = connection, patience_s = platform.patience_s }, Client)
end

--- A set of servers and clients for tests: `start(endpoint, opts)`, `open(query, headers)`,
--- `finish()`.
function M.stage(platform)
  local stage = {}

  function stage.start(endpoint, opts)
    stage.server = platform.start(endpoint, opts or {})
    return stage.server
  end

  --- Connects; raises when it is refused.
  function stage.open(query, headers)
    query = query or {}
    query.vsn = query.vsn or "2.0.0"
    local connection, status, reason = stage.server.connect(query, headers or {})
    assert.truthy(connection, ("refused: %s %s"):format(tostring(status), tostring(reason)))
    return M.new(platform, connection)
  end

  --- The status that a connect is refused with.
  function stage.refused(query, headers, path)
    local connection, status, reason = stage.server.connect(query, headers or {}, path)
    assert.is_nil(connection)
    return status, reason
  end

  function stage.finish()
    local server = stage.server
    stage.server = nil
    if server then
      server.stop()
    end
  end

  return stage
end

return M
