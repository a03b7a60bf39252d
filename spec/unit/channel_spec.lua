local presence = require "presence"
local testing = require "presence.testing"
require "presence.testing.assertions"

describe("a channel", function()
  local t

  -- An endpoint with one channel on "room:*", and a test of it.
  local function start(callbacks, opts, runtime_opts)
    opts = opts or {}
    opts.channels = opts.channels or { ["room:*"] = presence.channel(callbacks) }
    t = testing.new(presence.endpoint(opts), runtime_opts)
    return t
  end

  -- A client that joined room:1.
  local function joined(params, join_params)
    local c = assert(t:client(params))
    assert.replied(c:join("room:1", join_params), "ok")
    return c
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

  describe("join", function()
    it("is accepted when there is no callback", function()
      start {}
      assert.replied(t:client():join "room:1", "ok", {})
      t:finish()
    end)

    it("gets the socket, the topic and the params", function()
      local seen
      start {
        join = function(socket, topic, params)
          seen = { socket.topic, topic, params.a, socket.params.a, socket.assigns.name,
            socket.runtime == t.runtime, type(socket.pid) }
          return true
        end,
      }
      start(t.endpoint.endpoint.channels["room:*"], {
        connect = function(params)
          return { name = params.name }
        end,
      })
      t:client({ name = "ann" }):join("room:1", { a = 1 })
      assert.same({ "room:1", "room:1", 1, 1, "ann", true, "number" }, seen)
      t:finish()
    end)

    it("answers with its reply, table or text", function()
      local reply = { a = { 1, 2 } }
      start {
        join = function()
          return true, reply
        end,
      }
      assert.replied(t:client():join "room:1", "ok", { a = { 1, 2 } })
      reply = "[]"
      assert.replied(t:client():join "room:1", "ok", {})
      t:finish()
    end)

    it("is rejected with a reason, text or table", function()
      local reason = "not yours"
      start {
        join = function()
          return nil, reason
        end,
      }
      local c = t:client()
      assert.replied(c:join "room:1", "error", { reason = "not yours" })
      reason = { code = 7 }
      assert.replied(c:join "room:1", "error", { code = 7 })
      reason = nil
      assert.replied(c:join "room:1", "error", { reason = "join rejected" })
      assert.equal(0, t.endpoint:metrics().channels)
      t:finish()
    end)

    it("that raises is answered with join crashed, and logged", function()
      start {
        join = function()
          error "boom"
        end,
      }
      assert.replied(t:client():join "room:1", "error", { reason = "join crashed" })
      assert.matches("boom", errors()[1])
    end)

    it("that returns something else is a crash too", function()
      start {
        join = function()
          return 42
        end,
      }
      assert.replied(t:client():join "room:1", "error", { reason = "join crashed" })
      assert.matches("join must return true", errors()[1])
    end)

    it("that waits holds up its own channel only, and goes on", function()
      start {
        join = function(socket)
          if socket.params.wait then
            t.runtime.process.receive(1)
          end
          return true
        end,
      }
      local c = t:client()
      local reply, word = c:join("room:slow", { wait = true })
      assert.same({ nil, "no_reply" }, { reply, word })
      assert.replied(c:join("room:1", { wait = false }), "ok")
      t:advance(1)
      assert.equal(2, t.endpoint:metrics().channels)
      t:finish()
    end)

    it("of an unmatched topic is refused", function()
      start {}
      assert.replied(t:client():join "lobby", "error", { reason = "unmatched topic" })
      t:finish()
    end)

    it("whose connection goes while it waits tracks nobody", function()
      local tracked, word
      start {
        join = function(socket)
          socket:track("early", {})
          pcall(t.runtime.process.receive, 1)
          tracked, word = socket:track("late", {})
          return true
        end,
      }
      local c = t:client()
      c:join "room:1"
      c:close()
      t:advance(2)
      assert.is_nil(tracked)
      assert.equal("no_process", word)
      assert.equal(0, t.runtime.count "room:1")
      t:finish()
    end)
  end)

  describe("track", function()
    local function tracking(extra)
      local callbacks = {
        track = function(_, params)
          return params.key, { device = params.device }
        end,
      }
      for name, fn in pairs(extra or {}) do
        callbacks[name] = fn
      end
      start(callbacks)
    end

    it("shows the client to itself and to the others", function()
      tracking()
      local ann = joined({}, { key = "ann", device = "phone" })
      assert.present(ann, "room:1", "ann", 1)
      local bob = joined({}, { key = "bob", device = "laptop" })
      assert.present(bob, "room:1", "ann", 1)
      assert.present(bob, "room:1", "bob", 1)
      t:advance(0.05)
      assert.present(ann, "room:1", "bob", 1)
      bob:close()
      t:advance(0.05)
      assert.is_nil(ann:presences("room:1").bob)
      t:finish()
    end)

    it("that returns nothing tracks nobody", function()
      tracking()
      joined({}, {})
      assert.equal(0, t.runtime.count "room:1")
      t:finish()
    end)

    it("that is refused ends the channel as a raise does", function()
      start {
        track = function()
          return "ann", "not json"
        end,
      }
      local c = t:client()
      assert.replied(c:join "room:1", "ok")
      assert.same({ reason = "channel_crash" }, c:expect "phx_error")
      assert.matches("track was refused: bad_json", errors()[1])
      assert.equal(0, t.runtime.count "room:1")
    end)

    it("counts devices of one user", function()
      tracking()
      local phone = joined({}, { key = "ann", device = "phone" })
      local laptop = joined({}, { key = "ann", device = "laptop" })
      t:advance(0.05)
      assert.present(phone, "room:1", "ann", 2)
      laptop:close()
      t:advance(0.05)
      assert.present(phone, "room:1", "ann", 1)
      assert.equal("phone", phone:presences("room:1").ann.metas[1].device)
      t:finish()
    end)

    it("in join is held until join accepts", function()
      start {
        join = function(socket, _, params)
          local ref = socket:track("ann", { a = 1 })
          assert(type(ref) == "string")
          local again, word = socket:track("ann", {})
          assert(again == nil and word == "already_tracked")
          assert(socket:update("ann", { a = 2 }))
          socket:track("bob", {})
          socket:untrack "bob"
          if params.reject then
            return nil, "no"
          end
          return true
        end,
      }
      local watcher = joined({}, {})
      assert.same({ ann = { metas = { { a = 2, phx_ref = "F2" } } } }, watcher:presences "room:1")
      watcher:close()
      assert.replied(t:client():join("room:1", { reject = true }), "error", { reason = "no" })
      t:advance(1)
      assert.equal(0, t.runtime.count "room:1")
      t:finish()
    end)

    it("and after_join are in the joiner's presence_state, which no diff repeats", function()
      start {
        track = function()
          return "ann", {}
        end,
        after_join = function(socket)
          socket:track("bot", {})
        end,
      }
      local c = joined()
      local state = c:expect "presence_state"
      assert.is_table(state.ann)
      assert.is_table(state.bot)
      t:advance(1)
      assert.is_false(pcall(c.expect, c, "presence_diff"))
      t:finish()
    end)

    it("an after_join that waits holds up its own presence_state only", function()
      local slow = true
      start {
        track = function(_, params)
          return params.key, {}
        end,
        after_join = function()
          if slow then
            t.runtime.process.receive(1)
          end
        end,
      }
      local ann = joined({}, { key = "ann" })
      assert.is_false(pcall(ann.expect, ann, "presence_state"))
      slow = false
      local bob = joined({}, { key = "bob" })
      assert.present(bob, "room:1", "ann", 1)
      t:advance(1)
      assert.present(ann, "room:1", "bob", 1)
      t:finish()
    end)
  end)

  describe("handle_in", function()
    it("answers with what the handler returns", function()
      local Room = presence.channel()
      function Room.handle_in.silent() end
      function Room.handle_in.ok()
        return "ok"
      end
      function Room.handle_in.echo(_, payload)
        return "ok", payload
      end
      function Room.handle_in.no()
        return "error", { reason = "no" }
      end
      function Room.handle_in.later(socket)
        local ref = socket.ref
        socket:reply(ref, "ok", { later = true })
      end
      start(Room)
      local c = joined()
      assert.same({ nil, "no_reply" }, { c:push("silent", {}) })
      assert.replied(c:push("ok", {}), "ok", {})
      assert.replied(c:push("echo", { a = { 1, "x" } }), "ok", { a = { 1, "x" } })
      assert.replied(c:push("no", {}), "error", { reason = "no" })
      assert.replied(c:push("later", {}), "ok", { later = true })
      t:finish()
    end)

    it("keeps the bytes of a payload that is passed on as text", function()
      local Room = presence.channel()
      function Room.handle_in_raw.pass(socket, json)
        socket:broadcast("pass", json)
        return "ok", json
      end
      start(Room)
      local c = joined()
      local frames = {}
      local receive = c.protocol.receive
      c.protocol.receive = function(self, text)
        frames[#frames + 1] = text
        return receive(self, text)
      end
      local json = '{ "big":12345678901234567890, "empty":[] , "e":1e2}'
      c:push("pass", json)
      assert.equal('[null,null,"room:1","pass",' .. json .. "]", frames[1]:find("pass", 1, true)
        and frames[1] or frames[2])
    end)

    it("that raises ends this channel only, with phx_error", function()
      local ended
      local Room = presence.channel {
        track = function()
          return "ann", {}
        end,
        terminate = function(_, reason)
          ended = reason
        end,
      }
      function Room.handle_in.boom()
        error "boom"
      end
      start(Room)
      local c = joined()
      assert.replied(c:join "room:2", "ok")
      local reply, word = c:push("boom", {}, "room:1")
      assert.same({ nil, "no_reply" }, { reply, word })
      assert.same({ reason = "channel_crash" }, c:expect("phx_error", "room:1"))
      assert.equal("crashed", ended)
      assert.equal(0, t.runtime.count "room:1")
      assert.equal(1, t.runtime.count "room:2")
      assert.replied(c:join "room:1", "ok")
    end)

    it("that the channel does not know is a crash", function()
      start {}
      local c = joined()
      c:push("unknown", {})
      assert.same({ reason = "channel_crash" }, c:expect "phx_error")
    end)

    it("stops the channel, with or without a reply", function()
      local reasons = {}
      local Room = presence.channel {
        terminate = function(_, reason)
          reasons[#reasons + 1] = reason
        end,
      }
      function Room.handle_in.bye()
        return "stop"
      end
      function Room.handle_in.kick(socket)
        socket:reply(socket.ref, "ok", { bye = true })
        return "stop", "kicked"
      end
      start(Room)
      local c = joined()
      assert.same({ nil, "no_reply" }, { c:push("bye", {}) })
      assert.same({}, c:expect "phx_close")
      c:join "room:1"
      assert.replied(c:push("kick", {}), "ok", { bye = true })
      assert.same({}, c:expect "phx_close")
      assert.same({ "normal", "kicked" }, reasons)
      t:finish()
    end)

    it("that returns an unknown status is a crash with a clear log", function()
      local Room = presence.channel()
      function Room.handle_in.odd()
        return 5
      end
      start(Room)
      local c = joined()
      c:push("odd", {})
      c:expect "phx_error"
      assert.matches("a handler must return nothing, 'ok', 'error' or 'stop'", errors()[1])
    end)

    it("answers a payload that no Lua string can hold, and lives on", function()
      local Room = presence.channel()
      function Room.handle_in.ok()
        return "ok"
      end
      start(Room)
      local c = joined()
      assert.replied(c:push("ok", '{"half":"\\ud800"}'), "error", { reason = "bad payload" })
      assert.replied(c:push("ok", "{}"), "ok")
      t:finish()
    end)

    it("waits its turn while a callback waits in receive", function()
      local order = {}
      local Room = presence.channel()
      function Room.handle_in.slow()
        order[#order + 1] = "slow"
        order[#order + 1] = t.runtime.process.receive(1) or "timeout"
        return "ok"
      end
      function Room.handle_in.fast()
        order[#order + 1] = "fast"
        return "ok"
      end
      start(Room)
      local c = joined()
      c:push("slow", {})
      c:push("fast", {})
      assert.same({ "slow" }, order)
      t:advance(1)
      assert.same({ "slow", "timeout", "fast" }, order)
      t:finish()
    end)

    it("is ended in its wait when the socket ends", function()
      local ended, went_on = nil, false
      local Room = presence.channel {
        track = function()
          return "ann", {}
        end,
        terminate = function(_, reason)
          ended = reason
        end,
      }
      function Room.handle_in.wait()
        t.runtime.process.receive()
        went_on = true
      end
      start(Room)
      local c = joined()
      c:push("wait", {})
      c:close()
      assert.equal("closed", ended)
      assert.is_false(went_on)
      assert.equal(0, t.runtime.count "room:1")
      t:finish()
    end)
  end)

  describe("broadcasts", function()
    local Room

    before_each(function()
      Room = presence.channel()
      function Room.handle_in.all(socket, payload)
        socket:broadcast("said", payload)
      end
      function Room.handle_in.others(socket, payload)
        socket:broadcast_from("said", payload)
      end
      function Room.handle_in.me(socket, payload)
        socket:push("said", payload)
      end
    end)

    it("reach everybody on the topic, or all but the sender, or the sender alone", function()
      start(Room)
      local a, b = joined(), joined()
      local elsewhere = t:client()
      elsewhere:join "room:2"
      a:push("all", { n = 1 })
      assert.received(a, "said", { n = 1 })
      assert.received(b, "said", { n = 1 })
      a:push("others", { n = 2 })
      assert.not_received(a, "said")
      assert.received(b, "said", { n = 2 })
      a:push("me", { n = 3 })
      assert.received(a, "said", { n = 3 })
      assert.not_received(b, "said")
      assert.not_received(elsewhere, "said")
      t:finish()
    end)

    it("come from outside by the endpoint", function()
      start(Room)
      local a = joined()
      assert.equal(1, t.endpoint.endpoint:broadcast("room:1", "news", { n = 1 }))
      assert.received(a, "news", { n = 1 })
      t:finish()
    end)

    it("pass handle_out, which may change or drop them for one client", function()
      function Room.handle_out.said(socket, payload)
        if socket.params.deaf then
          return nil
        end
        return { n = payload.n, to = socket.params.name }
      end
      start(Room)
      local a = joined({}, { name = "a" })
      local b = joined({}, { name = "b", deaf = true })
      a:push("all", { n = 1 })
      assert.received(a, "said", { n = 1, to = "a" })
      assert.not_received(b, "said")
      t:finish()
    end)

    it("of what cannot be encoded raise, and reach nobody", function()
      function Room.handle_in.bad(socket)
        socket:broadcast("said", { f = print })
      end
      start(Room)
      local a, b = joined(), joined()
      a:push("bad", {})
      a:expect "phx_error"
      assert.not_received(b, "said")
      function Room.handle_in.bad(socket)
        socket:broadcast("said", "not json")
      end
      b:push("bad", {})
      b:expect "phx_error"
      assert.matches("must be JSON text", errors()[2])
    end)
  end)

  it("gets its mailbox by handle_info", function()
    local seen
    start {
      handle_info = function(socket, message)
        seen = message
        socket:push("info", { got = message.n })
      end,
    }
    local pid
    t.endpoint.endpoint.channels["room:*"].join = function(socket)
      pid = socket.pid
      return true
    end
    local c = joined()
    assert.is_true(t.runtime.process.send(pid, { n = 7 }))
    assert.received(c, "info", { got = 7 })
    assert.same({ n = 7 }, seen)
    t:finish()
  end)

  describe("presence mode", function()
    local function mode(value)
      start {
        presence = value,
        track = function(_, params)
          return params.key, {}
        end,
      }
    end

    it("none: present but blind", function()
      mode "none"
      local a = joined({}, { key = "ann" })
      joined({}, { key = "bob" })
      t:advance(1)
      assert.equal(2, t.runtime.count "room:1")
      assert.same({}, a.inbox)
      t:finish()
    end)

    it("count: numbers and no names", function()
      mode "count"
      local a = joined({}, { key = "ann" })
      assert.same({ count = 1 }, a:expect "presence_count")
      local b = joined({}, { key = "bob" })
      t:advance(1)
      assert.same({ count = 2 }, a:expect "presence_count")
      assert.same({ count = 2 }, b:expect "presence_count")
      joined({}, { key = "bob" })
      t:advance(1)
      assert.same({}, a.inbox)
      t:finish()
    end)

    it("may be a function of the socket", function()
      mode(function(socket)
        return socket.params.admin and "all" or "none"
      end)
      local admin = joined({}, { key = "ann", admin = true })
      local user = joined({}, { key = "bob" })
      t:advance(1)
      assert.present(admin, "room:1", "bob")
      assert.same({}, user.inbox)
      t:finish()
    end)
  end)

  it("tells terminate, and on_leave, why it ended", function()
    local reasons, left = {}, {}
    start({
      track = function()
        return "ann", {}
      end,
      terminate = function(_, reason)
        reasons[#reasons + 1] = reason
      end,
    }, nil, {
      on_leave = function(event)
        left[#left + 1] = event.reason
      end,
    })
    local c = joined()
    assert.replied(c:leave "room:1", "ok", {})
    c:join "room:1"
    t.runtime.process.exit(c.connection.channels["room:1"].pid)
    c:join "room:1"
    c:close()
    assert.same({ "left", "normal", "closed" }, reasons)
    assert.same({ "left", "left", "closed" }, left)
    t:finish()
  end)

  it("that raises in terminate is logged, and its presences go", function()
    start {
      track = function()
        return "ann", {}
      end,
      terminate = function()
        error "boom"
      end,
    }
    local c = joined()
    c:close()
    assert.equal(0, t.runtime.count "room:1")
    assert.matches("boom", errors()[1])
  end)

  it("a slow reader gets one diff when it reads on, and ends with an exact mirror", function()
    start {
      track = function(_, params)
        return params.key, {}
      end,
    }
    local slow = joined({}, { key = "slow" })
    local quick = joined({}, { key = "quick" })
    t:advance(1)
    slow:stop_reading()
    slow.protocol:heartbeat() -- something to send, so that the server notices
    t:advance(1)
    local others = {}
    for i = 1, 50 do
      others[i] = joined({}, { key = "k" .. i })
      t:advance(0.1)
    end
    for i = 1, 25 do
      others[i]:close()
      t:advance(0.1)
    end
    slow.inbox = {}
    slow:read_on()
    assert.same(quick:presences "room:1", slow:presences "room:1")
    local diffs = 0
    for _, message in ipairs(slow.inbox) do
      diffs = diffs + (message.event == "presence_diff" and 1 or 0)
    end
    assert.equal(1, diffs)
    t:finish()
  end)

  it("closes a reader that lets other messages pile up, with 1013", function()
    local Room = presence.channel()
    function Room.handle_in.flood(socket)
      for _ = 1, 20 do
        socket:broadcast("said", { text = ("x"):rep(1000) })
      end
    end
    start(Room, { max_outbox_bytes = 10000 })
    local slow, quick = joined(), joined()
    slow:stop_reading()
    slow.protocol:heartbeat()
    t:advance(0)
    quick:push("flood", {})
    assert.equal(1013, slow.closed)
    assert.is_false(quick.closed)
    quick:push("flood", {})
    for _ = 1, 40 do
      assert.received(quick, "said")
    end
    t:finish()
  end)
end)
