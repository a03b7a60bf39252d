--- Serves the chat: `make demo`, or `lua5.4 examples/chat/main.lua` where presence is installed.
-- HOST and PORT say where (127.0.0.1, 4000; port 0 takes a free one), LIMITS=off lifts the limits
-- on rates and on connections of one address.
local script = arg and arg[0] or "examples/chat/main.lua"
local chat = script:match "^(.*)[/\\][^/\\]*$" or "."
local root = chat .. "/../.."

package.path = chat .. "/?.lua;" .. package.path
local presence = require "presence"
local app = require "app"

local function environment(name, default)
  local value = os.getenv(name)
  return value ~= nil and value ~= "" and value or default
end

local port = tonumber(environment("PORT", "4000"), 10)
if not port or port < 0 or port > 65535 then
  io.stderr:write("chat: PORT must be a number from 0 to 65535, it is '", os.getenv "PORT", "'\n")
  os.exit(1)
end

local options = {
  host = environment("HOST", "127.0.0.1"),
  port = port,
  static = {
    ["/"] = chat .. "/public",
    ["/vendor"] = root .. "/node_modules/phoenix/priv/static",
  },
  on_listen = function(server)
    io.stdout:write(server.url, "\n")
    io.stdout:flush()
  end,
}
if os.getenv "LIMITS" == "off" then
  options.max_connections_per_address = false
end

presence.serve(app, options)
