--- What clients and callbacks can cause to be logged: so many lines a second, the rest is counted.
-- Lines cost what a disk has, and clients cost nothing.
local bucket = require "presence.bucket"

local M = {}

local burst_s = 10 -- a burst may be what comes in this time

--- A log function that lets so much through; the next line tells how many were not logged.
---@param opts {log: function, now: (fun(): number), max_per_s: number|false}
---@return fun(level: string, message: string, fields: table|nil) log
function M.new(opts)
  local log, now, max_per_s = opts.log, opts.now, opts.max_per_s
  if not max_per_s then
    return log
  end
  local tokens = bucket.new(max_per_s, math.max(1, max_per_s * burst_s), now())
  local not_logged = 0
  return function(level, message, fields)
    if not tokens:take(now()) then
      not_logged = not_logged + 1
      return
    end
    local all = {}
    for name, value in pairs(fields or {}) do
      all[name] = value
    end
    if not_logged > 0 then
      all.not_logged, not_logged = not_logged, 0
    end
    log(level, message, all)
  end
end

return M
