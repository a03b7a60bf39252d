-- Serves spec/e2e/support/wire_app.lua by nginx, for tests in Node: PORT says where, HTTP2_PORT
-- where HTTP/2 is spoken, if anywhere. HUP reloads, TERM stops; at the end what nginx complained of
-- is printed.
local uv = require "luv"
local room = require "spec.nginx.room"
local server = require "spec.nginx.server"

local http = [[
  init_worker_by_lua_block {
    require("presence.nginx").start(require "spec.e2e.support.wire_app")
  }
  server {
    listen 127.0.0.1:$port backlog=1024;
    %s
    location /socket {
%s
      content_by_lua_block { require("presence.nginx").serve() }
    }
  }
]]

local http2_port = os.getenv "HTTP2_PORT"
local nginx = server.start(
  http:format(http2_port and "listen 127.0.0.1:" .. http2_port .. " http2;" or "", room.directives),
  nil, nil, nil, nil, tonumber(os.getenv "PORT"))

local function on_signal(name, fn)
  uv.new_signal():start(name, fn)
end

on_signal("sighup", function() nginx:signal "hup" end)
for _, name in ipairs { "sigterm", "sigint" } do
  on_signal(name, uv.stop)
end
io.stdout:write("http://127.0.0.1:", nginx.port, "\n")
io.stdout:flush()
uv.run()

local complaints
local is_graceful = nginx:stop(function() complaints = nginx:complaints() end)
io.stdout:write(table.concat(complaints, "\n"), "\n")
io.stdout:flush()
os.exit(is_graceful and 0 or 1)
