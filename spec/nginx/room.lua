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

M.endpoint = presence.endpoint {
  id = function(assigns) return assigns.user_id end,
  connect = function(params)
    return { user_id = params.user_id }
  end,
  channels = { ["room:*"] = Room, ["waiting:*"] = Waiting },
}

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

--- nginx's http block that serves it. `options` is Lua source.
function M.http(options)
  return ([[
  init_worker_by_lua_block {
    require("presence.nginx").start(require("spec.nginx.room").endpoint, %s)
  }
  server {
    listen 127.0.0.1:$port backlog=1024;
    location /socket { content_by_lua_block { require("presence.nginx").serve() } }
    location /figures { content_by_lua_block { require("spec.nginx.room").figures() } }
  }
]]):format(options or "{}")
end

return M
