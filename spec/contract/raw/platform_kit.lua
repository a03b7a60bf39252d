--- What platforms of the suite of raw frames do alike.

local client_side = require "spec.contract.raw.handshake"
local presence = require "presence"

local M = {}

--- A runtime on a loop; `opts` are more options of it.
---@return presence.Runtime
---@return {level: string, message: string, fields: table}[] logged what it logs, as it grows
function M.new_runtime(loop, opts)
  local logged = {}
  local all = {
    loop = loop,
    log = function(level, message, fields)
      logged[#logged + 1] = { level = level, message = message, fields = fields }
    end,
  }
  for name, value in pairs(opts or {}) do all[name] = value end
  return presence.new(all), logged
end

--- A server's `connect` and `http`, as `open` and `exchange` do them, its `logged`, and `hang_up`,
--- which lets all who are connected do so.
---@param open fun(query: table, headers: table, path: string|nil): table|nil
---@param exchange fun(method: string, query: table, headers: table, body: string|nil): table
---@param logged table[]
---@return table server
function M.new_server(open, exchange, logged)
  local server, connected = {}, {}

  function server.connect(...)
    local client, status, reason = open(...)
    connected[#connected + 1] = client
    return client, status, reason
  end

  function server.http(method, query, headers, body)
    local exchanged = exchange(method, query, headers or {}, body)
    connected[#connected + 1] = exchanged
    return exchanged
  end

  function server.logged() return logged end

  function server.hang_up()
    for _, one in ipairs(connected) do one.vanish() end
  end

  return server
end

--- The bytes of a request to the path of long polls.
function M.longpoll_request(method, query, headers, body)
  return client_side.http_request(method, "/socket/longpoll", query, headers, body)
end

--- Fails when a server that was stopped has anything left.
function M.expect_nothing_left(bound, runtime)
  assert(bound:connections() == 0, "connections are left over")
  assert(bound:metrics().longpoll_sessions == 0, "sessions are left over")
  assert(#runtime.topics() == 0, "presences are left over")
end

return M
