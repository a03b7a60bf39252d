--- One accepted TCP connection: requests for files and polls, one after another, or a WebSocket
--- once one of them asked for it. Every way it can end leads through `close`.

local core = require "presence.core"
local handshake = require "presence.channels.handshake"
local await = require "presence.luv.await"
local files = require "presence.luv.files"
local longpoll = require "presence.luv.longpoll"
local response = require "presence.luv.response"
local static = require "presence.luv.static"
local stream = require "presence.luv.stream"

local M = {}

---@class presence.luv.Peer
---@field private server_ presence.luv.Server
---@field private state_ "head"|"body"|"responding"|"socket"|"lingering"|"closed"
---@field private buffer_ string what came and is not parsed yet
local Peer = {}
Peer.__index = Peer

local abnormal_closure = 1006 -- RFC 6455, section 7.1.5: no close frame came

-- Closing.

local function set_timer(self, seconds, fn)
  if self.timer_ then
    self.timer_:cancel()
  end
  self.timer_ = seconds and self.server_.loop:after(seconds, fn) or nil
end

--- Ends the connection now, whatever it does. Harmless when it has ended.
function Peer:close()
  if self.state_ == "closed" then
    return
  end
  self.state_ = "closed"
  set_timer(self, nil)
  self.handle_:close()
  self.server_:forget(self)
  local connection, waiting, poll = self.connection_, self.waiting_, self.poll_
  self.connection_, self.waiting_, self.poll_, self.buffer_ = nil, nil, nil, ""
  if poll then
    poll:cancel()
  end
  if connection then
    connection:closed(abnormal_closure)
  end
  if waiting then
    waiting:post()
  end
end

-- What was written goes out, then the other end is told that nothing follows and given a time to
-- hang up: closing at once would throw away what it has not read yet.
local function linger(self)
  if self.state_ == "closed" or self.state_ == "lingering" then
    return
  end
  self.state_, self.connection_, self.buffer_ = "lingering", nil, ""
  set_timer(self, self.server_.options.linger_timeout_s, function() self:close() end)
  self:read_on_()
  if not self.handle_:shutdown() then
    self:close()
  end
end

-- Responses.

function Peer:read_on_()
  if self.is_paused_ then
    self.is_paused_ = false
    self.handle_:read_start(self.on_read_)
  end
end

local function pause(self)
  if not self.is_paused_ then
    self.is_paused_ = true
    self.handle_:read_stop()
  end
end

local function next_request(self)
  self.state_ = "head"
  local server = self.server_
  if self.buffer_ == "" then
    set_timer(self, server.options.keep_alive_timeout_s, function() self:close() end)
    self:read_on_()
    return
  end
  self:expect_head_()
  -- Later: a client may have sent many requests, and each answer must not stand on the one before.
  server.loop:defer(function()
    if self.state_ == "head" then
      self:read_on_()
      self:parse_()
    end
  end)
end

local function end_response(self)
  if self.state_ ~= "responding" then
    return
  elseif self.keeps_alive_ and not self.server_.is_stopping then
    next_request(self)
  else
    linger(self)
  end
end

local function head_of(self, status, headers)
  headers["Date"] = response.http_date(self.server_.loop:time())
  headers["Connection"] = self.keeps_alive_ and not self.server_.is_stopping and "keep-alive"
    or "close"
  return response.head(status, headers)
end

