--- Rooms that only their members may join. Who they are Redis knows: user ann may join room:garden
-- once `SADD members:garden ann` was said.
--
-- The question goes through a cosocket, so that nobody waits but this join: the same user's other
-- rooms, and everybody else, go on.
local presence = require "presence"

local host = os.getenv "REDIS_HOST" or "127.0.0.1"
local port = tonumber(os.getenv "REDIS_PORT") or 6379
local timeout_ms = 1000
local idle_ms, idle_connections = 60000, 100 -- connections to Redis are kept for the next question

--- Is `member` in the set `key`?
---@return boolean|nil answer
---@return string|nil err why there is none
local function is_member(key, member)
  local redis = ngx.socket.tcp()
  redis:settimeout(timeout_ms)
  local ok, err = redis:connect(host, port)
  if not ok then
    return nil, err
  end
  ok, err = redis:send { "*3\r\n$9\r\nSISMEMBER\r\n$", #key, "\r\n", key, "\r\n$", #member, "\r\n",
    member, "\r\n" }
  local line
  if ok then
    line, err = redis:receive "*l"
  end
  if line ~= ":0" and line ~= ":1" then
    redis:close()
    return nil, err or line
  end
  redis:setkeepalive(idle_ms, idle_connections)
  return line == ":1"
end

local Room = presence.channel()

function Room.join(socket, topic)
  local answer, err = is_member("members:" .. topic:sub(#"room:" + 1), socket.assigns.user_id)
  if answer == nil then
    ngx.log(ngx.ERR, "Redis cannot be asked: ", err)
    return nil, "try again later"
  elseif not answer then
    return nil, "not a member"
  end
  return true
end

function Room.track(socket)
  return socket.assigns.user_id, {}
end

function Room.handle_in.shout(socket, message)
  socket:broadcast("shout", message)
  return "ok"
end

return presence.endpoint {
  connect = function(params)
    if not params.user_id then
      return nil, "no user"
    end
    return { user_id = params.user_id }
  end,
  channels = { ["room:*"] = Room },
}
