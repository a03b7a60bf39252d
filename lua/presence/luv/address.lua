--- Addresses as users write them and as libuv gives them.

local uv = require "luv"

local M = {}

--- The numeric addresses of a host, an IP address or a name, each once.
---@param host string
---@return string[]|nil
---@return string|nil word "bad_host"
---@return string|nil detail
function M.resolve(host)
  -- Not protocol = "tcp": that name is looked up in /etc/protocols, which small systems lack.
  local found, err = uv.getaddrinfo(host, nil, { socktype = "stream" })
  if not found then
    return nil, "bad_host", ("cannot listen on '%s': %s"):format(host, err)
  end
  local addresses, seen = {}, {}
  for _, entry in ipairs(found) do
    if not seen[entry.addr] then
      seen[entry.addr] = true
      addresses[#addresses + 1] = entry.addr
    end
  end
  return addresses
end

--- The address of whoever is connected, IPv4 in its own form also on a socket for both families.
---@param stream userdata uv_tcp_t
---@return string|nil address nil when the other end has gone already
function M.of_peer(stream)
  local name = stream:getpeername()
  if not name then
    return nil
  end
  return name.ip:match "^::ffff:(%d+%.%d+%.%d+%.%d+)$" or name.ip
end

--- The URL of a server.
---@param host string
---@param port integer
---@return string
function M.url(host, port)
  return ("http://%s:%d"):format(host:find(":", 1, true) and "[" .. host .. "]" or host, port)
end

return M