--- Answers the request in hand.
---@param status integer
---@param headers table<string, string>
---@param body string
function Peer:respond_(status, headers, body)
  local all = { ["Content-Length"] = #body }
  for name, value in pairs(headers) do
    all[name] = value
  end
  self.stream_:write(head_of(self, status, all) .. (self.is_head_ and "" or body))
  end_response(self)
end

--- Answers with a line of plain text.
---@param status integer
---@param reason any
---@param headers table<string, string>|nil
function Peer:answer_(status, reason, headers)
  local all = { ["Content-Type"] = "text/plain; charset=utf-8" }
  for name, value in pairs(headers or {}) do
    all[name] = value
  end
  local body = reason == nil and response.status_text(status) or tostring(reason)
  self:respond_(status, all, body .. "\n")
end

-- The request that cannot be understood is the last one: nobody knows where the next begins.
local function answer_and_end(self, status, reason)
  self.state_, self.keeps_alive_, self.is_head_ = "responding", false, false
  self:answer_(status, reason)
end

-- Files.

-- Writes and waits until it is written; false when the client is gone, or takes nothing for too
-- long.
local function write_and_wait(self, bytes)
  self.stream_:write(bytes)
  if self.state_ == "responding" and self.stream_:ask_drained() then
    self.waiting_ = self.server_.loop:signal()
    if not self.waiting_:wait(self.server_.options.send_timeout_s) then
      self:close()
    end
    self.waiting_ = nil
  end
  return self.state_ == "responding"
end

local function serve_file(self, request, folder)
  local wait_for = await.on(self.server_.loop)
  local file, status, location = folder:find(wait_for, request.path)
  if self.state_ ~= "responding" then
    return
  elseif not file then
    self:answer_(status, nil, location and { ["Location"] = location } or nil)
  elseif static.is_unchanged(file, request.headers) then
    file.headers["Content-Length"], file.headers["Content-Type"] = nil, nil
    self.stream_:write(head_of(self, 304, file.headers))
    end_response(self)
  elseif self.is_head_ then
    self.stream_:write(head_of(self, 200, file.headers))
    end_response(self)
  else
    self.stream_.on_drained = function()
      if self.waiting_ then
        self.waiting_:post()
      end
    end
    self.stream_:write(head_of(self, 200, file.headers))
    local complete = files.send(wait_for, file, function(bytes)
      return write_and_wait(self, bytes)
    end)
    -- A body cut short is told by the connection's end alone.
    self.keeps_alive_ = self.keeps_alive_ and complete
    end_response(self)
  end
end

-- WebSockets.

local function transport_of(self)
  local stream_of_peer = self.stream_
  return {
    framing = "websocket",
    send = function(bytes) return stream_of_peer:write(bytes) end,
    close = function() linger(self) end,
  }
end

local function upgrade(self, request)
  local server = self.server_
  self.keeps_alive_ = false -- for those who are refused
  local accepted, status, reason, headers = handshake.check(request, server.sha1)
  if not accepted then
    return self:answer_(status, reason, headers)
  end
  local query = core.query_decode(request.query or "")
  if not query then
    return self:answer_(400, "the query has a broken escape")
  end
  local connection
  connection, status, reason = server.bound:connect({
    path = request.path, query = query, headers = request.headers,
    remote_address = self.address_, secure = false, auth_token = accepted.auth_token,
  }, transport_of(self))
  if not connection then
    return self:answer_(handshake.refusal_status(status), reason)
  end
  self.state_, self.connection_ = "socket", connection
  self.stream_.on_drained = function()
    if self.connection_ then
      self.connection_:drained()
    end
  end
  self.stream_:write(handshake.response(accepted.accept_key, accepted.protocol))
  self:read_on_()
  local rest = self.buffer_
  self.buffer_ = ""
  if rest ~= "" then
    connection:feed(rest)
  end
end

-- Bodies.

local function on_body_bytes(self, bytes)
  local body = self.body_
  body.pieces[#body.pieces + 1] = bytes
  body.missing_bytes = body.missing_bytes - #bytes
  if body.missing_bytes > 0 then
    return
  end
  pause(self)
  set_timer(self, nil)
  local all = table.concat(body.pieces)
  local length = #all + body.missing_bytes
  self.state_, self.body_, self.buffer_ = "responding", nil, all:sub(length + 1)
  body.on_whole(all:sub(1, length))
end

--- Reads the body of the request in hand.
---@param length integer
---@param on_whole fun(body: string) not called when the client is gone, or too slow
function Peer:read_body_(request, length, on_whole)
  if (request.headers.expect or ""):lower() == "100-continue" and #self.buffer_ < length then
    self.stream_:write "HTTP/1.1 100 Continue\r\n\r\n"
  end
  self.state_ = "body"
  self.body_ = { pieces = {}, missing_bytes = length, on_whole = on_whole }
  set_timer(self, self.server_.options.body_timeout_s, function() answer_and_end(self, 408) end)
  self:read_on_()
  on_body_bytes(self, self.buffer_)
end

-- Requests.

local function has_body(headers)
  return headers["transfer-encoding"] ~= nil or (headers["content-length"] or "0") ~= "0"
end

local function wants_to_stay(request)
  local connection = (request.headers.connection or ""):lower()
  return request.version == "1.1" and not connection:find("close", 1, true)
end

local function handle(self, request)
  local server = self.server_
  pause(self)
  self.state_ = "responding"
  self.is_head_ = request.method == "HEAD"
  local target = server.bound:matches(request.path)
  -- Nobody reads the bodies of others.
  self.keeps_alive_ = wants_to_stay(request)
    and (target == "longpoll" or not has_body(request.headers))
  if self.refusal_ then
    self.keeps_alive_ = false
    self:answer_(self.refusal_.status, self.refusal_.reason)
  elseif request.version == "1.1" and not request.headers.host then
    self.keeps_alive_ = false
    self:answer_(400, "the Host header is missing")
  elseif target == "websocket" then
    upgrade(self, request)
  elseif target == "longpoll" then
    longpoll.serve(self, request)
  elseif request.method ~= "GET" and request.method ~= "HEAD" then
    self.keeps_alive_ = false
    self:answer_(405, nil, { ["Allow"] = "GET, HEAD" })
  elseif server.static then
    server.loop:spawn(serve_file, self, request, server.static)
  else
    self:answer_(404)
  end
end

function Peer:expect_head_()
  set_timer(self, self.server_.options.head_timeout_s, function()
    if self.buffer_ == "" then
      self:close()
    else
      answer_and_end(self, 408)
    end
  end)
end

function Peer:parse_()
  local options = self.server_.options
  local request, consumed, detail =
    core.http_request(self.buffer_, options.max_head_bytes, options.max_headers)
  if request then
    set_timer(self, nil)
    self.buffer_ = self.buffer_:sub(consumed + 1)
    handle(self, request)
  elseif consumed then
    answer_and_end(self, consumed == "head_too_large" and 431 or 400, detail)
  end
end

-- Heads are parsed when a line may have ended: a client that sends single bytes costs a parse a
-- line.
local function on_head_bytes(self, bytes)
  if self.buffer_ == "" then
    self:expect_head_()
  end
  self.buffer_ = self.buffer_ .. bytes
  if bytes:find("\n", 1, true) or #self.buffer_ > self.server_.options.max_head_bytes then
    self:parse_()
  end
end

local function on_read(self, err, bytes)
  local state = self.state_
  if err or not bytes then
    self:close()
  elseif state == "socket" then
    self.connection_:feed(bytes)
  elseif state == "head" then
    on_head_bytes(self, bytes)
  elseif state == "body" then
    on_body_bytes(self, bytes)
  elseif state == "responding" then
    self.buffer_ = self.buffer_ .. bytes
    pause(self)
  end
end

--- What is left to do before the server may stop. A WebSocket is the endpoint's to drain.
function Peer:finish()
  if self.state_ == "head" then
    self:close()
  end
end

--- Takes over an accepted connection.
---@param server presence.luv.Server
---@param handle_ userdata uv_tcp_t
---@param address string of the other end
---@param refusal {status: integer, reason: string}|nil what every request is answered with
---@return presence.luv.Peer
function M.new(server, handle_, address, refusal)
  local self = setmetatable({
    server_ = server, handle_ = handle_, address_ = address, refusal_ = refusal,
    state_ = "head", buffer_ = "", is_paused_ = false, keeps_alive_ = false, is_head_ = false,
  }, Peer)
  self.stream_ = stream.new(server.loop, handle_, server.options.write_high_water_bytes,
    function() self:close() end)
  self.on_read_ = server.loop:wrap(function(err, bytes) on_read(self, err, bytes) end)
  self:expect_head_()
  handle_:read_start(self.on_read_)
  return self
end

return M
