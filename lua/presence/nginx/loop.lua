--- The loop contract inside an nginx worker. One light thread, in a request of the worker's own
-- that lives as long as the loop, fires all timers and runs what is deferred; it sleeps on a
-- semaphore. nginx wakes those whose semaphore was posted once it has read all sockets that had
-- something, so this thread comes after all input in hand: that is the end of a turn.

local clock = require "presence.nginx.clock"
local executor = require "presence.nginx.executor"
local guarded = require "presence.guarded"
local light_thread = require "presence.nginx.light_thread"
local signal = require "presence.nginx.signal"
local timers = require "presence.timers"

local ceil, max, min = math.ceil, math.max, math.min
local forever_s = light_thread.forever_s

-- Deferred functions that keep deferring, and tasks that keep waking each other, must not starve
-- input: after so many of them nginx gets control back.
local max_deferred_a_turn = 100000
local max_turns_a_cycle = 1000
local pause_s = 0.001 -- the shortest sleep that goes through nginx's event loop
-- A socket that always has something to read never makes its thread wait: past so many bytes in one
-- cycle, of all sockets, whoever reads gives way.
local max_read_bytes_a_cycle = 64 * 1024
-- Nothing that `enter` surrounds waits for longer than a cycle. What seems to has been ended inside
-- of it, together with its request: by a callback that called `ngx.exit`.
local max_entered_s = 0.2
-- A timer so far away that only the end of the worker calls it, with `premature`.
local end_of_worker_s = 10 * 365 * 86400

---@class presence.nginx.Loop
---@field name "nginx"
---@field on_error fun(err: any)
---@field exiting boolean the worker has been told to end
local Loop = { name = "nginx" }
Loop.__index = Loop

local function log_error(err)
  ngx.log(ngx.ERR, "presence: ", tostring(err))
end

local call_guarded = guarded.new(log_error)

local function report(loop, err)
  guarded.report(loop, err, log_error)
end

-- Turns.

local function ask_for_turn(loop)
  if not (loop.awake_ or loop.asked_) then
    loop.asked_ = true
    loop.sem_:post()
  end
end

local function has_deferred(loop)
  return loop.deferred_.first <= loop.deferred_.last
end

local function push_deferred(loop, item)
  local deferred = loop.deferred_
  deferred.last = deferred.last + 1
  deferred[deferred.last] = item
  if loop.entered_ == 0 then
    ask_for_turn(loop)
  end
end

local function drain(loop)
  local deferred = loop.deferred_
  for _ = 1, max_deferred_a_turn do
    -- Whoever is inside of `enter` still handles input, and asks for a turn when that is done.
    if loop.entered_ > 0 or not has_deferred(loop) then
      return
    end
    local item = deferred[deferred.first]
    deferred[deferred.first] = nil
    deferred.first = deferred.first + 1
    if not has_deferred(loop) then
      deferred.first, deferred.last = 1, 0
    end
    if type(item) == "table" then
      item.sem:post() -- a thread whose signal was posted
    else
      call_guarded(loop, item)
    end
  end
end

local function fire(loop)
  local now = loop:now()
  local fn = loop.timers_:pop_due(now)
  while fn do
    call_guarded(loop, fn)
    fn = loop.timers_:pop_due(now)
  end
end

-- nginx notes the time once a cycle of its event loop. Cycles within one millisecond count as one.
local function note_cycle(loop)
  local cycle = ngx.now()
  if cycle ~= loop.cycle_ then
    loop.cycle_, loop.turns_, loop.read_bytes_ = cycle, 0, 0
  end
end

-- Have tasks kept each other busy for many turns without any input?
local function needs_pause(loop)
  note_cycle(loop)
  loop.turns_ = loop.turns_ + 1
  return loop.turns_ > max_turns_a_cycle
end

local function forget_entered(loop)
  if loop.entered_ > 0 and loop:now() - loop.entered_at_ > max_entered_s then
    loop.entered_, loop.generation_ = 0, loop.generation_ + 1
    report(loop, "a request was ended in the middle of a turn, by a callback that called ngx.exit?")
  end
end

-- How long the thread may sleep: while there is input it looks after those who enter.
local function longest_sleep_s(loop)
  loop.is_watched_ = loop.enters_ ~= loop.enters_seen_ or loop.entered_ > 0
  loop.enters_seen_ = loop.enters_
  return loop.is_watched_ and max_entered_s or forever_s
end

local function sleep_until_asked(loop)
  local at = loop.timers_:next_at()
  local delay_s = min(longest_sleep_s(loop), at and at - loop:now() or forever_s)
  local has_work = loop.entered_ == 0 and has_deferred(loop)
  if has_work or delay_s <= 0 or needs_pause(loop) then
    loop.turns_ = 0
    ngx.sleep(pause_s)
    return
  end
  loop.armed_for_ = at
  loop.awake_ = false
  loop.sem_:wait(max(pause_s, ceil(delay_s * 1000) / 1000))
  executor.note_switch()
  loop.awake_, loop.asked_ = true, false
end

local function run(loop)
  loop.awake_ = true
  loop.executor_:open()
  loop.ready = true
  while not loop.closed_ do
    forget_entered(loop)
    drain(loop) -- what woken tasks left comes before timers that are due since
    fire(loop)
    drain(loop)
    sleep_until_asked(loop)
  end
  loop.ready = false
  loop.executor_:close()
  ngx.exit(ngx.OK) -- the tasks that are left end with this request
end

