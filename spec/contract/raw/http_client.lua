--- HTTP by hand, for specs of the stand-alone server: requests are bytes, responses are cut by
--- their Content-Length.

local client_side = require "spec.contract.raw.handshake"
local platform = require "spec.contract.raw.luv_platform"

local M = {}

local Client = {}
Client.__index = Client

--- The bytes of a request.
function M.request(method, path, headers)
  local lines = { method .. " " .. path .. " HTTP/1.1", "Host: example.org" }
  for name, value in pairs(headers or {}) do
    lines[#lines + 1] = name .. ": " .. value
  end
  return table.concat(lines, "\r\n") .. "\r\n\r\n"
end

function Client:send(bytes)
  self.tcp.write(bytes)
end

--- The next response; `without_body` for answers to HEAD. Nil when none comes.
function Client:response(without_body)
  local response
  platform.run_until(self.loop, platform.patience_s, function()
    response = client_side.response(self.tcp.received)
    if not response then
      return self.tcp.is_gone
    end
    local length = tonumber(response.headers["content-length"] or 0)
    if without_body or response.status == 304 then
      length = 0
    end
    if #response.body >= length then
      self.tcp.received = response.body:sub(length + 1)
      response.body = response.body:sub(1, length)
      return true
    end
    return self.tcp.is_gone
  end)
  return response
end

function Client:ask(method, path, headers)
  self:send(M.request(method, path, headers))
  return self:response(method == "HEAD")
end

--- Has the server hung up, at the latest when the time is up?
function Client:is_gone(timeout_s)
  return platform.run_until(self.loop, timeout_s or platform.patience_s,
    function() return self.tcp.is_gone end) or false
end

function Client:close()
  self.tcp.close()
end

function M.open(loop, port, host)
  return setmetatable({ tcp = platform.connect(loop, port, host), loop = loop }, Client)
end

return M
