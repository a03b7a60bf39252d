--- States against plain tables: thousands of random edits, every version ever made checked again.
-- PRESENCE_SEED=… repeats a run; PRESENCE_EDITS=… makes fewer edits, for slow checkers.
local presence = require "presence"

local SEED = tonumber(os.getenv "PRESENCE_SEED") or os.time() % 1000000 + 1
local EDITS = tonumber(os.getenv "PRESENCE_EDITS") or 10000
print("model_spec: PRESENCE_SEED=" .. SEED)

-- The same numbers on every interpreter (Park and Miller, "Random number generators: good ones are
-- hard to find", 1988).
local function random_from(seed)
  local x = seed % 2147483646 + 1
  return function(n)
    x = (x * 16807) % 2147483647
    return x % n + 1
  end
end

local TOPICS = { "room:1", "room:2", "", "größe", "a\0b", "busy" }
local KEYS = { "ann", "bob", "", "__proto__", "\0", "é", '"', "k1" }
local PIDS = { 1, 2, "1", "", 2 ^ 53 }
local METAS = { "{}", "[]", "1", '{"a":1}', '{"a":2}', '"\\u0000"', " {} " }

-- The model: topic → key → array of {pid, data}, oldest first.

local Model = {}

function Model.track(topics, topic, key, pid, data)
  topics[topic] = topics[topic] or {}
  topics[topic][key] = topics[topic][key] or {}
  table.insert(topics[topic][key], { pid, data })
end

local function metas_of(topics, topic, key)
  return topics[topic] and topics[topic][key] or {}
end

local function drop_if_empty(topics, topic, key)
  if topics[topic] and topics[topic][key] and #topics[topic][key] == 0 then
    topics[topic][key] = nil
  end
  if topics[topic] and next(topics[topic]) == nil then
    topics[topic] = nil
  end
end

function Model.untrack(topics, topic, key, pid)
  local metas, removed = metas_of(topics, topic, key), 0
  for i = #metas, 1, -1 do
    if metas[i][1] == pid then
      table.remove(metas, i)
      removed = removed + 1
    end
  end
  drop_if_empty(topics, topic, key)
  return removed
end

function Model.update(topics, topic, key, pid, data)
  local metas = metas_of(topics, topic, key)
  for i = #metas, 1, -1 do
    if metas[i][1] == pid then
      local changed = metas[i][2] ~= data
      metas[i] = { pid, data }
      return changed
    end
  end
end

local function sorted(set)
  local list = {}
  for key in pairs(set) do
    list[#list + 1] = key
  end
  table.sort(list)
  return list
end

local function meta_text(pid, data)
  return type(pid) .. "\1" .. (type(pid) == "number" and ("%.0f"):format(pid) or pid) .. "\2" ..
    data
end

--- All of a topic as one string: keys sorted, metas in their order.
local function model_text(topics, topic)
  local out = {}
  for _, key in ipairs(sorted(topics[topic] or {})) do
    local metas = {}
    for i, meta in ipairs(topics[topic][key]) do
      metas[i] = meta_text(meta[1], meta[2])
    end
    out[#out + 1] = key .. "\3" .. table.concat(metas, "\4")
  end
  return table.concat(out, "\5")
end

local function state_text(state, topic)
  local list, out = state:list(topic), {}
  for _, key in ipairs(sorted(list)) do
    local metas = {}
    for i, meta in ipairs(presence.entry_metas(list[key])) do
      metas[i] = meta_text(meta.pid, meta.data)
    end
    out[#out + 1] = key .. "\3" .. table.concat(metas, "\4")
  end
  return table.concat(out, "\5")
end

-- The generator of edits.

local function random_place(random)
  local topic = TOPICS[random(#TOPICS)]
  local key = KEYS[random(topic == "busy" and 2 or #KEYS)]
  local pid = topic == "busy" and random(30) or PIDS[random(#PIDS)]
  return topic, key, pid
end

--- One random edit on both sides; the functions make it on the state and check its answer.
local function edit_once(random, model, track, untrack, update)
  local topic, key, pid = random_place(random)
  local dice = random(100)
  local meta = METAS[random(#METAS)]
  if dice <= 45 then
    track(topic, key, pid, meta)
    Model.track(model, topic, key, pid, meta)
  elseif dice <= 80 then
    untrack(topic, key, pid, Model.untrack(model, topic, key, pid))
  else
    update(topic, key, pid, meta, Model.update(model, topic, key, pid, meta))
  end
  return topic
end

local function plain_edit(random, model, s)
  local after
  local topic = edit_once(random, model, function(...)
    after = assert(s:track(...))
  end, function(topic, key, pid, removed)
    after = s:untrack(topic, key, pid)
    assert(rawequal(after, s) == (removed == 0),
      "untrack: the same state exactly when nothing left")
  end, function(topic, key, pid, meta, changed)
    local word
    after, word = s:update(topic, key, pid, meta)
    if changed == nil then
      assert(after == nil and word == "nopresence")
      after = s
    else
      assert(rawequal(after, s) == not changed, "update: the same state exactly for the same bytes")
    end
  end)
  return after, { topic }
end

local function batch_edit(random, model, s)
  local touched = {}
  local after = s:edit(function(b)
    for _ = 1, random(20) do
      touched[#touched + 1] = edit_once(random, model, function(...)
        assert(b:track(...) == true)
      end, function(topic, key, pid, removed)
        assert(b:untrack(topic, key, pid) == removed)
      end, function(topic, key, pid, meta, changed)
        local ok, word = b:update(topic, key, pid, meta)
        assert(ok == changed and (ok ~= nil or word == "nopresence"))
      end)
    end
  end)
  return after, touched
end

--- Versions of a state made by random edits, each with what the model says of every topic.
local function make_versions(random, edits)
  local model, texts, s = {}, {}, presence.new_state()
  for _, topic in ipairs(TOPICS) do
    texts[topic] = ""
  end
  local versions = { { state = s, texts = texts, touched = TOPICS } }
  for _ = 1, edits do
    local touched
    if random(50) == 1 then
      s, touched = batch_edit(random, model, s)
    else
      s, touched = plain_edit(random, model, s)
    end
    local next_texts = {}
    for topic, text in pairs(texts) do
      next_texts[topic] = text
    end
    for _, topic in ipairs(touched) do
      next_texts[topic] = model_text(model, topic)
      assert(state_text(s, topic) == next_texts[topic], "the state differs from the model")
    end
    texts = next_texts
    versions[#versions + 1] = { state = s, texts = texts, touched = touched }
  end
  return versions, model
end

local function check_counts(s, model)
  local topics = {}
  for topic, count in s:topics() do
    topics[topic] = count
  end
  assert.are.same(sorted(model), sorted(topics))
  local keys_total, metas_total = 0, 0
  for topic, keys in pairs(model) do
    assert.are.equal(#sorted(keys), s:count(topic))
    assert.are.equal(#sorted(keys), topics[topic])
    for key, metas in pairs(keys) do
      keys_total, metas_total = keys_total + 1, metas_total + #metas
      assert.are.equal(#metas, s:connections(topic, key))
      assert.is_true(s:has(topic, key))
    end
  end
  local stats = s:stats()
  assert.are.equal(keys_total, stats.keys)
  assert.are.equal(metas_total, stats.metas)
end

describe("random edits", function()
  it("agree with plain tables, and every version stays as it was", function()
    local random = random_from(SEED)
    local versions, model = make_versions(random, EDITS)
    check_counts(versions[#versions].state, model)
    collectgarbage()
    -- What a version holds of a topic was made by an edit of that topic: to look at what each edit
    -- touched sees all of it, and now and then at everything sees the topics' own map.
    for i, version in ipairs(versions) do
      for _, topic in ipairs(i % 20 == 0 and TOPICS or version.touched) do
        if state_text(version.state, topic) ~= version.texts[topic] then
          error("an old version changed; PRESENCE_SEED=" .. SEED)
        end
      end
    end
  end)

  it("leave old versions alone while others are dropped", function()
    local random = random_from(SEED + 1)
    local versions = make_versions(random, EDITS / 5)
    while #versions > 0 do
      for _ = 1, math.min(#versions, 50) do
        local i = random(#versions)
        versions[i] = versions[#versions]
        versions[#versions] = nil
      end
      collectgarbage()
      local version = versions[1] and versions[random(#versions)]
      for _, topic in ipairs(version and TOPICS or {}) do
        assert.are.equal(version.texts[topic], state_text(version.state, topic))
      end
    end
  end)
end)

describe("diffs of random pairs", function()
  local random, versions

  setup(function()
    random = random_from(SEED + 2)
    versions = make_versions(random, EDITS / 5)
  end)

  teardown(function()
    versions = nil
  end)

  local function multiset(state, topic)
    local bag = {}
    for key, entry in state:each(topic) do
      for _, meta in ipairs(presence.entry_metas(entry)) do
        local text = key .. "\3" .. meta_text(meta.pid, meta.data)
        bag[text] = (bag[text] or 0) + 1
      end
    end
    return bag
  end

  local function minus(a, b)
    local bag = {}
    for text, count in pairs(a) do
      local rest = count - (b[text] or 0)
      bag[text] = rest > 0 and rest or nil
    end
    return bag
  end

  local function entries_bag(entries)
    local bag = {}
    for key, entry in pairs(entries or {}) do
      assert.is_true(#entry > 0)
      for _, meta in ipairs(presence.entry_metas(entry)) do
        local text = key .. "\3" .. meta_text(meta.pid, meta.data)
        bag[text] = (bag[text] or 0) + 1
      end
    end
    return bag
  end

  it("are exactly what joined and what left, and patch brings it about", function()
    for _ = 1, 300 do
      local a, b = versions[random(#versions)].state, versions[random(#versions)].state
      local diff = presence.diff(a, b)
      for _, topic in ipairs(TOPICS) do
        local before, after = multiset(a, topic), multiset(b, topic)
        local change = diff[topic] or {}
        assert.are.same(minus(after, before), entries_bag(change.joins))
        assert.are.same(minus(before, after), entries_bag(change.leaves))
        assert.are.equal(diff[topic] ~= nil, presence.diff_json(a, b, topic) ~= nil)
      end
      assert.is_true(presence.patch(a, diff) == b)
      assert.are.equal(next(diff) == nil, a == b)
    end
  end)

  it("of a state and itself, or what is equal to it, are empty", function()
    for _ = 1, 100 do
      local s = versions[random(#versions)].state
      local again = presence.patch(presence.new_state(), presence.diff(presence.new_state(), s))
      assert.is_true(again == s)
      assert.are.same({}, presence.diff(s, s))
      assert.are.same({}, presence.diff(s, again))
    end
  end)

  it("survive the binary form", function()
    for _ = 1, 100 do
      local s = versions[random(#versions)].state
      assert.is_true(presence.decode(presence.encode(s)) == s)
    end
  end)
end)
