--- Debian's redis-server for specs: on a free port, keeping nothing, always stopped.

local uv = require "luv"
local server = require "spec.nginx.server"

local M = {}

local Redis = {}
Redis.__index = Redis

--- Sends a command and waits for the first line of the answer; nil when there is none in time.
---@return string|nil
function Redis:call(...)
  local parts = { ... }
  local command = { "*" .. #parts .. "\r\n" }
  for _, part in ipairs(parts) do
    command[#command + 1] = "$" .. #part .. "\r\n" .. part .. "\r\n"
  end
  local client, received, over = uv.new_tcp(), "", false
  client:connect("127.0.0.1", self.port, function(err)
    if err then
      over = true
      return
    end
    client:write(table.concat(command))
    client:read_start(function(_, bytes)
      received = received .. (bytes or "")
      over = not bytes or received:find("\r\n", 1, true)
    end)
  end)
  server.wait_until(function() return over end, 3)
  client:close()
  return received:match "^(.-)\r\n"
end

function Redis:stop()
  if self.handle and not self.exited then
    self.handle:kill "sigkill"
    server.wait_until(function() return self.exited end, 5)
  end
  uv.run "nowait"
end

---@return table
function M.start()
  local self = setmetatable({ port = server.free_port() }, Redis)
  self.handle = uv.spawn("redis-server", {
    args = { "--port", tostring(self.port), "--bind", "127.0.0.1", "--save", "",
      "--appendonly", "no", "--dir", os.getenv "TMPDIR" or "/tmp" },
  }, function()
    self.exited = true
    self.handle:close()
  end)
  assert(self.handle, "redis-server cannot be started")
  local is_up = server.wait_until(function()
    return self.exited or self:call "PING" == "+PONG"
  end)
  assert(is_up and not self.exited, "redis-server did not start")
  return self
end

return M
