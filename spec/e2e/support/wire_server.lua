-- Serves wire_app.lua by luv. HOST and PORT say where.
local endpoint = require "spec.e2e.support.wire_app"

require("presence").serve(endpoint, {
  host = os.getenv "HOST",
  port = tonumber(os.getenv "PORT"),
  on_listen = function(server)
    io.stdout:write(server.url, "\n")
    io.stdout:flush()
  end,
})
