--- Misuse of the pure layer raises, names the function, and harms nothing.
local presence = require "presence"

local state = presence.new_state():track("t", "k", 1, "{}")
local meta = presence.make_meta(1, "{}")
local entry = presence.make_entry { meta }

--- Each function with arguments that are right; every one of them is spoilt in turn.
local good = {
  track_state = { state, "t", "k", 1, "{}" },
  untrack_state = { state, "t", "k", 1 },
  update_state = { state, "t", "k", 1, "{}" },
  list_state = { state, "t" },
  count_presences = { state, "t" },
  is_present = { state, "t", "k" },
  connection_count = { state, "t", "k" },
  list_json = { state, "t" },
  make_meta = { 1, "{}" },
  meta_pid = { meta },
  meta_data = { meta },
  make_entry = { { meta } },
  entry_metas = { entry },
  entry_count = { entry },
  join_diff_json = { "k", "{}" },
  leave_diff_json = { "k", "{}" },
  diff = { state, state },
  diff_json = { state, state, "t" },
  patch = { state, {} },
  encode = { state },
  decode = { presence.encode(state) },
}
local methods = {
  track = { state, "t", "k", 1, "{}" },
  untrack = { state, "t", "k", 1 },
  update = { state, "t", "k", 1, "{}" },
  edit = { state, function() end },
  list = { state, "t" },
  each = { state, "t" },
  page = { state, "t", nil, 10 },
  get = { state, "t", "k" },
  topics = { state },
  count = { state, "t" },
  has = { state, "t", "k" },
  online = { state, "t", { "k" } },
  connections = { state, "t", "k" },
  list_json = { state, "t" },
  stats = { state },
}

--- Values of which none fits where `value` stands.
local function wrong_for(value)
  local wrong = { true, print, io.stdout, "\0nil" }
  for _, candidate in ipairs { state, meta, entry } do
    if value ~= candidate then
      wrong[#wrong + 1] = candidate
    end
  end
  if type(value) ~= "table" then
    wrong[#wrong + 1] = setmetatable({}, { __name = "PresenceState" })
  end
  if type(value) ~= "number" then
    wrong[#wrong + 1] = 1
  end
  if type(value) == "userdata" then
    wrong[#wrong + 1] = "string"
  end
  if type(value) == "function" then
    wrong[2] = false
  end
  return wrong
end

local function check(name, fn, args)
  local count = 0
  for i in pairs(args) do
    count = math.max(count, i)
  end
  assert.is_true(pcall(fn, (table.unpack or unpack)(args, 1, count)), name)
  for i, value in pairs(args) do
    for _, wrong in ipairs(wrong_for(value)) do
      if not (wrong == 1 and name:find("^encode")) then
        local spoilt = {}
        for k = 1, count do
          spoilt[k] = args[k]
        end
        spoilt[i] = wrong ~= "\0nil" and wrong or nil
        local ok, err = pcall(fn, (table.unpack or unpack)(spoilt, 1, count))
        assert.is_false(ok, ("%s: argument %d as %s"):format(name, i, tostring(wrong)))
        assert.are.equal("string", type(err))
        assert.is_truthy(err:find("bad argument", 1, true) or err:find("expected", 1, true), err)
      end
    end
  end
end

describe("misuse", function()
  for name, args in pairs(good) do
    it("of " .. name .. " raises", function()
      check(name, presence[name], args)
    end)
  end

  for name, args in pairs(methods) do
    it("of the method " .. name .. " raises", function()
      check(name, state[name], args)
    end)
  end

  it("of a pid raises", function()
    for _, pid in ipairs { 1.5, 0 / 0, 1 / 0, -1 / 0, 2 ^ 53 + 2, -2 ^ 53 - 2, 2 ^ 63, 1e300 } do
      for _, fn in ipairs { presence.track_state, presence.update_state, presence.untrack_state } do
        local ok, err = pcall(fn, state, "t", "k", pid, "{}")
        assert.is_false(ok)
        assert.is_truthy(err:find("pid", 1, true), err)
      end
      assert.is_false((pcall(presence.make_meta, pid, "{}")))
    end
  end)

  it("of a limit raises", function()
    for _, limit in ipairs { 0, -1, 1.5, "10", 0 / 0, 1e300 } do
      assert.is_false((pcall(state.page, state, "t", nil, limit)))
    end
  end)

  it("of the values in a list raises", function()
    assert.is_false((pcall(presence.make_entry, { meta, entry })))
    assert.is_false((pcall(presence.make_entry, { meta, "{}" })))
    assert.is_false((pcall(state.online, state, "t", { "k", 1 })))
  end)

  it("of a builder raises", function()
    state:edit(function(b)
      for _, args in ipairs { { 1, "k", 1, "{}" }, { "t", nil, 1, "{}" }, { "t", "k", {}, "{}" },
        { "t", "k", 1, {} } } do
        assert.is_false((pcall(b.track, b, (table.unpack or unpack)(args, 1, 4))))
      end
      assert.is_false((pcall(b.track, state, "t", "k", 1, "{}")))
      assert.is_false((pcall(state.track, b, "t", "k", 1, "{}")))
    end)
  end)

  it("writing to a state raises, and what it has not is nil", function()
    assert.is_false((pcall(function()
      state.topic = 1
    end)))
    assert.is_nil(state.nothing)
    assert.is_nil(entry.nothing)
  end)

  it("leaves nothing behind", function()
    assert.is_true(state == presence.new_state():track("t", "k", 1, "{}"))
  end)

  it("cannot reach the metatables", function()
    for _, value in ipairs { state, entry, meta } do
      assert.are_not.equal("table", type(getmetatable(value)))
    end
  end)
end)
