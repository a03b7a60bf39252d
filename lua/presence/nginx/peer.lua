--- One WebSocket inside of nginx. The request's own thread writes, a light thread reads, and the
-- executor's run the callbacks of its channels. Whatever ends it, the request ends with all of
-- them, and not before the callbacks that are under way.

local light_thread = require "presence.nginx.light_thread"

local forever_s = light_thread.forever_s

local M = {}

---@class presence.nginx.Peer
---@field executor presence.nginx.Executor
---@field private server_ presence.nginx.Server
---@field private queue_ string[] bytes that wait for the writer
---@field private waiting_bytes_ integer in the queue, and with the kernel's refusal in hand
---@field private is_closing_ boolean the connection has given its last bytes
---@field private is_over_ boolean the client has said its last: a close frame, or what we close for
---@field private is_gone_ boolean the client has hung up
---@field private is_cut_ boolean the time to end in peace is over
local Peer = {}
Peer.__index = Peer

local abnormal_closure = 1006 -- RFC 6455, section 7.1.5: no close frame came
local close_silently = 444 -- nginx's own: close the connection, send nothing
local cut_again_s = 1

-- The request's own thread waits here, and whoever has something for it wakes it.

local function wait(self)
  self.is_waiting_ = true
  while self.is_waiting_ do
    self.sem_:wait(forever_s)
  end
end

local function wake(self)
  if self.is_waiting_ then
    self.is_waiting_ = false
    self.sem_:post()
  end
end

-- Out.

local function send(self, bytes)
  self.queue_[#self.queue_ + 1] = bytes
  self.waiting_bytes_ = self.waiting_bytes_ + #bytes
  wake(self)
  self.is_blocked_ = self.waiting_bytes_ > self.server_.options.write_high_water_bytes
  return not self.is_blocked_
end

local function unblock(self)
  if self.is_blocked_ then
    self.is_blocked_ = false
    self.server_.loop:enter(self.connection_.drained, self.connection_)
  end
end

-- Sends what has been queued; false when nothing can be sent any more.
local function send_queue(self)
  local pieces = self.queue_
  local bytes = #pieces == 1 and pieces[1] or table.concat(pieces)
  self.queue_ = {}
  self.is_sending_ = true
  local sent = self.sock_:send(bytes)
  self.is_sending_ = false
  if not sent then
    return false
  end
  self.waiting_bytes_ = self.waiting_bytes_ - #bytes
  if self.waiting_bytes_ == 0 then
    unblock(self)
  end
  return true
end

local function write(self)
  while not self.is_gone_ and not self.is_cut_ do
    if self.queue_[1] then
      if not send_queue(self) then
        return
      end
    elseif self.is_closing_ and self.is_over_ then
      return
    else
      wait(self)
    end
  end
end

-- In.

-- After our close frame the client's is waited for: whoever hangs up first may throw away what the
-- other has not read yet.
local function brings_close(codec, bytes)
  codec:feed(bytes)
  local kind
  repeat
    kind = codec:next()
  until not kind or kind == "close" or kind == "error"
  return kind ~= nil
end

local function on_bytes(self, bytes)
  local connection = self.connection_
  if connection.ended then
    self.is_over_ = brings_close(connection.codec, bytes)
  else
    connection:feed(bytes)
    self.is_over_ = connection.ended
  end
end

local function read(self)
  local loop, max_bytes = self.server_.loop, self.server_.options.receive_bytes
  while not (self.is_over_ or self.is_leaving_) do
    local bytes, err = self.sock_:receiveany(max_bytes)
    if bytes then
      self.is_feeding_ = true
      loop:enter(on_bytes, self, bytes)
      self.is_feeding_ = false
      if not self.is_over_ then
        loop:give_way(#bytes)
      end
    elseif err ~= "timeout" then
      self.is_gone_ = true
      break
    end
  end
  self.is_reading_ = false
  wake(self)
end

-- The end.

-- That the client has hung up while nobody reads is heard where lua_check_client_abort is on. nginx
-- would end the request, whatever it is about, if nobody listened.
local function listen_for_abort(self)
  ngx.on_abort(function()
    self.is_gone_ = true
    wake(self)
  end)
end

local function end_request()
  ngx.exit(close_silently)
end

--- Ends the connection, whatever it does. Callbacks that are under way come to their end first,
--- unless `is_urgent`.
---@param is_urgent boolean|nil
function Peer:cut(is_urgent)
  self.is_cut_ = true
  if self.timer_ then
    self.timer_:cancel()
    self.timer_ = nil
  end
  if is_urgent or (self.is_sending_ and self.executor.active == 0 and not self.is_feeding_) then
    -- A thread that sends can be ended with its request only, by a thread of the same request.
    self.server_:forget(self)
    if self.executor:is_open() then
      self.executor:spawn(end_request)
    end
  elseif self.is_sending_ then
    self.timer_ = self.server_.loop:after(cut_again_s, function() self:cut() end)
  else
    wake(self)
  end
end

-- The connection has given its last bytes.
local function close(self)
  if self.is_closing_ or self.has_left_ then
    return
  end
  self.is_closing_ = true
  self.timer_ = self.server_.loop:after(self.server_.options.linger_timeout_s, function()
    self.timer_ = nil
    self:cut()
  end)
  wake(self)
end

local function stop_reading(self)
  self.is_leaving_ = true
  if self.is_reading_ and not self.is_feeding_ then
    ngx.thread.kill(self.reader_)
    self.is_reading_ = false
  end
  while self.is_reading_ do
    wait(self)
  end
end

local function leave(self)
  local loop = self.server_.loop
  self.has_left_ = true
  if self.timer_ then
    self.timer_:cancel()
    self.timer_ = nil
  end
  stop_reading(self)
  loop:enter(self.connection_.closed, self.connection_, abnormal_closure)
  self.executor.on_idle = function() wake(self) end
  while self.executor.active > 0 do
    wait(self)
  end
  self.executor:close()
  light_thread.give_semaphore(self.sem_)
  self.server_:forget(self)
end

--- Carries a connection until it ends. Only in the thread of the request that asked for it.
---@param sock table the request's raw socket
---@param connection presence.Connection
---@param greeting string bytes that go out first
function Peer:run(sock, connection, greeting)
  self.sock_, self.connection_ = sock, connection
  sock:settimeouts(forever_s * 1000, self.server_.options.send_timeout_s * 1000,
    forever_s * 1000)
  self.queue_ = { greeting }
  self.waiting_bytes_ = #greeting
  self.executor:open()
  self.is_reading_ = true
  self.reader_ = ngx.thread.spawn(read, self)
  write(self)
  leave(self)
  if self.is_cut_ then
    end_request() -- nginx itself would wait for the client once more
  end
end

--- What the endpoint sends through.
---@return table
function Peer:transport()
  return {
    framing = "websocket",
    executor = self.executor,
    send = function(bytes) return send(self, bytes) end,
    close = function() close(self) end,
  }
end

--- Only in the thread of the request that the peer is to carry.
---@param server presence.nginx.Server
---@return presence.nginx.Peer
function M.new(server)
  local self = setmetatable({
    server_ = server,
    executor = server.loop:new_executor(),
    sem_ = light_thread.take_semaphore(),
    queue_ = {},
    waiting_bytes_ = 0,
    is_waiting_ = false,
    is_sending_ = false,
    is_blocked_ = false,
    is_reading_ = false,
    is_feeding_ = false,
    is_closing_ = false,
    is_over_ = false,
    is_gone_ = false,
    is_leaving_ = false,
    is_cut_ = false,
    has_left_ = false,
  }, Peer)
  listen_for_abort(self)
  return self
end

return M
