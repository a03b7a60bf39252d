-- Random clients against one room: joins, leaves, crashes, updates, slow readers, clocks turned by
-- random amounts. Whatever happens, every mirror ends equal to what the server holds.
local presence = require "presence"
local testing = require "presence.testing"

local seeds = tonumber(os.getenv "PRESENCE_SEEDS") or 20
local first_seed = tonumber(os.getenv "PRESENCE_SEED") or 1
local steps = 300

-- A generator of our own, so that a seed means the same run under every interpreter.
local function new_random(seed)
  local state = seed % 2147483647
  return function(n)
    state = (state * 48271) % 2147483647
    return state % n + 1
  end
end

local function new_test(seed)
  local Room = presence.channel {
    track = function(_, params)
      return params.key, { n = 0 }
    end,
  }
  function Room.handle_in.set(socket, payload)
    socket:update(socket.params.key, { n = payload.n })
    return "ok"
  end
  function Room.handle_in.also(socket, payload)
    socket:put("also:" .. payload.key, { n = payload.n })
  end
  function Room.handle_in.hide(socket)
    socket:untrack()
  end
  function Room.handle_in.show(socket)
    socket:put(socket.params.key, { shown = true })
  end
  function Room.handle_in.boom()
    error "boom"
  end
  return testing.new(presence.endpoint {
    channels = { ["room:*"] = Room },
    max_messages_per_s = false,
    max_outbox_bytes = 100000000,
  }, {
    leave_after = seed % 2 * 0.1, -- in every second run lost connections may come back
    max_behind_bytes = seed % 3 == 0 and 10000 or nil, -- in every third, slow readers are let go
  })
end

local function truth_of(t)
  return t.runtime.json.decode(
    require("presence.core").wire_state_json(t.runtime.snapshot(), "room:1")
  )
end

local function metas_by_ref(entry)
  local metas = {}
  for _, meta in ipairs(entry.metas) do
    metas[meta.phx_ref] = meta
  end
  return metas
end

local function by_ref(mirror)
  local result = {}
  for key, entry in pairs(mirror) do
    result[key] = metas_by_ref(entry)
  end
  return result
end

local function check_mirrors(t, clients)
  local truth = by_ref(truth_of(t))
  for _, c in ipairs(clients) do
    if c.reading and c.protocol.topics_["room:1"] then
      assert.same(truth, by_ref(c:presences "room:1"))
    end
  end
end

-- What may happen. Each gets the run: its test, its clients, its random.
local actions = {
  function(run)
    local c = run.t:client {}
    c:join("room:1", { key = "k" .. run.random(8) })
    run.clients[#run.clients + 1] = c
  end,
  function(run)
    table.remove(run.clients, run.random(#run.clients)):close()
  end,
  function(run)
    run.pick().protocol:push("room:1", "set", { n = run.random(3) })
  end,
  function(run)
    run.pick().protocol:push("room:1", "also", { key = "x" .. run.random(3), n = run.random(3) })
  end,
  function(run)
    run.pick().protocol:push("room:1", run.random(2) == 1 and "hide" or "show", {})
  end,
  function(run)
    run.pick().protocol:push("room:1", "boom", {})
  end,
  function(run)
    run.pick():stop_reading()
  end,
  function(run)
    run.pick():read_on()
  end,
  function(run)
    run.t:advance(run.random(40) / 1000)
  end,
  function(run)
    run.pick().protocol:join("room:1", { key = "k" .. run.random(8) })
  end,
  function(run)
    run.pick().protocol:leave "room:1"
  end,
}

local function act(run)
  local random = run.random
  actions[#run.clients == 0 and 1 or random(#actions)](run)
  if random(3) == 1 then
    run.t:advance(0)
  end
  if random(8) == 1 then
    run.t:advance(0.2) -- over every leave_after, and the flush after it
    check_mirrors(run.t, run.clients)
  end
end

local function check_run(seed)
  local run = { t = new_test(seed), clients = {}, random = new_random(seed) }
  function run.pick()
    return run.clients[run.random(#run.clients)]
  end
  for _ = 1, steps do
    act(run)
  end
  local t, clients = run.t, run.clients
  for _, c in ipairs(clients) do
    c:read_on()
  end
  t:advance(1)
  check_mirrors(t, clients)
  for _, c in ipairs(clients) do
    c:close()
  end
  t:advance(1)
  assert.same({}, truth_of(t))
  assert.same({}, t.runtime.feed.topics_)
  assert.is_true(t.runtime.tracker.holdings:is_empty())
  assert.equal(0, t.loop:pending())
end

describe("mirrors", function()
  for seed = first_seed, first_seed + seeds - 1 do
    it("end exact, whatever happens (seed " .. seed .. ")", function()
      check_run(seed)
    end)
  end
end)
