--- Clients as those of spec.nginx.clients that poll: one connection for polls, one for posts.

local uv = require "luv"
local client_side = require "spec.contract.raw.handshake"
local json = require "cjson"
local returning = require "spec.nginx.returning"

local M = {}

---@class spec.nginx.PollingClient: spec.nginx.Returning
-- `codes`: the statuses that it lost its session with, 0 for a lost connection.
local Client
Client, M.new = returning.class()

-- A connection that asks one request after another.
local function new_line(self)
  local line = { tcp = uv.new_tcp(), received = "", waiting = {} }

  local function on_response(response)
    local length = tonumber(response.headers["content-length"] or 0)
    if #response.body < length then
      return false
    end
    line.received = response.body:sub(length + 1)
    local on_answer = table.remove(line.waiting, 1)
    on_answer(response.status == 200 and json.decode(response.body:sub(1, length)).status or 0,
      response.body:sub(1, length))
    return true
  end

  line.tcp:connect("127.0.0.1", self.port, function(err)
    if err or line.tcp:is_closing() then
      return self:lose(0)
    end
    line.tcp:read_start(function(_, bytes)
      if line.tcp:is_closing() then
        return
      elseif not bytes then
        return line.waiting[1] and self:lose(0)
      end
      line.received = line.received .. bytes
      local response
      repeat
        response = client_side.response(line.received)
      until not (response and on_response(response)) or line.tcp:is_closing()
    end)
  end)
  return line
end

local function ask(self, line, method, body, on_answer)
  line.waiting[#line.waiting + 1] = on_answer
  line.tcp:write(client_side.http_request(method, "/socket/longpoll",
    { vsn = "2.0.0", user_id = self.user_id, token = self.token },
    { ["Content-Type"] = "application/x-ndjson" }, body))
end

function Client:hang_up()
  for _, line in ipairs { self.polls, self.posts } do
    if not line.tcp:is_closing() then
      line.tcp:close()
    end
  end
end

local function on_message(self, text)
  if self.state == "joining" and text:find('"phx_reply"', 1, true) then
    self.state = "joined"
    self.joins = self.joins + 1
  end
  if self.on_message then
    self.on_message(text)
  end
end

local function poll(self)
  ask(self, self.polls, "GET", nil, function(status, body)
    if status == 200 then
      for _, text in ipairs(json.decode(body).messages) do on_message(self, text) end
    elseif status ~= 204 then
      return self:lose(status)
    end
    if self.state ~= "gone" then
      poll(self)
    end
  end)
end

--- Sends an event to the room.
function Client:push(event, payload, ref)
  ask(self, self.posts, "POST", ('["1","%s","%s","%s",%s]'):format(ref or 2, self.topic, event,
    payload or "{}"), function(status)
      if status ~= 200 then
        self:lose(status)
      end
    end)
end

function Client:connect()
  self.state, self.token = "connecting", nil
  self.polls, self.posts = new_line(self), new_line(self)
  ask(self, self.polls, "GET", nil, function(status, body)
    if status ~= 410 then
      return self:lose(status)
    end
    self.state, self.token = "joining", json.decode(body).token
    self:push("phx_join", nil, 1)
    poll(self)
  end)
end

return M
