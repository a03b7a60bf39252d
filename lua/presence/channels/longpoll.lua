--- Long polling, for clients that get no WebSocket through: messages come in by POST, and go out as
-- answers to GETs that wait. Requests go in, responses come out by a callback, now or later: no
-- sockets here. A client's session is found by its token; between polls it counts as one that does
-- not read, so what waits for it is bounded as for sockets.
local core = require "presence.core"

local M = {}

local token_bytes = 24
local internal_error = 1011 -- RFC 6455, section 7.4.1: what a malformed message ends a socket with

-- Statuses in the body: phoenix.js reads these, the response's own is always 200.
local ok, no_content, forbidden, gone, too_large, failed = 200, 204, 403, 410, 413, 500

-- Session.

---@class presence.LongPollSession
---@field poll presence.LongPollPoll|nil the request that waits
local Session = {}
Session.__index = Session

---@class presence.LongPollPoll
local Poll = {}
Poll.__index = Poll

local function set_timer(self, seconds, fn)
  if self.timer then
    self.timer:cancel()
  end
  self.timer = seconds and self.longpoll.loop:after(seconds, fn) or nil
end

local function forget(self)
  local longpoll = self.longpoll
  if longpoll.sessions[self.token] then
    longpoll.sessions[self.token] = nil
    longpoll:count(self.address, -1)
  end
end

local function expect_poll(self)
  set_timer(self, self.longpoll.options.longpoll_session_s, function()
    self.timer, self.is_over = nil, true
    forget(self)
    self.connection:closed()
  end)
end

local function end_poll(self, status, messages)
  local poll = self.poll
  self.poll = nil
  if self.is_over then
    set_timer(self, nil)
  else
    expect_poll(self)
  end
  poll.answer(status, self.token, messages)
end

local function flush(self)
  self.is_flush_due = false
  if self.poll and self.batch[1] then
    local batch = self.batch
    self.batch, self.batch_bytes = {}, 0
    end_poll(self, ok, batch)
  end
end

-- At the end of the turn: what else it brings goes out with it.
local function flush_later(self)
  if not self.is_flush_due then
    self.is_flush_due = true
    self.longpoll.loop:defer(function() flush(self) end)
  end
end

-- The transport of its connection.

