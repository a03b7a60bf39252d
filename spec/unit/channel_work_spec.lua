-- What waits for a channel's callbacks, and how much of it may.
local presence = require "presence"
local testing = require "presence.testing"
require "presence.testing.assertions"

describe("behind a callback that waits", function()
  local t, Room, signals

  -- `handle_in.wait` waits as a cosocket does: no end of the process wakes it.
  before_each(function()
    signals = {}
    Room = presence.channel()
    local function wait()
      local signal = t.loop:signal()
      signals[#signals + 1] = signal
      signal:wait()
    end
    function Room.handle_in.wait()
      wait()
      return "ok"
    end
    function Room.handle_in.echo(_, payload)
      return "ok", payload
    end
    Room.join = function(_, _, params)
      if params.wait then
        wait()
      end
      return true
    end
  end)

  local function start(opts, runtime_opts)
    opts = opts or {}
    opts.channels = { ["room:*"] = Room }
    t = testing.new(presence.endpoint(opts), runtime_opts)
  end

  local function joined(params)
    local c = t:client()
    assert.replied(c:join("room:1", params), "ok")
    return c
  end

  local function let_go_on()
    local waiting = signals
    signals = {}
    for _, signal in ipairs(waiting) do
      signal:post()
    end
    t:advance(0)
  end

  -- Pushes without taking the answer.
  local function push(c, event, payload)
    c.protocol:push("room:1", event, payload)
    t:advance(0)
  end

  -- How many answers of which kind have come.
  local function replies(c)
    local count = {}
    for _, reply in pairs(c.replies) do
      local what = reply.status == "ok" and "ok" or reply.response.reason
      count[what] = (count[what] or 0) + 1
    end
    c.replies = {}
    return count
  end

  describe("broadcasts with a handle_out", function()
    local passed

    before_each(function()
      passed = {}
      function Room.handle_out.said(_, payload)
        passed[#passed + 1] = payload.n
        return payload
      end
    end)

    local function broadcast(from, to, text)
      for n = from, to do
        t.endpoint.endpoint:broadcast("room:1", "said", { n = n, text = text })
      end
      t:advance(0)
    end

    it("wait their turn, in order", function()
      start()
      local c = joined()
      c:push("wait", {})
      broadcast(1, 1000)
      assert.same({}, passed)
      let_go_on()
      for n = 1, 1000 do
        assert.equal(n, passed[n])
      end
      assert.equal(0, c.connection.held_bytes - c.connection.channels["room:1"].held_bytes)
      t:finish()
    end)

    it("end the channel past max_queued_events, and nobody else's", function()
      start()
      local slow, quick = joined(), joined()
      slow:push("wait", {})
      broadcast(1, 1001)
      assert.same({ reason = "channel_crash" }, slow:expect "phx_error")
      assert.is_false(slow.closed)
      for n = 1, 1001 do
        assert.equal(n, quick:expect("said").n)
      end
      assert.equal("a channel's callbacks fall behind its broadcasts", t.logged[1].message)
      let_go_on()
      assert.equal(0, slow.connection.held_bytes)
      assert.equal(0, slow.connection.lingering)
      assert.replied(slow:join "room:1", "ok")
      t:finish()
    end)

    it("end the channel past max_held_bytes", function()
      start { max_held_bytes = 10000 }
      local slow = joined()
      slow:push("wait", {})
      broadcast(1, 9, ("x"):rep(1000))
      assert.is_false(pcall(slow.expect, slow, "phx_error"))
      broadcast(10, 10, ("x"):rep(1000))
      slow:expect "phx_error"
      let_go_on()
      t:finish()
    end)

    it("of the callback itself have no bound: they are done before anybody waits", function()
      function Room.handle_in.much(socket)
        for n = 1, 3000 do
          socket:broadcast("said", { n = n })
        end
        return "ok"
      end
      start()
      local a, b = joined(), joined()
      assert.replied(a:push("much", {}), "ok")
      assert.equal(6000, #passed)
      for n = 1, 3000 do
        assert.equal(n, a:expect("said").n)
        assert.equal(n, b:expect("said").n)
      end
      t:finish()
    end)

    it("give each callback a payload of its own", function()
      local given = { n = 1, list = { 1, 2 } }
      function Room.handle_out.said(socket, payload)
        payload.list[#payload.list + 1] = socket.params.name
        payload.n = payload.n + 1
        return payload
      end
      start()
      local a, b = joined { name = "a" }, joined { name = "b" }
      t.endpoint.endpoint:broadcast("room:1", "said", given)
      t:advance(0)
      assert.same({ n = 2, list = { 1, 2, "a" } }, a:expect "said")
      assert.same({ n = 2, list = { 1, 2, "b" } }, b:expect "said")
      assert.same({ n = 1, list = { 1, 2 } }, given)
      t:finish()
    end)

    it("give it text as text, bytes as bytes of its own, nothing as an empty table", function()
      local seen = {}
      function Room.handle_out.said(_, payload)
        seen[#seen + 1] = payload
        if type(payload) == "table" and payload.bytes then
          payload.bytes = payload.bytes .. "!"
        end
        return payload
      end
      start()
      local a, b = joined(), joined()
      local bytes = presence.binary "abc"
      for _, payload in ipairs { '{"a": 1}', bytes } do
        t.endpoint.endpoint:broadcast("room:1", "said", payload)
      end
      t.endpoint.endpoint:broadcast("room:1", "said")
      t:advance(0)
      assert.equal('{"a": 1}', seen[1])
      assert.equal("abc", bytes.bytes)
      for _, c in ipairs { a, b } do
        assert.same({ a = 1 }, c:expect "said")
        assert.equal("abc!", c:expect("said").bytes)
        assert.same({}, c:expect "said")
      end
      t:finish()
    end)
  end)

  it("events are answered busy past max_queued_events, and past max_held_bytes", function()
    start { max_queued_events = 10, max_held_bytes = 5000 }
    local c = joined()
    push(c, "wait")
    for _ = 1, 15 do
      push(c, "echo")
    end
    assert.same({ busy = 5 }, replies(c))
    let_go_on()
    assert.same({ ok = 11 }, replies(c))

    push(c, "wait")
    for _ = 1, 7 do
      push(c, "echo", { text = ("x"):rep(800) })
    end
    assert.same({ busy = 1 }, replies(c))
    let_go_on()
    assert.same({ ok = 7 }, replies(c))
    -- One that need not wait may be as long as a message.
    assert.replied(c:push("echo", { text = ("x"):rep(6000) }), "ok")
    t:finish()
  end)

  it("there is room for a leave; leaves that repeat it are bounded as events are", function()
    start { max_queued_events = 10 }
    local c = joined()
    local join_ref = c.connection.channels["room:1"].join_ref
    push(c, "wait")
    for _ = 1, 12 do
      push(c, "echo")
    end
    for i = 1, 2000 do
      c:send(('[%s,"leave%d","room:1","phx_leave",{}]'):format(join_ref, i))
      if i % 900 == 0 then
        t:advance(10)
      end
    end
    local seen = replies(c)
    assert.equal(2 + 1999, seen.busy)
    let_go_on()
    assert.same({ ok = 12 }, replies(c))
    assert.equal(0, t.endpoint:metrics().channels)
    assert.equal(0, c.connection.held_bytes)
    t:finish()
  end)

  it("joins of one topic leave no more callbacks running than channels are allowed", function()
    start { max_channels = 10 }
    local c = t:client()
    for i = 1, 30 do
      local reply, word = c:join("room:1", { wait = true })
      if i <= 10 then
        assert.same({ nil, "no_reply" }, { reply, word })
      else
        assert.replied(reply, "error", { reason = "too many channels joined" })
      end
    end
    assert.equal(10, #signals)
    assert.equal(9, c.connection.lingering)
    let_go_on()
    assert.equal(0, c.connection.lingering)
    assert.replied(c:join "room:1", "ok")
    t:finish()
  end)

  it("joins and leaves of many topics leave no more either", function()
    start { max_channels = 10 }
    local c = t:client()
    for i = 1, 30 do
      c:join("room:" .. i, { wait = true })
      c:leave("room:" .. i)
      t:advance(1)
    end
    assert.equal(10, #signals)
    let_go_on()
    assert.replied(c:join("room:31", {}), "ok")
    t:finish()
  end)

  it("what joins keep is bounded too: their params, refs and topics", function()
    start({ max_held_bytes = 100000 }, { max_topic_bytes = 100 })
    local c = t:client()
    local long = ("x"):rep(30000)
    for i = 1, 3 do
      assert.replied(c:join("room:" .. i, { text = long }), "ok")
    end
    assert.replied(c:join("room:4", { text = long }), "error",
      { reason = "too much held for this socket" })
    assert.replied(c:join("room:3", { text = long .. long:sub(1, 9000) }), "ok")
    assert.replied(c:leave "room:3", "ok")
    assert.replied(c:join("room:4", { text = long }), "ok")
    assert.replied(c:join("room:" .. long, {}), "error", { reason = "topic too long" })
    c:send(('["%s","1","room:5","phx_join",{}]'):format(long))
    assert.equal("too much held for this socket", c.replies['"1"'].response.reason)
    for i = 1, 4 do
      c:leave("room:" .. i)
    end
    assert.equal(0, c.connection.held_bytes)
    t:finish()
  end)
end)
