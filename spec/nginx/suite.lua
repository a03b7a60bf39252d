--- Declares, in the process that runs busted, one test for each that ran inside an nginx worker.

local json = require "cjson"
local server = require "spec.nginx.server"
local busted = require "busted"

local it = busted.it

local http = [[
  server {
    listen 127.0.0.1:$port;
    location /run {
      lua_socket_log_errors off; # clients of tests wait in vain, too
      content_by_lua_block { require("spec.nginx.in_worker").run(%s) }
    }
%s
  }
]]

-- What ran in the worker, its complaints as one more test.
local function results_of(suite, locations, timeout_s)
  local nginx = server.start(http:format(suite, locations or ""))
  local body = nginx:get("/run", timeout_s or 60)
  local decoded, results = pcall(json.decode, body)
  local complaints = nginx:complaints()
  local log = nginx:log()
  local is_graceful = nginx:stop()
  if not decoded then
    results = { { name = "runs", ok = false, err = body .. "\n" .. log } }
  end
  results[#results + 1] = { name = "leaves no complaint in nginx's log",
    ok = #complaints == 0, err = table.concat(complaints, "\n", 1, math.min(#complaints, 5)) }
  results[#results + 1] = { name = "lets the worker end when it is told to", ok = is_graceful,
    err = "nginx had to be killed" }
  return results
end

--- Runs `suite`, the Lua source of a function, inside of a worker, and declares its tests here.
---@param suite string
---@param locations string|nil more of nginx's server block
return function(suite, locations, timeout_s)
  local started, results = pcall(results_of, suite, locations, timeout_s)
  if not started then
    results = { { name = "starts", ok = false, err = results } }
  end
  for _, result in ipairs(results) do
    it(result.name, function()
      if not result.ok then
        error(tostring(result.err), 0)
      end
    end)
  end
end