local function send(self, data, is_binary)
  local text = is_binary and core.base64_encode(data) or data
  self.batch[#self.batch + 1] = text
  self.batch_bytes = self.batch_bytes + #text
  if not self.poll then
    return false
  end
  flush_later(self)
  return self.batch_bytes < self.longpoll.options.longpoll_max_batch_bytes
end

local function close(self)
  self.is_over = true
  forget(self)
  set_timer(self, nil)
  if self.poll and self.batch[1] then
    flush(self)
  elseif self.poll then
    -- Every phoenix.js takes this for a lost connection, and joins its channels again.
    end_poll(self, failed)
  end
end

local function wait(self, answer)
  if self.poll then
    end_poll(self, no_content, {}) -- this one takes over
  end
  local poll = setmetatable({ session = self, answer = answer }, Poll)
  self.poll = poll
  set_timer(self, self.longpoll.options.longpoll_wait_s, function()
    self.timer = nil
    end_poll(self, no_content, {})
  end)
  self.connection:alive()
  self.connection:drained()
  if self.batch[1] then
    flush_later(self)
  end
  return poll
end

--- The client that waits is gone. Harmless when it was answered.
function Poll:cancel()
  local session = self.session
  if session.poll == self then
    session.poll = nil
    expect_poll(session)
  end
end

-- Messages in.

local function receive(connection, line)
  local first = line:match "^[ \t\r\n]*(.)"
  if first == "[" or first == "{" then
    connection:receive(line, false)
    return
  end
  local bytes = core.base64_decode(line)
  if bytes then
    connection:receive(bytes, true)
  else
    connection:close(internal_error, "malformed message")
  end
end

local function count_lines(body)
  local lines, at = 0, 0
  repeat
    lines = lines + 1
    at = body:find("\n", at + 1, true)
  until not at
  return body:sub(-1) == "\n" and lines - 1 or lines
end

-- Older phoenix.js posts one message, of another content type.
local function lines_of(request, max_lines)
  local body = request.body or ""
  if body == "" then
    return {}
  elseif not (request.headers["content-type"] or ""):lower():find("ndjson", 1, true) then
    return { body }
  elseif count_lines(body) > max_lines then
    return nil
  end
  local lines = {}
  for line in (body:sub(-1) == "\n" and body or body .. "\n"):gmatch "([^\n]*)\n" do
    lines[#lines + 1] = line
  end
  return lines
end

-- Requests.

---@class presence.LongPoll
---@field sessions table<string, presence.LongPollSession> by token
---@field executor table|nil runs callbacks of sessions opened from now on; nil: the loop does
local LongPoll = {}
LongPoll.__index = LongPoll

local function body_of(status, token, messages)
  local parts = { '{"status":', ("%d"):format(status) }
  if messages then
    local quoted = {}
    for i, message in ipairs(messages) do
      quoted[i] = core.json_quote(message)
    end
    parts[3] = (',"token":"%s","messages":['):format(token) .. table.concat(quoted, ",") .. "]"
  end
  parts[#parts + 1] = "}"
  return table.concat(parts)
end

-- What lets a page of another origin read the response: only where its Origin is allowed.
local function headers_for(request, is_allowed)
  local headers = {
    ["Content-Type"] = "application/json; charset=utf-8",
    ["Cache-Control"] = "no-store",
    ["X-Content-Type-Options"] = "nosniff",
    ["Vary"] = "Origin",
  }
  if is_allowed and request.headers.origin then
    headers["Access-Control-Allow-Origin"] = request.headers.origin
    headers["Access-Control-Allow-Credentials"] = "true"
  end
  return headers
end

local function preflight_headers(request)
  local headers = headers_for(request, true)
  headers["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
  headers["Access-Control-Allow-Headers"] =
    "Content-Type, X-Phoenix-AuthToken, X-Phoenix-Longpoll-Token"
  headers["Access-Control-Max-Age"] = "86400"
  return headers
end

local function hex(bytes)
  return (bytes:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

--- Count a session of an address, or one less.
function LongPoll:count(address, change)
  local left = (self.by_address[address] or 0) + change
  self.by_address[address] = left > 0 and left or nil
  self.session_count = self.session_count + change
end

local function is_full(self, address)
  local options = self.options
  return options.longpoll_max_sessions and self.session_count >= options.longpoll_max_sessions
    or options.longpoll_max_sessions_per_address
    and (self.by_address[address] or 0) >= options.longpoll_max_sessions_per_address
end

local function token_of(request)
  return request.headers["x-phoenix-longpoll-token"] or request.query.token
end

local function is_old_token(token)
  return token ~= nil and #token == 2 * token_bytes and not token:find "%X"
end

local function open(self, request, answer)
  local address = request.remote_address or ""
  if is_full(self, address) then
    return answer(failed)
  end
  local session = setmetatable({
    longpoll = self, token = hex(core.random_bytes(token_bytes)), address = address,
    executor = self.executor,
    batch = {}, batch_bytes = 0, is_over = false, is_flush_due = false,
    is_unaware = is_old_token(token_of(request)),
  }, Session)
  request.auth_token = request.headers["x-phoenix-authtoken"]
  local connection, status = self.bound:connect(request, {
    framing = "message",
    send = function(data, is_binary) return send(session, data, is_binary) end,
    close = function() close(session) end,
    executor = self.executor,
  })
  if not connection then
    return answer(type(status) == "number" and status >= 500 and failed or forbidden)
  elseif is_full(self, address) then -- since: `connect` may have waited
    connection:closed()
    return answer(failed)
  end
  session.connection = connection
  self.sessions[session.token] = session
  self:count(address, 1)
  expect_poll(session)
  answer(gone, session.token, {})
end

local function session_of(self, request)
  local token = token_of(request)
  return token and self.sessions[token]
end

-- Older phoenix.js takes 410 for a connection that has opened, whatever was before, and stays in
-- channels that ended with its old session. Once its first poll has failed it joins them again.
local function make_aware(session, answer)
  forget(session)
  set_timer(session, nil)
  session.connection:closed()
  answer(failed)
end

local methods = {}

function methods.GET(self, request, answer)
  local session = session_of(self, request)
  if not session then
    open(self, request, answer)
  elseif session.is_unaware then
    make_aware(session, answer)
  else
    return wait(session, answer)
  end
end

function methods.POST(self, request, answer)
  local session = session_of(self, request)
  if not session then
    return answer(gone)
  end
  local lines = lines_of(request, self.options.longpoll_max_lines)
  if not lines then
    return answer(too_large)
  end
  local connection = session.connection
  session.is_unaware = false
  for _, line in ipairs(lines) do
    if not connection.ended then
      receive(connection, line)
    end
  end
  answer(connection.ended and gone or ok)
end

--- Serve a request.
---@param request {method: string, path: string, query: table<string, string>,
---  headers: table<string, string>, body: string|nil, remote_address: string|nil,
---  secure: boolean|nil} header names in lower case
---@param respond fun(status: integer, headers: table<string, string>, body: string) called once,
---  before this returns or later
---@return presence.LongPollPoll|nil poll for a response that comes later: `poll:cancel()` when the
---  client is gone
function LongPoll:handle(request, respond)
  local is_allowed = self.bound:allows_origin(request)
  local function answer(status, token, messages)
    respond(200, headers_for(request, is_allowed), body_of(status, token, messages))
  end
  local method = methods[request.method]
  if not is_allowed then
    answer(forbidden)
  elseif request.method == "OPTIONS" then
    respond(200, preflight_headers(request), "")
  elseif method then
    return method(self, request, answer)
  else
    respond(405, { ["Allow"] = "GET, POST, OPTIONS" }, "")
  end
end

--- Answer a request whose body is over `longpoll_max_body_bytes`, without its body.
---@param request table
---@param respond fun(status: integer, headers: table<string, string>, body: string)
function LongPoll:refuse_body(request, respond)
  respond(200, headers_for(request, self.bound:allows_origin(request)), body_of(too_large))
end

--- End the sessions whose callbacks an executor runs.
---@param executor table
---@param code integer of the close
---@param reason string
function LongPoll:end_sessions(executor, code, reason)
  local connections = {}
  for _, session in pairs(self.sessions) do
    if session.executor == executor then
      connections[#connections + 1] = session.connection
    end
  end
  for _, connection in ipairs(connections) do
    connection:close(code, reason)
  end
end

---@param bound presence.BoundEndpoint
---@return presence.LongPoll
function M.new(bound)
  return setmetatable({
    bound = bound,
    loop = bound.runtime.loop,
    options = bound.options,
    sessions = {},
    by_address = {},
    session_count = 0,
  }, LongPoll)
end

return M
