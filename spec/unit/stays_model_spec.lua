-- Random connections of a few keys: they track, update, untrack, end in every way, are lost and
-- come back. Whatever happens, the callbacks tell a story that a listener can follow: a stay of a
-- key has one `first` and one `last`, and what was told adds up to what is true.
local manual_loop = require "presence.manual.loop"
local presence = require "presence"

local seeds = tonumber(os.getenv "PRESENCE_SEEDS") or 20
local first_seed = tonumber(os.getenv "PRESENCE_SEED") or 1
local steps = 600
local topics, keys = { "room:1", "room:2" }, { "ann", "bob", "cid" }

-- A generator of our own, so that a seed means the same run under every interpreter.
local function new_random(seed)
  local state = seed % 2147483647
  return function(n)
    state = (state * 48271) % 2147483647
    return state % n + 1
  end
end

-- The listener: (topic, key) → the metas there by what was told, and whether a stay is under way.
local Story = {}
Story.__index = Story

local function place_of(metas, meta)
  for i, one in ipairs(metas) do
    if one == meta then
      return i
    end
  end
end

function Story:key_of(event)
  local name = event.topic .. " " .. event.key
  self.keys[name] = self.keys[name] or { metas = {}, stays = 0, ends = 0 }
  return self.keys[name]
end

function Story.check_common(event, key, now)
  assert.equal(now, event.at)
  assert.equal(#key.metas, event.entry and presence.entry_count(event.entry) or 0)
end

function Story:on_join(event)
  local key = self:key_of(event)
  assert.equal(#key.metas == 0, event.first)
  assert.is_false(event.last)
  assert.is_nil(event.old_meta)
  assert.is_nil(event.reason)
  key.metas[#key.metas + 1] = event.meta
  key.stays = key.stays + (event.first and 1 or 0)
  self.check_common(event, key, self.now())
end

function Story:on_update(event)
  local key = self:key_of(event)
  local place = assert(place_of(key.metas, event.old_meta), "an update of what was not told")
  key.metas[place] = event.meta
  assert.is_false(event.first)
  assert.is_false(event.last)
  assert.is_nil(event.reason)
  self.check_common(event, key, self.now())
end

local reasons = { left = true, closed = true, crashed = true, timeout = true }

function Story:on_leave(event)
  local key = self:key_of(event)
  table.remove(key.metas, assert(place_of(key.metas, event.meta), "a leave of what was not told"))
  assert.is_false(event.first)
  assert.equal(#key.metas == 0, event.last)
  assert.is_true(reasons[event.reason])
  key.ends = key.ends + (event.last and 1 or 0)
  self.check_common(event, key, self.now())
end

function Story:check(rt)
  for _, topic in ipairs(topics) do
    local told, truth = {}, {}
    for _, name in ipairs(keys) do
      local key = self.keys[topic .. " " .. name]
      for _, meta in ipairs(key and key.metas or {}) do
        told[#told + 1] = name .. meta
      end
    end
    for _, pair in ipairs(rt.list(topic)) do
      truth[#truth + 1] = pair[1] .. pair[2]
    end
    table.sort(told)
    table.sort(truth)
    assert.same(truth, told)
  end
  for _, key in pairs(self.keys) do
    assert.equal(#key.metas > 0 and 1 or 0, key.stays - key.ends)
  end
end

local function new_run(seed)
  local run = { random = new_random(seed), loop = manual_loop.new(), pids = {}, metas = 0 }
  local story = setmetatable({ keys = {} }, Story)
  local faults = {}
  local opts = {
    loop = run.loop,
    leave_after = seed % 2 * 0.5,
    leaves = seed % 4 < 2 and "last" or "each",
    log = function(level, message, fields)
      -- A callback that raises is logged: here that is a fault of the story.
      if message:find "raised" then
        faults[#faults + 1] = level .. ": " .. message .. " " .. tostring(fields.topic)
      end
    end,
  }
  for _, name in ipairs { "on_join", "on_update", "on_leave" } do
    opts[name] = function(event)
      story[name](story, event)
    end
  end
  run.rt, run.story, run.faults = presence.new(opts), story, faults
  function story.now()
    return run.loop:time()
  end
  return run
end

local function new_meta(run)
  run.metas = run.metas + 1
  return { n = run.metas }
end

local function spawn(run)
  local process = run.rt.process
  run.pids[#run.pids + 1] = process.spawn(function()
    local order = process.receive()
    if order == "crash" then
      error "crash, as it was asked to"
    end
  end)
end

local function socket(run, pid)
  return { topic = topics[run.random(#topics)], pid = pid }
end

-- What may happen to a pid. Those that end it take it out of the list.
local function track(run, pid)
  local opts = run.random(4) == 1 and { leave_after = run.random(3) - 1 } or nil
  run.rt.put(socket(run, pid), keys[run.random(#keys)], new_meta(run), opts)
end

local function update(run, pid)
  run.rt.update(socket(run, pid), keys[run.random(#keys)], new_meta(run))
end

local function untrack(run, pid)
  run.rt.untrack(socket(run, pid), run.random(3) > 1 and keys[run.random(#keys)] or nil)
end

local ends = {
  function(run, pid) run.rt.process.exit(pid, "normal") end,
  function(run, pid) run.rt.process.exit(pid, "broken") end,
  function(run, pid) run.rt.process.exit(pid, "closed") end,
  function(run, pid) run.rt.process.send(pid, "crash") end,
}

local function act(run)
  local random = run.random
  local what = random(12)
  if #run.pids == 0 or what == 1 then
    return spawn(run)
  end
  local place = random(#run.pids)
  local pid = run.pids[place]
  if what <= 5 then
    track(run, pid)
  elseif what == 6 then
    update(run, pid)
  elseif what == 7 then
    untrack(run, pid)
  elseif what <= 9 then
    ends[random(#ends)](run, pid)
    table.remove(run.pids, place)
  else
    run.loop:advance(random(40) / 100)
  end
end

local function check_run(seed)
  local run = new_run(seed)
  local turns = 0
  for _ = 1, steps do
    act(run)
    if run.random(3) == 1 then
      run.loop:turn()
      run.story:check(run.rt)
      turns = turns + 1
    end
    assert.same({}, run.faults)
  end
  for _, pid in ipairs(run.pids) do
    run.rt.process.exit(pid, "broken")
  end
  run.loop:advance(3)
  run.story:check(run.rt)
  assert.same({}, run.rt.topics())
  assert.is_true(run.rt.tracker.holdings:is_empty())
  assert.equal(0, run.loop:pending())
  local stays = 0
  for _, key in pairs(run.story.keys) do
    stays = stays + key.stays
  end
  assert.is_true(stays > 5 and turns > 100, "hardly anything happened")
end

describe("a stay", function()
  for seed = first_seed, first_seed + seeds - 1 do
    it("has one first and one last (seed " .. seed .. ")", function()
      check_run(seed)
    end)
  end
end)
