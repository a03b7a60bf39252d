--- Who is let in: the version of the protocol, the page's origin, and what the application says.
local v1 = require "presence.channels.wire.v1"
local v2 = require "presence.channels.wire.v2"

local M = {}

local default_version = "1.0.0" -- of clients that name none, as Phoenix has it

local function wire_of(version)
  version = version or default_version
  if version:match "^2%.0%.%d+$" then
    return v2
  elseif version:match "^1%.0%.%d+$" then
    return v1
  end
end

local function ask_application(self, request)
  local connect = self.options.connect
  if not connect then
    return {}
  end
  local ok, assigns, reason, status = xpcall(connect, debug.traceback, request.query, request)
  if not ok then
    self.log("error", "connect raised: " .. tostring(assigns))
    return nil, 500, "connect failed"
  end
  if not assigns then
    return nil, status or 403, reason or "refused"
  elseif assigns ~= true and type(assigns) ~= "table" then
    self.log("error", "connect must return a table of assigns, true, or nil and a reason; got "
      .. type(assigns))
    return nil, 500, "connect failed"
  end
  return assigns == true and {} or assigns
end

-- What the application's function `name`, if it has one, says of a client's assigns.
local function ask_of(self, name, assigns)
  if not self.options[name] then
    return nil
  end
  local ok, answer = xpcall(self.options[name], debug.traceback, assigns)
  if not ok then
    self.log("error", name .. " raised: " .. tostring(answer))
    return nil, 500, "connect failed"
  end
  return answer
end

local function id_of(self, assigns)
  local id, status, reason = ask_of(self, "id", assigns)
  local is_name = id == nil or type(id) == "string" or type(id) == "number" and id == id
  if not is_name then
    self.log("error", "id must return a string, a number or nil; got " .. tostring(id))
    return nil, 500, "connect failed"
  end
  return id, status, reason
end

local function expiry_of(self, assigns)
  local expires_at, status, reason = ask_of(self, "expires_at", assigns)
  if expires_at == nil then
    return nil, status, reason
  elseif type(expires_at) ~= "number" or expires_at ~= expires_at then
    self.log("error", "expires_at must return seconds since 1970 or nil")
    return nil, 500, "connect failed"
  elseif expires_at <= self.runtime.loop:time() then
    return nil, 403, "expired"
  end
  return expires_at
end

--- What a request becomes a connection with, or why it is refused.
---@param bound presence.BoundEndpoint
---@param request table
---@return table|nil assigns
---@return table|integer wire the version of the protocol; else the status
---@return any id else the reason
---@return number|nil expires_at seconds since 1970
function M.admit(bound, request)
  if bound.draining then
    return nil, 503, "draining"
  end
  local wire = wire_of(request.query.vsn)
  if not wire then
    return nil, 403, "unsupported protocol version"
  end
  if not bound:allows_origin(request) then
    return nil, 403, "origin not allowed"
  end
  local assigns, status, reason = ask_application(bound, request)
  if not assigns then
    return nil, status, reason
  end
  local id, expires_at
  id, status, reason = id_of(bound, assigns)
  if not status then
    expires_at, status, reason = expiry_of(bound, assigns)
  end
  if status then
    return nil, status, reason
  elseif bound.draining then
    return nil, 503, "draining" -- since: `connect` may have waited
  end
  return assigns, wire, id, expires_at
end

return M
