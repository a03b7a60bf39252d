--- What a runtime does at the end of a turn of its loop, in this order until nothing is left:
-- run processes that have something to do, flush topics that changed, write to connections.
-- So a connection gets one write a turn, however many messages and diffs the turn made.
local queue = require "presence.queue"

local shift = queue.shift

local M = {}

---@class presence.Turn
local Turn = {}
Turn.__index = Turn

local phases = { "run", "flush", "write" }

-- Processes that keep each other busy must not keep the others waiting: after so many jobs the
-- rest goes to the next turn.
local max_jobs = 100000

local function next_job(self)
  return shift(self.run) or shift(self.flush) or shift(self.write)
end

local function drain(self)
  for _ = 1, max_jobs do
    local job = next_job(self)
    if not job then
      self.scheduled_ = false
      return
    end
    local ok, err = xpcall(job.turn, debug.traceback, job)
    if not ok then
      self.on_error(err)
    end
  end
  self.loop_:after(0, self.drain_)
end

--- Add a job, an object with a method `turn`, to a phase of this turn.
---@param phase "run"|"flush"|"write"
---@param job {turn: fun(job: table)}
function Turn:add(phase, job)
  queue.push(self[phase], job)
  if not self.scheduled_ then
    self.scheduled_ = true
    self.loop_:defer(self.drain_)
  end
end

---@param loop table
---@param on_error fun(err: any)
---@return presence.Turn
function M.new(loop, on_error)
  local self = setmetatable({ loop_ = loop, on_error = on_error, scheduled_ = false }, Turn)
  for _, phase in ipairs(phases) do
    self[phase] = queue.new()
  end
  self.drain_ = function()
    drain(self)
  end
  return self
end

return M
