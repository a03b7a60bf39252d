-- What defines a channel: mistakes are said where they are made, or where they can first be seen.
local presence = require "presence"
local testing = require "presence.testing"
require "presence.testing.assertions"

describe("the definition of a channel", function()
  local function refused(act, message)
    local ok, err = pcall(act)
    assert.is_false(ok, "taken: " .. message)
    assert.matches("definition_spec.lua:%d+: channel: ", err)
    assert.matches(message, err, 1, true)
  end

  it("refuses callbacks it does not know, and wrong types", function()
    for message, callbacks in pairs {
      ["unknown callback 'hande_in'"] = { hande_in = {} },
      ["unknown callback '1'"] = { function() end },
      ["join must be a function, got boolean"] = { join = true },
      ["handle_in must be a table, got function"] = { handle_in = print },
      ["handle_in.shout must be a function, got table"] = { handle_in = { shout = {} } },
      ["handle_in_raw.1 must be a function"] = { handle_in_raw = { print } },
      ["presence must be 'all', 'none', 'count' or a function"] = { presence = "some" },
      ["leave_after must be a number, got string"] = { leave_after = "5" },
      ["leave_after must be a number from 0 on"] = { leave_after = -1 },
      ["callbacks must be a table, got string"] = "x",
    } do
      refused(function()
        local made = presence.channel(callbacks)
        return made
      end, message)
    end
    refused(function()
      local made = presence.channel { leave_after = 0 / 0 }
      return made
    end, "leave_after must be a number from 0 on")
  end)

  it("refuses them as well when they are set later", function()
    local Room = presence.channel()
    refused(function()
      Room.after_jion = function() end
    end, "unknown callback 'after_jion'")
    refused(function()
      Room.terminate = 5
    end, "terminate must be a function, got number")
    refused(function()
      Room.presence = "some"
    end, "presence must be")
    refused(function()
      Room.handle_out.said = "x"
    end, "handle_out.said must be a function, got string")
    refused(function()
      Room.handle_in[1] = function() end
    end, "handle_in.1 must be a function")
    assert.is_nil(rawget(Room, "after_jion"))
    Room.terminate = nil
    Room.handle_in.said = nil
    Room.presence = "none"
    Room.leave_after = 5
    function Room.after_join() end
    assert.is_function(Room.after_join)
  end)

  it("refuses what replaced a callback, where an endpoint or a server takes it", function()
    local Room = presence.channel {
      join = function()
        return true
      end,
    }
    local endpoint = presence.endpoint { channels = { ["room:*"] = Room } }
    Room.join = "no function"
    refused(function()
      local made = presence.endpoint { channels = { ["room:*"] = Room } }
      return made
    end, "join must be a function, got string")
    assert.error_matches(function()
      testing.new(endpoint)
    end, "channel: join must be a function, got string")
    Room.join, Room.handle_in = nil, nil
    assert.error_matches(function()
      testing.new(endpoint)
    end, "channel: handle_in must be a table, got nil")
  end)

  it("leaves the caller's tables as they are, and takes handlers that they inherit", function()
    local common = {
      ping = function()
        return "ok", { pong = true }
      end,
    }
    local handlers = setmetatable({}, { __index = common })
    local callbacks = { handle_in = handlers }
    local Room = presence.channel(callbacks)
    assert.same({ handle_in = handlers }, callbacks)
    assert.equal(common, getmetatable(handlers).__index)
    local t = testing.new(presence.endpoint { channels = { ["room:*"] = Room } })
    local c = t:client()
    c:join "room:1"
    assert.replied(c:push("ping", {}), "ok", { pong = true })
    t:finish()
  end)
end)