--- Called by whoever has read bytes and handled them, before it reads on: lets nginx look after the
--- other sockets when there were many. Only where it may wait.
---@param bytes integer
function Loop:give_way(bytes)
  note_cycle(self)
  self.read_bytes_ = self.read_bytes_ + bytes
  if self.read_bytes_ > max_read_bytes_a_cycle then
    ngx.sleep(pause_s)
  end
end

--- Calls `fn(...)` in the running thread as part of a turn, which does not end before it returns.
--- An error in it goes to `on_error`.
---@param fn function
---@param ... any
function Loop:enter(fn, ...)
  if self.entered_ == 0 then
    self.entered_at_ = self:now()
    if not self.is_watched_ then
      ask_for_turn(self)
    end
  end
  local generation = self.generation_
  self.entered_, self.enters_ = self.entered_ + 1, self.enters_ + 1
  call_guarded(self, fn, ...)
  if generation == self.generation_ then
    self.entered_ = self.entered_ - 1
  end
  if self.entered_ == 0 and has_deferred(self) then
    ask_for_turn(self)
  end
end

local log_levels = { debug = ngx.DEBUG, info = ngx.INFO, warn = ngx.WARN, error = ngx.ERR }

--- Writes a line into nginx's error log.
---@param level "debug"|"info"|"warn"|"error"
---@param line string
function Loop.write_log(level, line)
  ngx.log(log_levels[level] or ngx.ERR, "presence: ", line)
end

-- The contract.

--- Seconds on a clock that never goes back.
---@return number
function Loop.now(_)
  return clock.now()
end

--- Seconds since 1970.
---@return number
function Loop.time(_)
  return clock.time()
end

--- Runs `fn(...)` in a task of the worker's own request, at once, until it first waits: on a
--- signal, or on anything else that light threads wait for. An error in it goes to `on_error`.
---@param fn function
---@param ... any
---@return number|nil took_s how long it ran up to then, where that is known
function Loop:spawn(fn, ...)
  return self.executor_:spawn(fn, ...)
end

--- An executor for the tasks of one connection: `spawn` as the loop's, but in the request that
--- calls its `open`.
---@return presence.nginx.Executor
function Loop:new_executor()
  return executor.new(function(err) report(self, err) end, self.executor_)
end

--- Calls `fn` in `seconds`, outside of any task; it must not wait. O(log n) of the timers set.
---@param seconds number
---@param fn fun()
---@return presence.Timer
function Loop:after(seconds, fn)
  local timer, at = self.timers_:after(self:now(), seconds, fn)
  if not (self.armed_for_ and self.armed_for_ <= at) then
    ask_for_turn(self)
  end
  return timer
end

--- Calls `fn` once at the end of the turn; what is deferred meanwhile belongs to the same end.
---@param fn fun()
function Loop:defer(fn)
  push_deferred(self, fn)
end

--- Lets a thread go on at the end of the turn: whoever wakes it is in the middle of something.
---@param thread presence.nginx.Thread
function Loop:wake(thread)
  push_deferred(self, thread)
end

--- A signal for one waiting task. A post before the wait is remembered; posts do not add up.
---@return presence.nginx.Signal
function Loop:signal()
  return signal.new(self)
end

-- The end.

--- Has `fn` called when the worker is told to end, before the loop does. `fn` is given a function
--- to call when nothing keeps the loop any longer.
---@param fn fun(done: fun())
function Loop:on_worker_end(fn)
  self.enders_[#self.enders_ + 1] = fn
end

--- Ends the loop and every task of its own; it is of no use after. Twice is harmless.
function Loop:close()
  if not self.closed_ then
    self.closed_ = true
    self.awake_ = false
    ask_for_turn(self)
  end
end

-- In a zero timer: what is posted from a premature one wakes nobody.
local function end_of_worker(_, loop)
  loop.exiting = true
  local left = #loop.enders_
  local function done()
    left = left - 1
    if left <= 0 then
      loop:close()
    end
  end
  if left == 0 then
    done()
  end
  for _, ender in ipairs(loop.enders_) do
    call_guarded(loop, ender, done)
  end
end

local function watch_worker(loop)
  assert(ngx.timer.at(end_of_worker_s, function(premature)
    if premature and not loop.closed_ then
      local ok, err = ngx.timer.at(0, end_of_worker, loop)
      if not ok then
        log_error("the worker ends without a drain: " .. tostring(err))
      end
    end
  end))
end

local M = {}

---@class presence.nginx.LoopOptions
---@field on_error? fun(err: any) errors of tasks and callbacks; default: into nginx's log

--- A loop of this worker. What is spawned or deferred before nginx has started its thread waits
--- for that.
---@param opts? presence.nginx.LoopOptions
---@return presence.nginx.Loop
function M.new(opts)
  local loop = setmetatable({
    on_error = opts and opts.on_error or log_error,
    deferred_ = { first = 1, last = 0 },
    enders_ = {},
    entered_ = 0,
    entered_at_ = 0,
    generation_ = 0,
    enters_ = 0,
    enters_seen_ = 0,
    is_watched_ = false,
    turns_ = 0,
    read_bytes_ = 0,
    timers_ = timers.new(),
    sem_ = light_thread.take_semaphore(),
    awake_ = false,
    asked_ = false,
    closed_ = false,
    ready = false,
    exiting = false,
  }, Loop)
  loop.executor_ = executor.new(function(err) report(loop, err) end)
  local ok, err = ngx.timer.at(0, function(premature)
    if not premature then
      run(loop)
    end
  end)
  if not ok then
    error("nginx gives no timer: " .. tostring(err), 2)
  end
  watch_worker(loop)
  return loop
end

return M
