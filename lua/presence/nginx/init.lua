--- Presence inside of nginx or OpenResty, two blocks of its configuration:
--
--     init_worker_by_lua_block { require("presence.nginx").start(require "app") }
--     location /socket { content_by_lua_block { require("presence.nginx").serve() } }

local request = require "presence.nginx.request"

local M = {}

local server

--- Starts an endpoint in this worker. Once, in `init_worker_by_lua_block`.
---@param endpoint presence.Endpoint
---@param opts table|nil see docs/options.md
function M.start(endpoint, opts)
  local phase = ngx.get_phase()
  if phase ~= "init_worker" then
    error("presence.nginx.start: only in init_worker_by_lua_block, not in " .. phase, 2)
  end
  if server then
    error("presence.nginx.start: this worker has started an endpoint already", 2)
  end
  server = require("presence.nginx.server").new(endpoint, opts)
  if ngx.worker.count() > 1 and ngx.worker.id() == 0 then
    ngx.log(ngx.WARN, "presence: ", ngx.worker.count(), " workers do not know of each other's",
      " presences: set worker_processes to 1")
  end
end

local not_started = "presence.nginx.serve: nothing was started in this Lua state. Call"
  .. " presence.nginx.start(endpoint) in init_worker_by_lua_block, and leave lua_code_cache on:"
  .. " without it every request has a Lua state of its own, which knows no connection but its own"

--- Serves the request in hand, in `content_by_lua_block`: a WebSocket until it ends, or a long
--- poll; anything else is refused.
function M.serve()
  if not server then
    ngx.log(ngx.ERR, not_started)
    return request.answer(500, "presence is not started; nginx's error log says why")
  end
  return server:serve()
end

return M
