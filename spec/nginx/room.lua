--- The application of these specs, and what its worker tells about itself.

local presence = require "presence"

local M = {}

local Room = presence.channel {
  track = function(socket)
    return socket.assigns.user_id, {}
  end,
}

function Room.handle_in.slow(_, payload)
  if payload.seconds > 0 then
    ngx.sleep(payload.seconds)
  end
  return "ok"
end

-- Computes without a pause.
function Room.handle_in.compute(_, payload)
  local clock = require "presence.nginx.clock"
  local till = clock.now() + payload.seconds
  while clock.now() < till do
    payload.rounds = (payload.rounds or 0) + 1
  end
  return "ok"
end

-- Ends the request that runs the callback, as nobody should.
function Room.handle_in.exit()
  ngx.exit(444)
end

function Room.handle_in.shout(socket, payload)
  socket:broadcast("shout", payload)
  return "ok"
end

function Room.handle_in.wait(_, payload)
  presence.process.receive(payload.seconds)
  return "ok"
end

function Room.handle_in.flood(socket, payload)
  local text = ("x"):rep(payload.bytes)
  for _ = 1, payload.count do
    socket:push("flood", { text = text })
  end
  return "ok"
end

-- A channel whose every callback may wait, in nginx's own way.
local Waiting = presence.channel {
  join = function(_, _, params)
    ngx.sleep(0.001)
    return true, params
  end,
  track = function(socket)
    ngx.sleep(0.001)
    return socket.assigns.user_id, {}
  end,
  terminate = function()
    ngx.sleep(0.001)
    M.terminated = M.terminated + 1
  end,
}
M.terminated = 0

function Waiting.handle_in.raise() error "raises, as it was asked to" end
function Waiting.handle_in.stop() return "stop" end
function Waiting.handle_in.wait()
  ngx.sleep(0.002)
  presence.process.receive(0.002)
  return "ok"
end

-- Ends channels of other requests out of this one's.
function Waiting.handle_in.disconnect(_, payload)
  M.endpoint:disconnect(payload.user_id)
  return "ok"
end

function Waiting.handle_in.spawn()
  presence.process.spawn(function() ngx.sleep(0.001) end)
  return "ok"
end

local function new_endpoint(options)
  local all = {
    id = function(assigns) return assigns.user_id end,
    connect = function(params)
      if params.wait_s then
        ngx.sleep(params.wait_s)
      end
      return { user_id = params.user_id }
    end,
    channels = { ["room:*"] = Room, ["waiting:*"] = Waiting },
  }
  for name, value in pairs(options) do
    all[name] = value
  end
  return presence.endpoint(all)
end

--- Starts it in this worker.
---@param options table|nil
---@param endpoint_options table|nil
function M.start(options, endpoint_options)
  M.endpoint = new_endpoint(endpoint_options or {})
  require("presence.nginx").start(M.endpoint, options)
end

M.endpoint = new_endpoint {}

local function resident_kib()
  local file = assert(io.open "/proc/self/status")
  local kib = file:read("*a"):match "VmRSS:%s*(%d+)"
  file:close()
  return tonumber(kib)
end

--- Figures of the worker, once its garbage is collected: JSON.
function M.figures()
  collectgarbage()
  collectgarbage()
  local keys = {}
  for _, pair in ipairs(presence.list(ngx.var.arg_topic or "room:lobby")) do
    keys[#keys + 1] = pair[1]
  end
  table.sort(keys)
  ngx.say(require("cjson").encode {
    pid = ngx.worker.pid(),
    connections = tonumber(ngx.var.connections_active) - 1, -- without the one that asks
    sockets = M.endpoint:metrics().connections,
    sessions = M.endpoint:metrics().longpoll_sessions,
    channels = M.endpoint:metrics().channels,
    running_timers = ngx.timer.running_count(),
    pending_timers = ngx.timer.pending_count(),
    terminated = M.terminated,
    hogged_turns = M.endpoint:metrics().hogged_turns_total,
    lua_kib = collectgarbage "count",
    resident_kib = resident_kib(),
    keys = table.concat(keys, " "),
  })
end

--- What README recommends for the location.
M.directives = [[
      client_max_body_size 0;
      client_body_buffer_size 1m;
      lua_check_client_abort on;
]]

--- nginx's http block that serves it. `options` and `endpoint_options` are Lua source.
---@param options string|nil
---@param endpoint_options string|nil
---@param directives string|nil of the location, default `M.directives`
function M.http(options, endpoint_options, directives)
  return ([[
  init_worker_by_lua_block { require("spec.nginx.room").start(%s, %s) }
  server {
    listen 127.0.0.1:$port backlog=1024;
    location /socket {
%s
      content_by_lua_block { require("presence.nginx").serve() }
    }
    location /figures { content_by_lua_block { require("spec.nginx.room").figures() } }
  }
]]):format(options or "{}", endpoint_options or "{}", directives or M.directives)
end

return M
