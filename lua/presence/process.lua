--- Processes: a mailbox, monitors, an end that cleans up after itself.
-- A process started with `spawn` runs one function in one task. A process opened for a channel
-- serves work that others post to it: it has a task only while there is something to do.
local monitors = require "presence.monitors"
local queue = require "presence.queue"
local registry = require "presence.registry"

local M = {}

local running = coroutine.running
local push, shift, length = queue.push, queue.shift, queue.length

---@class presence.Process
local Process = {}
Process.__index = Process

---@class presence.Processes
local Processes = {}
Processes.__index = Processes

-- Which process a task works for: coroutine → process. A coroutine that user code makes inside a
-- process is not the process's task.
local process_of = setmetatable({}, { __mode = "k" })

-- Pids are integers that no application would pick for a presence without a process.
local first_pid = 2 ^ 32
if math.tointeger then
  first_pid = math.tointeger(first_pid)
end

-- What unwinds the task of a process that was ended from outside.
local Exit = {}
Exit.__index = Exit
Exit.__tostring = function(self)
  return "process ended: " .. tostring(self.reason)
end

local function is_exit(err)
  return getmetatable(err) == Exit
end

--- The process whose task is running, or nil.
---@return presence.Process|nil
function M.current()
  local co = running()
  return co and process_of[co]
end

local function current_or_raise(what)
  local process = M.current()
  if not process then
    error(what .. ": only inside a process, and not in a coroutine made inside one", 3)
  end
  return process
end

local function traceback(err)
  if is_exit(err) then
    return err
  end
  return debug.traceback(tostring(err), 2)
end

-- Mailboxes are made when the first message comes: most processes of channels never get one.

local function take_message(self)
  return self.mailbox_ and shift(self.mailbox_)
end

local function has_message(self)
  return self.mailbox_ ~= nil and length(self.mailbox_) > 0
end

-- Work that waits: the next item, and a queue of what is behind it, which is there while it is
-- needed.

local function push_work(self, item)
  if self.next_ == nil and not self.work_ then
    self.next_ = item
  else
    self.work_ = self.work_ or queue.new()
    push(self.work_, item)
  end
end

local function take_work_item(self)
  local item = self.next_
  if item ~= nil then
    self.next_ = nil
  elseif self.work_ then
    item = shift(self.work_)
    if length(self.work_) == 0 then
      self.work_ = nil
    end
  end
  return item
end

local function has_work(self)
  return self.next_ ~= nil or self.work_ ~= nil
end

local function new_process(self, fields)
  local pid = self.next_pid_
  self.next_pid_ = pid + 1
  fields.pid = pid
  fields.processes = self
  fields.runtime = self.runtime
  fields.alive = true
  self.by_pid_[pid] = fields
  return setmetatable(fields, Process)
end

--- The one way a process ends: whoever asks, whatever the reason, once.
---@param reason any
---@param is_clean boolean|nil it meant to end; default: when the reason is "normal"
function Process:finish(reason, is_clean)
  if not self.alive then
    return
  end
  self.alive = false
  self.exit_reason = reason
  local processes = self.processes
  processes.by_pid_[self.pid] = nil
  processes.registry:forget(self)
  if is_clean == nil then
    is_clean = reason == "normal" or reason == "shutdown"
  end
  processes.on_exit(self, reason, is_clean)
  processes.monitors_:tell_end(self, reason)
  if self.signal_ then
    self.signal_:post()
  end
end

local function run(self, fn, ...)
  local co = running()
  process_of[co] = self
  local ok, err = xpcall(fn, traceback, ...)
  process_of[co] = nil
  local processes = self.processes
  if processes.loop.stretch_s then
    processes.watchdog:stretch(self, processes.loop:stretch_s())
  end
  return ok, err
end

-- Said by the loop when a task is about to wait: how long it ran.
local function on_wait(took_s)
  local process = M.current()
  if process then
    process.processes.watchdog:stretch(process, took_s)
  end
end

local function run_spawned(self, fn, ...)
  local ok, err = run(self, fn, ...)
  if ok then
    self:finish("normal")
  elseif is_exit(err) then
    self:finish(err.reason)
  else
    self.processes.log("error", "process crashed: " .. tostring(err), { pid = self.pid })
    self:finish("crashed")
  end
