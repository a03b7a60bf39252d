--- Who is told of whose end. The watched process knows ref → pid of the watcher, the watcher
-- ref → what it watches; whichever ends first takes the other's entry along.
local M = {}

---@class presence.Monitors
local Monitors = {}
Monitors.__index = Monitors

--- Let a process be told of another's end: `{event = "down", pid, reason, ref}` comes into its
--- mailbox, at once with the reason "noproc" when there is no such process.
---@param watcher presence.Process
---@param pid integer|string a pid or a name
---@return integer ref
function Monitors:watch(watcher, pid)
  local ref = self.last_ref_ + 1
  self.last_ref_ = ref
  local watched = self.processes_:get(pid)
  if not watched then
    self.processes_:send(watcher.pid, { event = "down", pid = pid, reason = "noproc", ref = ref })
  elseif watcher.alive then
    watched.watchers_, watcher.watched_ = watched.watchers_ or {}, watcher.watched_ or {}
    watched.watchers_[ref], watcher.watched_[ref] = watcher.pid, watched
  end
  return ref
end

local function stop_watching(ended)
  for ref, watched in pairs(ended.watched_ or {}) do
    watched.watchers_[ref] = nil
  end
  ended.watched_ = nil
end

--- A process has ended: it watches nobody any more, and its watchers are told, in the order they
--- began to watch.
---@param ended presence.Process
---@param reason any
function Monitors:tell_end(ended, reason)
  stop_watching(ended)
  local watchers, refs = ended.watchers_ or {}, {}
  ended.watchers_ = nil
  for ref in pairs(watchers) do
    refs[#refs + 1] = ref
  end
  table.sort(refs)
  local processes = self.processes_
  for _, ref in ipairs(refs) do
    local watcher = processes:get(watchers[ref])
    watcher.watched_[ref] = nil
    processes:send(watcher.pid, { event = "down", pid = ended.pid, reason = reason, ref = ref })
  end
end

---@param processes presence.Processes
---@return presence.Monitors
function M.new(processes)
  return setmetatable({ processes_ = processes, last_ref_ = 0 }, Monitors)
end

return M
