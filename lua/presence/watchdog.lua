--- Finds out who keeps the others waiting: a callback that hogs a turn (by wall time, measured
-- after it: no hook fires in compiled loops), a mailbox that fills faster than it is read.
-- It counts and logs; it ends nobody.
-- Loops that can (`loop:stretch_s`) tell of every stretch that a task runs, from one wait to the
-- next; with the others a callback is measured up to its first wait.
local M = {}

---@class presence.Watchdog
---@field hogged_turns_total integer
---@field flooded_mailboxes_total integer
local Watchdog = {}
Watchdog.__index = Watchdog

--- Somebody has run for so long without a wait.
---@param who {pid: integer|string, topic: string|nil} a process, or an event
---@param took_s number
function Watchdog:stretch(who, took_s)
  if took_s > self.max_turn_s_ then
    self.hogged_turns_total = self.hogged_turns_total + 1
    self.log_("warn", "a callback hogged the turn", {
      pid = who.pid, topic = who.topic, took_ms = math.floor(took_s * 1000),
    })
  end
end

--- Let a process begin a piece of work. Where others may run before it returns, the work says
--- itself how long it took up to its first wait.
---@param process presence.Process
---@param work fun(process: presence.Process): number|nil
function Watchdog:time(process, work)
  local loop = self.loop_
  if loop.stretch_s then
    work(process)
    return
  end
  local began_at = loop:now()
  self:stretch(process, work(process) or loop:now() - began_at)
end

--- A mailbox has grown to some length. Once a process that floods is enough.
---@param process presence.Process
---@param length integer
function Watchdog:mailbox(process, length)
  if length > self.max_mailbox_ and not process.has_flooded_ then
    process.has_flooded_ = true
    self.flooded_mailboxes_total = self.flooded_mailboxes_total + 1
    self.log_("warn", "a mailbox floods", {
      pid = process.pid, topic = process.topic, messages = length,
    })
  end
end

---@param opts {loop: table, log: function, max_turn_s: number, max_mailbox: integer}
---@return presence.Watchdog
function M.new(opts)
  return setmetatable({
    loop_ = opts.loop,
    log_ = opts.log,
    max_turn_s_ = opts.max_turn_s,
    max_mailbox_ = opts.max_mailbox,
    hogged_turns_total = 0,
    flooded_mailboxes_total = 0,
  }, Watchdog)
end

return M