end

--- Start a process that runs fn, and ends when fn returns or raises.
---@param fn function
---@return integer pid
function Processes:spawn(fn, ...)
  if type(fn) ~= "function" then
    error("spawn: needs a function, got " .. type(fn), 2)
  end
  local process = new_process(self, {})
  local took_s = self.loop:spawn(run_spawned, process, fn, ...)
  if took_s then
    self.watchdog:stretch(process, took_s)
  end
  return process.pid
end

-- Processes that serve.

--- Open a process that serves posted work one item after another, and its mailbox between them.
---@param server {on_work: fun(self, item), on_message: fun(self, message),
---  on_exit: fun(self, reason), on_crash: fun(self, err: string), on_rest: fun(self)} on_rest: it
---  has ended, and no callback of it is under way any more
---@param executor {spawn: fun(self, fn: function, ...)}|nil what runs its tasks; default: the loop
---@return presence.Process
function Processes:open(server, executor)
  return new_process(self, {
    server_ = server, executor_ = executor or self.loop,
  })
end

-- A process that sends to itself, or is fed by others as fast as it reads, would keep everybody
-- else waiting: after so many messages it lets the loop go round once.
local max_messages_in_a_row = 1000

local function give_way(self)
  self.in_a_row_ = (self.in_a_row_ or 0) + 1
  if self.in_a_row_ > max_messages_in_a_row then
    self.in_a_row_ = 0
    self.processes.loop:signal():wait(0)
  end
end

local function serve(self)
  local server = self.server_
  local item = take_work_item(self)
  repeat
    if item ~= nil then
      server:on_work(item)
    end
    local message = nil
    if self.alive then
      message = take_message(self)
    end
    if message ~= nil then
      server:on_message(message)
      give_way(self)
    end
    item = take_work_item(self)
  until item == nil and message == nil
end

local function serve_until_idle(self)
  if self.busy_ then
    return
  end
  self.busy_ = true
  while has_work(self) or (self.alive and has_message(self)) do
    local ok, err = run(self, serve, self)
    if not ok and not (is_exit(err) and not self.alive) then
      self.server_:on_crash(tostring(err))
    end
  end
  self.busy_, self.in_a_row_ = false, 0
  if not self.alive then
    self.server_:on_rest()
  end
end

local function begin_to_serve(self)
  return self.executor_:spawn(serve_until_idle, self)
end

--- The process's turn, asked for by `wake_later`.
function Process:turn()
  self.woken_ = false
  if not self.busy_ then
    self.processes.watchdog:time(self, begin_to_serve)
  end
end

local function wake_later(self)
  if not (self.busy_ or self.woken_) then
    self.woken_ = true
    self.processes.turn:add("run", self)
  end
end

--- Give a serving process work, and let it begin at once when it is idle.
function Process:post_now(item)
  push_work(self, item)
  if not self.busy_ then
    self.processes.watchdog:time(self, begin_to_serve)
  end
end

--- Give a serving process work for the end of the turn: from inside somebody else's callback.
function Process:post(item)
  push_work(self, item)
  wake_later(self)
end

