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

local function new_test()
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

local function run(seed)
  local random = new_random(seed)
  local t, clients, n = new_test(), {}, 0

  local function pick()
    return clients[random(#clients)]
  end

  local actions = {
    function()
      local c = t:client {}
      c:join("room:1", { key = "k" .. random(8) })
      clients[#clients + 1] = c
    end,
    function()
      local i = random(#clients)
      clients[i]:close()
      table.remove(clients, i)
    end,
    function()
      n = n + 1
      pick().protocol:push("room:1", "set", { n = n % 3 })
    end,
    function()
      pick().protocol:push("room:1", "also", { key = "x" .. random(3), n = random(3) })
    end,
    function()
      pick().protocol:push("room:1", random(2) == 1 and "hide" or "show", {})
    end,
    function()
      pick().protocol:push("room:1", "boom", {})
    end,
    function()
      pick():stop_reading()
    end,
    function()
      pick():read_on()
    end,
    function()
      t:advance(random(40) / 1000)
    end,
    function()
      pick().protocol:join("room:1", { key = "k" .. random(8) })
    end,
    function()
      pick().protocol:leave "room:1"
    end,
  }

  for _ = 1, steps do
    if #clients == 0 then
      actions[1]()
    else
      actions[random(#actions)]()
    end
    if random(3) == 1 then
      t:advance(0)
    end
    if random(8) == 1 then
      t:advance(0.06) -- over a flush interval
      check_mirrors(t, clients)
    end
  end
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
  assert.same({}, t.runtime.tracker.by_pid_)
  assert.equal(0, t.loop:pending())
end

describe("mirrors", function()
  for seed = first_seed, first_seed + seeds - 1 do
    it("end exact, whatever happens (seed " .. seed .. ")", function()
      run(seed)
    end)
  end
end)
