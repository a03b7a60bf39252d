local presence = require "presence"
local testing = require "presence.testing"
require "presence.testing.assertions"

describe("an endpoint", function()
  local function endpoint(opts)
    opts.channels = opts.channels or { ["room:*"] = presence.channel() }
    return presence.endpoint(opts)
  end

  describe("connect", function()
    it("refuses with the application's reason and status", function()
      local t = testing.new(endpoint {
        connect = function(params)
          if params.user_id == "rate" then
            return nil, "slow down", 429
          end
          return nil, "no user"
        end,
      })
      local c, status, reason = t:client {}
      assert.same({ nil, 403, "no user" }, { c, status, reason })
      c, status, reason = t:client { user_id = "rate" }
      assert.same({ nil, 429, "slow down" }, { c, status, reason })
      assert.equal(2, t.endpoint:metrics().refused_total)
      t:finish()
    end)

    it("that raises is a 500, and logged", function()
      local t = testing.new(endpoint {
        connect = function()
          error "boom"
        end,
      })
      local c, status = t:client {}
      assert.same({ nil, 500 }, { c, status })
      assert.matches("connect raised:.*boom", t.logged[1].message)
    end)

    it("gets the query and the request", function()
      local seen
      local t = testing.new(endpoint {
        connect = function(params, request)
          seen = { params.user_id, request.headers["x-y"], request.remote_address, request.path }
          return true
        end,
      })
      t:client({ user_id = "ann" }, { headers = { ["x-y"] = "z" }, remote_address = "10.0.0.1" })
      assert.same({ "ann", "z", "10.0.0.1", "/socket/websocket" }, seen)
      t:finish()
    end)

    it("speaks versions 1 and 2 of the protocol, no other", function()
      local t = testing.new(endpoint {})
      local c, status = t:client { vsn = "3.0.0" }
      assert.same({ nil, 403 }, { c, status })
      assert.is_table(t:client { vsn = "2.0.1" })
      assert.is_table(t:client { vsn = "1.0.1" })
      t:finish()
    end)
  end)

  it("matches the exact pattern first, then the longest prefix", function()
    local exact, long, short = presence.channel(), presence.channel(), presence.channel()
    local e = endpoint {
      channels = { ["room:*"] = short, ["room:vip:*"] = long, ["room:1"] = exact },
    }
    assert.equal(exact, e:match "room:1")
    assert.equal(long, e:match "room:vip:1")
    assert.equal(short, e:match "room:2")
    assert.equal(short, e:match "room:")
    assert.is_nil(e:match "room")
  end)

  it("disconnects every socket of an id with 1001", function()
    local e = endpoint {
      connect = function(params)
        return { user = params.user }
      end,
      id = function(assigns)
        return "user:" .. assigns.user
      end,
    }
    local t = testing.new(e)
    local a1, a2, b = t:client { user = "a" }, t:client { user = "a" }, t:client { user = "b" }
    assert.equal(2, e:disconnect "user:a")
    t:advance(0)
    assert.same({ 1001, 1001, false }, { a1.closed, a2.closed, b.closed })
    assert.equal(0, e:disconnect "user:a")
    t:finish()
  end)

  it("refuses a client whose id can name no socket, or raises", function()
    for _, id in ipairs { 0 / 0, {}, true, "raise" } do
      local t = testing.new(endpoint {
        id = function()
          return id == "raise" and error "boom" or id
        end,
      })
      local c, status = t:client {}
      assert.same({ nil, 500 }, { c, status })
      assert.matches("^id ", t.logged[1].message)
    end
    local e = endpoint {
      id = function()
        return 7
      end,
    }
    local t = testing.new(e)
    t:client {}
    assert.equal(1, e:disconnect(7))
    t:finish()
  end)

  it("closes an idle connection, not with 1000, and keeps one that sends", function()
    local t = testing.new(endpoint { idle_timeout_s = 60 })
    local idle, busy = t:client {}, t:client {}
    for _ = 1, 10 do
      t:advance(10)
      busy.protocol:heartbeat()
    end
    assert.equal(1001, idle.closed)
    assert.is_false(busy.closed)
    t:finish()
  end)

  it("drains: 1012, spread over time, and nobody new", function()
    local e = endpoint {}
    local t = testing.new(e)
    local clients = {}
    for i = 1, 10 do
      clients[i] = t:client {}
    end
    e:drain { spread_s = 1 }
    local c, status = t:client {}
    assert.same({ nil, 503 }, { c, status })
    t:advance(0.45)
    local closed = 0
    for _, one in ipairs(clients) do
      closed = closed + (one.closed == 1012 and 1 or 0)
    end
    assert.equal(5, closed)
    t:advance(1)
    assert.equal(0, e:metrics().connections)
    t:finish()
  end)

  it("sets no timer for a token that outlives its socket", function()
    local t = testing.new(endpoint {
      expires_at = function()
        return 1000000000 + 3600
      end,
    })
    local closed, kicked = t:client {}, t:client {}
    closed:close()
    kicked:send "no message"
    assert.equal(1011, kicked.closed)
    t:finish()
  end)

  -- In which order connections ended, told by their channels.
  local function ends_of(opts, act)
    local ended = {}
    opts.channels = {
      ["room:*"] = presence.channel {
        terminate = function(socket)
          ended[#ended + 1] = socket.params.n
        end,
      },
    }
    opts.id = function()
      return "everybody"
    end
    local t = testing.new(endpoint(opts))
    for i = 1, 50 do
      local c = t:client {}
      c:join("room:b", { n = i })
      c:join("room:a", { n = i + 0.5 })
    end
    act(t)
    local expected = {}
    for i = 1, 100 do
      expected[i] = 0.5 + i / 2
    end
    assert.same(expected, ended)
    t:finish()
  end

  it("ends connections in the order they came, their channels as they were joined", function()
    ends_of({}, function(t)
      t.endpoint:disconnect "everybody"
    end)
    ends_of({}, function(t)
      t.endpoint:drain()
    end)
    ends_of({}, function(t)
      t.endpoint:drain { spread_s = 1 }
      t:advance(1)
    end)
    ends_of({ idle_timeout_s = 60 }, function(t)
      t:advance(80)
    end)
  end)

  it("limits the channels of a socket", function()
    local t = testing.new(endpoint { max_channels = 2 })
    local c = t:client {}
    assert.replied(c:join "room:1", "ok")
    assert.replied(c:join "room:2", "ok")
    assert.replied(c:join "room:3", "error", { reason = "too many channels joined" })
    c:leave "room:1"
    assert.replied(c:join "room:3", "ok")
    t:finish()
  end)

  it("limits messages a second, and says when to try again", function()
    local t = testing.new(endpoint { max_messages_per_s = 10, max_messages_burst = 3 })
    local c = t:client {}
    assert.replied(c:join "room:1", "ok")
    assert.replied(c:join "room:2", "ok")
    assert.replied(c:join "room:3", "ok")
    local reply = c:join "room:4"
    assert.replied(reply, "error", { reason = "rate limited", retry_after_ms = 100 })
    t:advance(0.1)
    assert.replied(c:join "room:4", "ok")
    t:finish()
  end)

  it("refuses a description that is wrong", function()
    for _, case in ipairs {
      { { channels = "x" }, "channels must be a table" },
      { {}, "channels must be a table" },
      { { channels = { ["a*b"] = presence.channel() } }, "stands at the end" },
      { { channels = { ["a:*"] = {} } }, "not made by presence.channel" },
      { { channels = {}, connect = 1 }, "connect must be a function" },
      { { channels = {}, mount = "socket" }, "begins with /" },
      { { channels = {}, chanels = {} }, "unknown option 'chanels'" },
    } do
      assert.error_matches(function()
        presence.endpoint(case[1])
      end, case[2])
    end
  end)

  it("says so when no server serves it", function()
    assert.error_matches(function()
      endpoint({}):broadcast("room:1", "x", {})
    end, "no server serves this endpoint")
  end)
end)