--- Take back the work that has not begun.
---@return any[] items
function Process:take_work()
  local items = {}
  for item in take_work_item, self do
    items[#items + 1] = item
  end
  return items
end

--- How much work has not begun.
---@return integer
function Process:work_length()
  return (self.next_ ~= nil and 1 or 0) + (self.work_ and length(self.work_) or 0)
end

--- Is a callback of this process under way, running or waiting?
---@return boolean
function Process:is_busy()
  return self.busy_ == true
end

--- Is a callback of this process under way that waits for something?
---@return boolean
function Process:is_waiting()
  return self.busy_ == true and M.current() ~= self
end

-- What users call.

--- The pid of the process that runs, or nil outside of one.
---@return integer|nil
function M.self()
  local process = M.current()
  return process and process.pid
end

--- Put a message into a process's mailbox. To a pid that has ended: nothing happens.
---@param pid integer|string a pid or a name
---@param message any anything but nil
---@return boolean delivered
function Processes:send(pid, message)
  if message == nil then
    error("send: the message is nil", 2)
  end
  local process = self:get(pid)
  if not process then
    return false
  end
  process.mailbox_ = process.mailbox_ or queue.new()
  push(process.mailbox_, message)
  self.watchdog:mailbox(process, length(process.mailbox_))
  if process.signal_ then
    process.signal_:post()
  elseif process.server_ then
    wake_later(process)
  end
  return true
end

-- A process that has ended is unwound by an error. One that catches it and receives again, over and
-- over, would spin for ever: after so many times its task stops where it is.
local max_receives_after_end = 1000

local function unwind(process)
  process.unwound_ = (process.unwound_ or 0) + 1
  if process.unwound_ > max_receives_after_end then
    process.processes.log("error", "a process that has ended goes on to receive: it catches the"
      .. " error that ends it; its task is stopped", { pid = process.pid, topic = process.topic })
    process.processes.loop:signal():wait() -- nobody posts it
  end
  error(setmetatable({ reason = process.exit_reason }, Exit), 0)
end

--- The next message of the calling process's mailbox; waits for one. Raises once the process has
--- ended: let that error through.
---@param timeout_s number|nil
---@return any message or nil, "timeout"
function M.receive(timeout_s)
  local process = current_or_raise "receive"
  if timeout_s ~= nil and (type(timeout_s) ~= "number" or timeout_s ~= timeout_s) then
    error("receive: timeout_s must be a number", 2)
  end
  local loop = process.processes.loop
  local deadline = timeout_s and loop:now() + timeout_s
  if has_message(process) then
    give_way(process)
  end
  while true do
    if not process.alive then
      unwind(process)
    end
    local message = take_message(process)
    if message ~= nil then
      return message
    end
    local left = deadline and deadline - loop:now()
    if left and left <= 0 then
      return nil, "timeout"
    end
    process.signal_ = loop:signal()
    process.signal_:wait(left)
    process.signal_, process.in_a_row_ = nil, 0
  end
end

--- Be told of a process's end: `{event = "down", pid, reason, ref}` comes into the caller's
--- mailbox, at once with the reason "noproc" when there is no such process.
---@param pid integer|string a pid or a name
---@return integer ref
function Processes:monitor(pid)
  return self.monitors_:watch(current_or_raise "monitor", pid)
end

--- End a process. One that waits in `receive` is unwound; the caller itself does not return.
---@param pid integer|string|nil a pid or a name; default: the calling process
---@param reason any default "normal"
---@return boolean ended false when there was no such process
function Processes:exit(pid, reason)
  local current = M.current()
  local process
  if pid == nil then
    process = current_or_raise "exit"
  else
    process = self:get(pid)
  end
  if not process then
    return false
  end
  if reason == nil then
    reason = "normal"
  end
  if process.server_ then
    process.server_:on_exit(reason)
  else
    process:finish(reason)
  end
  if process == current then
    error(setmetatable({ reason = reason }, Exit), 0)
  end
  return true
end

--- Was this pid given out by this runtime, to a process that has ended since?
---@return boolean
function Processes:has_ended(pid)
  return type(pid) == "number" and pid >= first_pid and pid < self.next_pid_
    and self.by_pid_[pid] == nil
end

--- What the process of that pid was opened for (see `open`), or nil.
function Processes:server_of(pid)
  local process = self.by_pid_[pid]
  return process and process.server_
end

--- The process that a pid or a name stands for.
---@param pid integer|string|nil
---@return presence.Process|nil
function Processes:get(pid)
  return self.by_pid_[pid] or self.registry:find(pid)
end

---@param opts {loop: table, turn: presence.Turn, log: function, runtime: table,
---  watchdog: presence.Watchdog}
---@return presence.Processes
function M.new(opts)
  local self = setmetatable({
    loop = opts.loop,
    turn = opts.turn,
    watchdog = opts.watchdog,
    log = opts.log,
    runtime = opts.runtime,
    on_exit = function() end,
    registry = registry.new(),
    by_pid_ = {},
    next_pid_ = first_pid,
  }, Processes)
  self.monitors_ = monitors.new(self)
  self.loop.on_wait = on_wait
  return self
end

return M
