--- The light threads of one request, which run tasks. A coroutine belongs to its request, so a task
-- runs where its executor is, whoever asks for it; and what ngx_lua keeps of a light thread is
-- freed with its request only, so threads are parked and used again.
--
-- A task begins at once, although no request can resume a thread of another one: whoever spawns
-- posts the semaphore of a parked thread and waits until that thread, which nginx runs next, lets
-- go by waiting for something. There is always one parked thread more than there are tasks, because
-- only a thread of the same request can start another.

local clock = require "presence.nginx.clock"
local light_thread = require "presence.nginx.light_thread"

local running = coroutine.running
local take_semaphore, give_semaphore = light_thread.take_semaphore, light_thread.give_semaphore
local may_wait, forever_s = light_thread.may_wait, light_thread.forever_s

-- nginx runs a posted thread in the cycle under way. One that has not begun after this time never
-- will: its request was ended by `ngx.exit` or the like.
local start_timeout_s = 1

local M = {}

---@class presence.nginx.Executor
---@field active integer tasks that run, wait, or are about to begin
---@field threads integer
---@field on_idle fun()|nil called whenever the last task has ended
---@field on_ended fun()|nil called when its request turns out to have been ended by a callback
---@field private idle_ presence.nginx.Thread[] parked
---@field private queue_ table jobs that no thread has taken yet
local Executor = {}
Executor.__index = Executor

---@class presence.nginx.Thread
---@field sem table what it waits on
---@field job table|nil

-- coroutine → the thread that runs a task in it.
local thread_of = setmetatable({}, { __mode = "k" })

--- The thread whose task is running, or nil.
---@return presence.nginx.Thread|nil
function M.current()
  local co = running()
  return co and thread_of[co]
end

-- The job whose first stretch is under way, from its begin to its first wait. That it waits for
-- something of nginx's own shows only in that another thread runs.
local on_stage

--- Said by threads that have been woken: whoever ran before has let go.
function M.note_switch()
  if on_stage then
    on_stage.let_go_at = clock.now()
    on_stage = nil
  end
end

local note_switch = M.note_switch

local function shift(queue)
  local job = queue[queue.first]
  if job then
    queue[queue.first] = nil
    queue.first = queue.first + 1
    if queue.first > queue.last then
      queue.first, queue.last = 1, 0
    end
  end
  return job
end

local function push(queue, job)
  queue.last = queue.last + 1
  queue[queue.last] = job
end

-- The next job of a thread; waits for one. nil: the executor has closed.
local function next_job(self, thread)
  local job = shift(self.queue_)
  if job or self.closed_ then
    return job
  end
  self.idle_[#self.idle_ + 1] = thread
  repeat
    thread.sem:wait(forever_s)
  until thread.job or self.closed_
  job, thread.job = thread.job, nil
  return job
end

local work

local function keep_one_parked(self)
  if #self.idle_ == 0 and not self.closed_ then
    ngx.thread.spawn(work, self)
  end
end

local function with_traceback(err)
  return type(err) == "string" and debug.traceback(err, 2) or err
end

local function run(self, thread, job)
  thread.job = job
  local starter = job.starter
  if starter then
    starter:post()
  end
  note_switch()
  on_stage, job.began_at = job, clock.now()
  local ok, err = xpcall(job.fn, with_traceback, unpack(job, 1, job.n))
  thread.job = nil
  job.is_spawning = false
  if on_stage == job then
    note_switch()
  end
  if not ok then
    self.on_error_(err)
  end
  self.active = self.active - 1
  if self.active == 0 and self.on_idle then
    self.on_idle()
  end
end

function work(self)
  local thread = { sem = take_semaphore() }
  local co = running()
  thread_of[co] = thread
  self.threads = self.threads + 1
  local job = next_job(self, thread)
  while job do
    keep_one_parked(self)
    run(self, thread, job)
    job = next_job(self, thread)
  end
  self.threads = self.threads - 1
  thread_of[co] = nil
  give_semaphore(thread.sem)
end

local function hand_over(self, job)
  local thread = table.remove(self.idle_)
  if thread then
    thread.job = job
    thread.sem:post()
  else
    push(self.queue_, job)
  end
end

-- Wait until the job has come to its first wait or to its end. How long that took of the worker's
-- time, whatever else ran meanwhile.
local function let_begin(self, job)
  local spawner = M.current()
  local own_job = spawner and spawner.job
  local was_on_stage = own_job and on_stage == own_job
  note_switch()
  if own_job then
    own_job.is_spawning = true
  end
  local starter = take_semaphore()
  job.starter = starter
  hand_over(self, job)
  local posted
  repeat
    -- A job that spawns lets go as well; it has not come to a wait of its own then.
    posted = starter:wait(start_timeout_s)
    note_switch()
  until not (posted and job.is_spawning)
  job.starter = nil
  if posted then
    give_semaphore(starter)
  else
    self.closed_ = true
    self.on_error_("a task does not begin: its request was ended by a callback (ngx.exit?)")
    if self.on_ended then
      self.on_ended()
    end
  end
  if own_job then
    own_job.is_spawning = false
    if own_job.starter then
      own_job.starter:post()
    end
    if was_on_stage then
      own_job.began_at = own_job.began_at + clock.now() - own_job.let_go_at
      on_stage = own_job
    end
  end
  return job.began_at and job.let_go_at - job.began_at
end

--- Runs `fn(...)` in a task, at once, until it first waits; where the running code may not wait
--- itself, soon. An error in it goes to the loop's `on_error`.
---@param fn function
---@param ... any
---@return number|nil took_s how long it ran up to then, where that is known
function Executor:spawn(fn, ...)
  if type(fn) ~= "function" then
    error("spawn: expected a function, got " .. type(fn), 2)
  end
  if self.closed_ then
    -- The request has ended; the work that is left over goes where work of nobody's goes.
    return self.fallback_ and self.fallback_:spawn(fn, ...)
  end
  local job = { fn = fn, n = select("#", ...), ... }
  self.active = self.active + 1
  if self.threads > 0 and may_wait() then
    return let_begin(self, job)
  end
  hand_over(self, job)
end

--- Does `spawn` still run tasks in the request of this executor?
---@return boolean
function Executor:is_open()
  return not self.closed_
end

--- Starts the first thread. Called once, in the request that the executor is to run tasks in.
function Executor:open()
  ngx.thread.spawn(work, self)
end

--- Lets the threads end; tasks that are under way come to their end first.
function Executor:close()
  self.closed_ = true
  local idle = self.idle_
  self.idle_ = {}
  for i = 1, #idle do
    idle[i].sem:post()
  end
end

---@param on_error fun(err: any)
---@param fallback presence.nginx.Executor|nil runs what is spawned after `close`
---@return presence.nginx.Executor
function M.new(on_error, fallback)
  return setmetatable({
    active = 0,
    threads = 0,
    idle_ = {},
    queue_ = { first = 1, last = 0 },
    closed_ = false,
    on_error_ = on_error,
    fallback_ = fallback,
  }, Executor)
end

return M
