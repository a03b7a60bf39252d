-- Options that cannot work were taken in silence and failed later, inside of the server and far
-- from the mistake: `false` and NaN for a number were compared when a client's message came, 0 for
-- "no limit" made every message an error, and presence.configure said nothing until the first use.
local config = require "presence.config"
local manual_loop = require "presence.manual.loop"
local presence = require "presence"

describe("an option that cannot work", function()
  local function new(opts)
    opts.loop = manual_loop.new()
    return presence.new(opts)
  end

  local function endpoint(opts)
    opts.channels = {}
    return presence.endpoint(opts)
  end

  local function refusal(make, name, value)
    local function user() local made = make { [name] = value } return made end
    local ok, message = pcall(user)
    assert.is_false(ok, name .. " = " .. tostring(value) .. " was taken")
    assert.matches("^spec/bugs/options_that_cannot_work_spec.lua:%d+: %a+: option '" .. name
      .. "' must be a number", (message:gsub("^.*/spec/", "spec/")))
  end

  it("is refused where it is given", function()
    for make, defaults in pairs { [new] = config.runtime, [endpoint] = config.endpoint } do
      for name, default in pairs(defaults) do
        if type(default) == "number" then
          for _, value in ipairs { 0 / 0, -1, "1", true } do refusal(make, name, value) end
        end
      end
    end
  end)

  it("may be false where that lifts a limit, never 0, and nowhere else", function()
    local lifted = {
      idle_timeout_s = true, unread_timeout_s = true, max_messages_per_s = true,
      max_logged_per_s = true, longpoll_max_sessions = true,
      longpoll_max_sessions_per_address = true,
    }
    for name, default in pairs(config.endpoint) do
      if lifted[name] then
        assert.is_false(endpoint({ [name] = false }).options[name])
        refusal(endpoint, name, 0)
      elseif type(default) == "number" then
        refusal(endpoint, name, false)
      end
    end
    for name, default in pairs(config.runtime) do
      if lifted[name] then
        assert.is_false(new({ [name] = false }).options[name])
        refusal(new, name, 0)
      elseif type(default) == "number" then
        refusal(new, name, false)
      end
    end
  end)

  it("is refused by configure, not at the first use", function()
    for opts, message in pairs {
      [{ flush = 1 }] = "unknown option 'flush'",
      [{ leave_after = "5" }] = "option 'leave_after' must be a number",
      [{ leaves = "never" }] = "leaves must be 'last' or 'each'",
      [{ on_join = true }] = "on_join must be a function",
      [{ loop = {} }] = "loop must be a loop",
    } do
      local function user() presence.configure(opts) end
      local ok, refused = pcall(user)
      assert.is_false(ok)
      assert.matches("options_that_cannot_work_spec.lua:%d+: configure: ", refused)
      assert.matches(message, refused, 1, true)
    end
  end)
end)
