--- What platforms of the suite of raw frames do alike.

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

--- Lets clients and exchanges hang up.
function M.hang_up(clients, exchanges)
  for _, client in ipairs(clients) do client.vanish() end
  for _, exchange in ipairs(exchanges) do exchange.vanish() end
end

--- Fails when a server that was stopped has anything left.
function M.expect_nothing_left(bound, runtime)
  assert(bound:connections() == 0, "connections are left over")
  assert(bound:metrics().longpoll_sessions == 0, "sessions are left over")
  assert(#runtime.topics() == 0, "presences are left over")
end

return M
