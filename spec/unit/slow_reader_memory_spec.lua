-- What clients that stop reading cost, in bytes: of old versions that are kept for them, and of
-- messages that wait for them.
local client = require "presence.client"
local core = require "presence.core"
local json = require "cjson"
local presence = require "presence"
local testing = require "presence.testing"

local MiB = 1024 * 1024

-- What is alive in C once nobody refers to what was dropped.
local function live_bytes()
  collectgarbage()
  collectgarbage()
  local s = core.new_state()
  while core.heap_usage().work_waits do
    s:track("t", "k", 1, "1")
  end
  collectgarbage()
  return core.heap_usage().live_bytes
end

-- A client that is no more than its messages: those of thousands need no mirrors.
local function new_reader(t)
  local reader = { messages = {}, is_reading = true }
  local waiting = {}
  local connection = assert(t.endpoint:connect({
    path = "/socket/websocket", query = { vsn = "2.0.0" }, headers = {},
  }, {
    framing = "message",
    send = function(data)
      local list = reader.is_reading and reader.messages or waiting
      list[#list + 1] = data
      return reader.is_reading
    end,
    close = function(code)
      reader.closed = code
    end,
  }))
  reader.connection = connection

  -- The next frame, an answer to a heartbeat, shows the server that it does not read.
  function reader.stop()
    reader.is_reading, reader.messages = false, {}
    connection:receive '[null,"9","phoenix","heartbeat",{}]'
    t.loop:turn()
  end

  -- What of the topic came since it stopped.
  function reader.read_on()
    reader.is_reading = true
    connection:drained()
    t.loop:turn()
    local seen = {}
    for _, text in ipairs(reader.messages) do
      if text:find('"room:1"', 1, true) then
        seen[#seen + 1] = text
      end
    end
    return seen
  end

  connection:receive '["1","1","room:1","phx_join",{}]'
  t.loop:turn()
  reader.state = reader.messages[2]
  return reader
end

local function new_test(opts)
  return testing.new(presence.endpoint {
    channels = { ["room:*"] = presence.channel() },
    idle_timeout_s = false, unread_timeout_s = false,
  }, opts)
end

local function socket(n)
  return { topic = "room:1", pid = "p" .. n }
end

local function come(t, n, text)
  assert(t.runtime.track(socket(n), "k" .. n, { n = n, text = text }))
end

local function go(t, n)
  assert.equal(1, t.runtime.untrack(socket(n), "k" .. n))
end

local function populate(t, present, text)
  for n = 1, present do
    come(t, n, text)
  end
  t:advance(1)
end

-- The topic keeps its size while `churned` come and as many go; `look` is called now and then.
local function churn(t, present, churned, look)
  for n = 1, churned do
    come(t, present + n)
    go(t, n)
    if n % 25 == 0 then
      t:advance(0.06)
    end
    if n % (churned / 40) == 0 then
      look(n)
    end
  end
  t:advance(1)
end

local function truth_of(t)
  return core.wire_state_json(t.runtime.snapshot(), "room:1")
end

-- The payload of a message.
local function payload_of(text, event)
  local _, last = text:find('"room:1","' .. event .. '",', 1, true)
  assert.is_truthy(last, "not " .. event .. ": " .. text:sub(1, 80))
  return text:sub(last + 1, -2)
end

-- Bytes alive at every look, with so many readers who stop: all before the first change, or one
-- with each that goes.
local function run(present, churned, slow_count, opts, text)
  opts = opts or {}
  local t = new_test { max_behind_bytes = opts.max_behind_bytes }
  local result = { t = t, readers = {}, looks = {}, quick = new_reader(t) }
  populate(t, present, text)
  for i = 1, slow_count do
    result.readers[i] = new_reader(t)
  end
  t:advance(1)
  local stopped = 0
  local function stop(count)
    for i = stopped + 1, math.min(count, slow_count) do
      result.readers[i].stop()
    end
    stopped = math.max(stopped, count)
  end
  if not opts.one_by_one then
    stop(slow_count)
  end
  result.quick.messages = {}
  churn(t, present, churned, function(n)
    stop(opts.one_by_one and math.floor(n / opts.one_by_one) or slow_count)
    result.looks[#result.looks + 1] = live_bytes()
  end)
  return result
end

-- How much more was alive than in a run without slow readers, at most.
local function most_kept(result, without)
  local most = 0
  for i, bytes in ipairs(result.looks) do
    most = math.max(most, bytes - without[i])
  end
  return most
end

local function waiting_bytes(result)
  local bytes = 0
  for _, reader in ipairs(result.readers) do
    bytes = bytes + reader.connection.outbox.queue:bytes()
  end
  return bytes
end

-- Each gets one fresh state, to the byte.
local function expect_state(result)
  local truth = truth_of(result.t)
  for _, reader in ipairs(result.readers) do
    local seen = reader.read_on()
    assert.equal(1, #seen)
    assert.equal(truth, payload_of(seen[1], "presence_state"))
    assert.is_nil(reader.closed)
  end
end

-- Each gets one diff, which makes what it knew what is true.
local function expect_diff(result)
  local truth = client.sync_state(json.decode(truth_of(result.t)))
  for _, reader in ipairs(result.readers) do
    local mirror = client.sync_state(json.decode(payload_of(reader.state, "presence_state")))
    local seen = reader.read_on()
    assert.equal(1, #seen)
    client.sync_diff(mirror, json.decode(payload_of(seen[1], "presence_diff")))
    assert.same(truth, mirror)
    assert.is_nil(reader.closed)
  end
end

describe("readers that stop", function()
  local function compare(present, churned, slow_count, opts, text)
    local base = run(present, churned, 0, opts, text)
    local looks, quick = base.looks, base.quick.messages
    base = nil -- luacheck: ignore 311
    local result = run(present, churned, slow_count, opts, text)
    assert.equal(#quick, #result.quick.messages, "the others noticed")
    assert.equal(0, waiting_bytes(result))
    return result, most_kept(result, looks)
  end

  it("during 10,000 joins and leaves on a topic of 1,000 keep no more than the bound", function()
    local result, kept = compare(1000, 10000, 1)
    assert.is_true(kept <= MiB, kept .. " bytes kept")
    expect_state(result)
  end)

  it("or, where the bound is larger, get one diff", function()
    local result, kept = compare(1000, 10000, 1, { max_behind_bytes = 100 * MiB })
    assert.is_true(kept > 0 and kept <= 100 * MiB, kept .. " bytes kept")
    expect_diff(result)
  end)

  it("a hundred of them on a topic of 10,000 share what is kept", function()
    local result, kept = compare(10000, 2000, 100)
    assert.is_true(kept <= MiB, kept .. " bytes kept")
    expect_state(result)
  end)

  it("a hundred who stop one after another keep little more", function()
    local result, kept = compare(10000, 3000, 100, { one_by_one = 10 })
    assert.is_true(kept <= MiB, kept .. " bytes kept")
    expect_state(result)
  end)

  it("keep no more where what leaves is large", function()
    local result, kept = compare(400, 400, 1, nil, ("x"):rep(10000))
    assert.is_true(kept > 0.5 * MiB and kept <= MiB, kept .. " bytes kept")
    expect_state(result)
  end)
end)
