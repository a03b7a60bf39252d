--- Carries long polls inside of nginx: a request to the endpoint, its response back, now or later.
-- A session outlives its requests, so the callbacks of its channels run in a request of the
-- worker's own, apart from the loop's: a callback that ends it (`ngx.exit`) must not end the loop.

local core = require "presence.core"
local light_thread = require "presence.nginx.light_thread"
local request = require "presence.nginx.request"

local forever_s = light_thread.forever_s
local client_closed_request = 499 -- nginx's own, for its access log
local internal_error = 1011 -- RFC 6455, section 7.4.1
-- So long after a request it is made sure that the one of the callbacks still is.
local look_after_s = 1

local M = {}

---@class presence.nginx.LongPolls
---@field private server_ presence.nginx.Server
---@field private waiting_ integer requests whose response is still to come
---@field private executor_ presence.nginx.Executor|nil runs the callbacks of all sessions
---@field private looks_after_ boolean it is soon made sure that it still does
local LongPolls = {}
LongPolls.__index = LongPolls

-- The request of the callbacks.

local function end_request()
  ngx.exit(ngx.OK)
end

local function open_executor(self)
  local server = self.server_
  local executor = server.loop:new_executor()
  executor.on_idle = function() server:check_end() end
  executor.on_ended = function()
    server.loop:defer(function()
      server.bound.longpoll:end_sessions(executor, internal_error, "a callback ended its request")
    end)
  end
  local ok, err = ngx.timer.at(0, function() executor:open() end)
  if not ok then
    executor:close() -- its work goes to the loop's
    server.bound.log("error", "no timer for long polls: " .. tostring(err))
  end
  return executor
end

local function nothing() end

-- That a request was ended shows in a task that does not begin. A task of the loop's asks for one:
-- it is the one who waits.
local function look_after(self)
  if self.looks_after_ then
    return
  end
  self.looks_after_ = true
  local loop = self.server_.loop
  loop:after(look_after_s, function()
    self.looks_after_ = false
    local executor = self.executor_
    if executor:is_open() then
      loop:spawn(function() executor:spawn(nothing) end)
    end
  end)
end

-- For sessions that are opened now; none when the worker ends, which lets nobody in.
local function executor_for_new(self)
  if self.is_closed_ then
    return nil
  elseif not (self.executor_ and self.executor_:is_open()) then
    self.executor_ = open_executor(self)
  end
  look_after(self)
  return self.executor_
end

-- Requests.

---@class presence.nginx.Exchange
---@field sem table what the request's thread waits on
---@field response table|nil arguments of `request.respond`
---@field poll presence.LongPollPoll|nil
---@field is_gone boolean the client has hung up

local function new_exchange()
  local exchange = { sem = light_thread.take_semaphore(), is_gone = false }

  function exchange.respond(status, headers, body)
    exchange.response = { status, headers, body }
    exchange.sem:post()
  end

  -- Called where lua_check_client_abort is on. It then also keeps nginx from ending the request
  -- in the middle of something.
  ngx.on_abort(function()
    exchange.is_gone = true
    if exchange.poll then
      exchange.poll:cancel()
      exchange.sem:post()
    end
  end)
  return exchange
end

local function wait_for_response(self, exchange)
  self.waiting_ = self.waiting_ + 1
  while not exchange.response and not exchange.is_gone do
    exchange.sem:wait(forever_s)
  end
  self.waiting_ = self.waiting_ - 1
end

local function handle(self, exchange, head, query, body)
  exchange.poll = self.server_.bound.longpoll:handle({
    method = head.method, path = head.path, query = query, headers = head.headers, body = body,
    remote_address = ngx.var.remote_addr, secure = ngx.var.scheme == "https",
  }, exchange.respond)
  if exchange.poll and exchange.is_gone then
    exchange.poll:cancel()
  end
end

local function serve(self, head, query, body)
  local exchange, server = new_exchange(), self.server_
  server.bound.longpoll.executor = executor_for_new(self)
  if head.method == "POST" then
    server.loop:enter(handle, self, exchange, head, query, body)
  else
    handle(self, exchange, head, query) -- not as a part of a turn: `connect` may wait
  end
  if exchange.poll then
    wait_for_response(self, exchange)
  end
  light_thread.give_semaphore(exchange.sem)
  if exchange.response then
    request.respond(unpack(exchange.response, 1, 3))
  else
    ngx.status = exchange.poll and client_closed_request or 500 -- the error is in the log
  end
  server:check_end()
end

local function read_body(self, head)
  -- nginx's own reading of it: of several, it has decided for one.
  local length = tonumber(ngx.var.content_length)
  if head.headers["transfer-encoding"] or not length and head.version >= "2" then
    return nil, 411, "a body must come with its Content-Length"
  elseif not length then
    return ""
  elseif length > self.server_.bound.longpoll.options.longpoll_max_body_bytes then
    return nil, 413
  end
  local body = request.read_body(self.server_.options.body_timeout_s)
  if not body then
    return nil, 408, "the body was not complete in time"
  end
  return body
end

--- Serves the request in hand, whose response may be long in coming.
---@param head presence.nginx.Head
function LongPolls:serve(head)
  local query = core.query_decode(head.query)
  if not query then
    return request.answer(400, "the query has a broken escape")
  end
  local body, status, reason
  if head.method == "POST" then
    body, status, reason = read_body(self, head)
  end
  if status and head.version < "2" then
    ngx.header["Connection"] = "close" -- nobody reads the body
  end
  if status == 413 then
    self.server_.bound.longpoll:refuse_body(head, request.respond)
  elseif status then
    request.answer(status, reason)
  else
    serve(self, head, query, body)
  end
end

-- The end.

--- Does no request wait, and no callback run?
---@return boolean
function LongPolls:is_idle()
  local executor = self.executor_
  return self.waiting_ == 0 and not (executor and executor:is_open() and executor.active > 0)
end

--- Lets the request of the callbacks end. Of no use after.
function LongPolls:close()
  self.is_closed_ = true
  if self.executor_ then
    self.executor_:close()
  end
end

--- Ends the callbacks that are under way.
function LongPolls:cut()
  local executor = self.executor_
  if executor and executor:is_open() and executor.active > 0 then
    executor:spawn(end_request)
    executor:close()
    self.server_.loop:defer(function() self.server_:check_end() end)
  end
end

---@param server presence.nginx.Server
---@return presence.nginx.LongPolls
function M.new(server)
  return setmetatable({
    server_ = server, waiting_ = 0, looks_after_ = false, is_closed_ = false,
  }, LongPolls)
end

return M
