--- An nginx that serves the room of these specs, and HTTP clients of it on libuv.

local assert = require "luassert"
local json = require "cjson"
local client_side = require "spec.contract.raw.handshake"
local http_client = require "spec.contract.raw.http_client"
local luv_loop = require "presence.luv.loop"
local luv_platform = require "spec.contract.raw.luv_platform"
local room = require "spec.nginx.room"
local server = require "spec.nginx.server"

local M = {}

---@class spec.nginx.LongPollStage
local Stage = {}
Stage.__index = Stage

-- Options as Lua source that a worker reads.
local function source_of(options)
  return options and ("require('cjson').decode [==[%s]==]"):format(json.encode(options)) or "{}"
end

--- Starts nginx; `opts.server` and `opts.endpoint` are options of both, `opts.directives` those of
--- the location.
function Stage:start(opts)
  opts = opts or {}
  self.loop = luv_loop.new()
  self.nginx = server.start(room.http(source_of(opts.server), source_of(opts.endpoint),
    opts.directives))
end

function Stage:open()
  local client = http_client.open(self.loop, self.nginx.port)
  self.clients[#self.clients + 1] = client
  return client
end

function Stage:wait_for(is_done, timeout_s)
  return luv_platform.run_until(self.loop, timeout_s or luv_platform.patience_s, is_done)
end

function Stage:wait(seconds)
  luv_platform.run_until(self.loop, seconds, function() return false end)
end

function Stage:figures(topic)
  return json.decode((self.nginx:get("/figures" .. (topic and "?topic=" .. topic or ""))))
end

--- How many connections of the endpoint there are, and how many of TCP.
function Stage:left()
  local figures = self:figures()
  return figures.sockets, figures.connections
end

--- Starts to stop; the function returned tells whether it has.
function Stage:stop()
  self.nginx:signal "quit"
  return function() return self.nginx.exited end
end

--- Closes everything; what nginx complained of is there to be compared before.
function Stage:finish()
  for _, client in ipairs(self.clients) do client:close() end
  self.clients = {}
  if self.nginx then
    self.nginx:stop()
    self.nginx = nil
    self.loop:close()
    luv_platform.expect_no_handles()
  end
end

--- The bytes of a request to the path of long polls.
function M.request(method, query, headers, body)
  query.vsn = "2.0.0"
  return client_side.http_request(method, "/socket/longpoll", query, headers or {}, body)
end

--- Sends a request and takes the answer: what its body says, and the response.
function M.ask(client, ...)
  client:send(M.request(...))
  local response = client:response()
  assert.truthy(response, "no response came")
  assert.equal(200, response.status)
  return json.decode(response.body), response
end

--- Opens a session, and returns its token.
function M.open_session(client, query)
  local answer = M.ask(client, "GET", query or {})
  assert.equal(410, answer.status)
  return answer.token
end

function M.new()
  return setmetatable({ clients = {} }, Stage)
end

return M
