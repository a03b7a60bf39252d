-- What the application's code raises, wherever it is called: it ends its own channel, or nothing at
-- all, is logged once, and everybody else goes on.
local presence = require "presence"
local testing = require "presence.testing"
require "presence.testing.assertions"

describe("user code that raises", function()
  local t, raising, victim, neighbour, other

  local function maybe_raise(where)
    if raising == where then
      error("boom in " .. where)
    end
  end

  local function raises_for(where)
    return function(socket)
      if socket.params.victim then
        maybe_raise(where)
      end
    end
  end

  local function new_room()
    local Room = presence.channel {
      join = function(socket)
        raises_for "join"(socket)
        return true
      end,
      track = function(socket, params)
        raises_for "track"(socket)
        return params.key, { n = 1 }
      end,
      after_join = raises_for "after_join",
      presence = function(socket)
        raises_for "presence"(socket)
        return "all"
      end,
      handle_info = raises_for "handle_info",
      terminate = raises_for "terminate",
    }
    Room.handle_in.event = raises_for "handle_in"
    Room.handle_in_raw.raw_event = raises_for "handle_in_raw"
    function Room.handle_out.said(socket, payload)
      raises_for "handle_out"(socket)
      return payload
    end
    function Room.handle_in.update(socket)
      socket:update(socket.params.key, function()
        raises_for "update"(socket)
        return { n = 2 }
      end)
    end
    function Room.handle_in.spawn(socket, what)
      if what == "timer" then
        socket.runtime.loop:after(0.01, function()
          maybe_raise "timer"
        end)
      elseif what == "process" then
        socket.runtime.process.spawn(maybe_raise, "process")
      else
        -- It watches a process that ends, and raises when it is told.
        local process = socket.runtime.process
        process.spawn(function()
          process.monitor(process.spawn(process.receive, 0.01))
          process.receive()
          maybe_raise "monitor"
        end)
      end
      return "ok"
    end
    return Room
  end

  local function join(c, topic, params)
    local reply = c:join(topic, params)
    t:advance(0.1)
    return reply
  end

  local function start(where)
    raising = nil
    local opts = {}
    for _, name in ipairs { "on_join", "on_update", "on_leave" } do
      opts[name] = function(event)
        if event.key == "victim" then
          maybe_raise(name)
        end
      end
    end
    t = testing.new(presence.endpoint { channels = { ["room:*"] = new_room() } }, opts)
    victim, other = t:client(), t:client()
    join(victim, "room:2", { key = "neighbour" })
    neighbour = victim.connection.channels["room:2"]
    join(other, "room:1", { key = "other" })
    raising = where
  end

  local function errors()
    local messages = {}
    for _, entry in ipairs(t.logged) do
      if entry.level == "error" then
        messages[#messages + 1] = entry.message
      end
    end
    return messages
  end

  -- The victim's connection, its other channel and everybody else go on.
  local function assert_others_live()
    raising = nil
    t:advance(0.1)
    assert.is_false(victim.closed)
    assert.equal(neighbour, victim.connection.channels["room:2"])
    assert.is_false(neighbour.ended)
    assert.replied(victim:push("spawn", '"timer"', "room:2"), "ok")
    assert.present(victim, "room:2", "neighbour")
    assert.replied(other:push("spawn", '"process"', "room:1"), "ok")
    assert.replied(victim:join("room:1", { key = "again" }), "ok")
    t:advance(0.1)
    assert.present(other, "room:1", "again")
    assert.present(victim, "room:1", "other")
  end

  local function assert_logged(where)
    assert.equal(1, #errors(), table.concat(errors(), "\n"))
    assert.matches("boom in " .. where, errors()[1])
    assert.matches("traceback", errors()[1])
  end

  local function assert_ended(where)
    assert.same({ reason = "channel_crash" }, victim:expect("phx_error", "room:1"))
    assert.is_nil(victim.connection.channels["room:1"])
    assert.not_present(other, "room:1", "victim")
    assert_logged(where)
    assert_others_live()
  end

  local params = { key = "victim", victim = true }

  it("in join rejects it", function()
    start "join"
    assert.replied(join(victim, "room:1", params), "error", { reason = "join crashed" })
    assert_logged "join"
    assert_others_live()
  end)

  for _, where in ipairs { "track", "after_join", "presence" } do
    it("in " .. where .. " ends its channel", function()
      start(where)
      assert.replied(join(victim, "room:1", params), "ok")
      assert_ended(where)
    end)
  end

  local acts = {
    handle_in = function() victim:push("event", {}) end,
    handle_in_raw = function() victim:push("raw_event", {}) end,
    handle_out = function() t.endpoint.endpoint:broadcast("room:1", "said", {}) end,
    update = function() victim:push("update", {}) end,
    handle_info = function()
      t.runtime.process.send(victim.connection.channels["room:1"].pid, "hello")
    end,
  }
  for where, act in pairs(acts) do
    it("in " .. where .. " ends its channel", function()
      start(where)
      assert.replied(join(victim, "room:1", params), "ok")
      act()
      t:advance(0.1)
      assert_ended(where)
    end)
  end

  it("in terminate changes nothing of the end", function()
    start "terminate"
    join(victim, "room:1", params)
    assert.replied(victim:leave "room:1", "ok", {})
    victim:expect("phx_close", "room:1")
    t:advance(0.1)
    assert.not_present(other, "room:1", "victim")
    assert_logged "terminate"
    assert_others_live()
  end)

  for where, act in pairs {
    on_join = function() end,
    on_update = function() victim:push("update", {}) end,
    on_leave = function() victim:leave "room:1" end,
  } do
    it("in " .. where .. " ends nothing", function()
      start(where)
      assert.replied(join(victim, "room:1", params), "ok")
      assert.present(other, "room:1", "victim")
      act()
      t:advance(0.1)
      if where == "on_leave" then
        assert.not_present(other, "room:1", "victim")
      else
        assert.equal(where == "on_update" and 2 or 1,
          other:presences("room:1").victim.metas[1].n)
      end
      assert_logged(where)
      assert_others_live()
    end)
  end

  for _, where in ipairs { "timer", "process", "monitor" } do
    it("in a " .. where .. " of its own ends no channel", function()
      start(where)
      join(victim, "room:1", params)
      assert.replied(victim:push("spawn", '"' .. where .. '"', "room:1"), "ok")
      t:advance(0.1)
      assert.is_false(victim.connection.channels["room:1"].ended)
      assert.present(other, "room:1", "victim")
      assert_logged(where)
      assert_others_live()
    end)
  end

  it("values that are no text are logged as well", function()
    local values = { { "a table" }, 5, true, setmetatable({}, {
      __tostring = function()
        error "cannot be shown"
      end,
    }) }
    for _, value in ipairs(values) do
      local Room = presence.channel()
      function Room.handle_in.boom()
        error(value)
      end
      t = testing.new(presence.endpoint { channels = { ["room:*"] = Room } })
      local c = t:client()
      c:join "room:1"
      c:push("boom", {})
      assert.same({ reason = "channel_crash" }, c:expect "phx_error")
      assert.equal(1, #errors())
      assert.replied(c:join "room:1", "ok")
    end
  end)
end)
