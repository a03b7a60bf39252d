-- CVE-2026-32689: a long-poll body of nothing but line feeds was split into a list of as many lines
-- before anybody counted them, and a few requests filled the memory.
local longpoll = require "presence.channels.longpoll"
local presence = require "presence"
local testing = require "presence.testing"

describe("a long-poll body of a million line feeds", function()
  local t, poll, token

  local function request(method, body)
    local status
    poll:handle({
      method = method, path = "/socket/longpoll", body = body,
      query = { vsn = "2.0.0", token = token },
      headers = { ["content-type"] = "application/x-ndjson" }, remote_address = "127.0.0.1",
    }, function(_, _, text)
      status = tonumber(text:match '"status":(%d+)')
      token = text:match '"token":"(%x+)"' or token
    end)
    t.loop:turn()
    return status
  end

  -- What Lua allocates meanwhile.
  local function allocated_kib(fn)
    collectgarbage()
    collectgarbage "stop"
    local before = collectgarbage "count"
    fn()
    local after = collectgarbage "count"
    collectgarbage "restart"
    return after - before
  end

  before_each(function()
    t = testing.new(presence.endpoint { channels = { ["room:*"] = presence.channel() } })
    poll, token = longpoll.new(t.endpoint), nil
    assert.equal(410, request "GET")
  end)

  after_each(function()
    for _, session in pairs(poll.sessions) do session.connection:close() end
    t:advance(60)
    t:finish()
  end)

  for name, bomb in pairs {
    ["line feeds"] = ("\n"):rep(1000000),
    ["spaces between line feeds"] = (" \n"):rep(500000),
    ["messages after them"] = ("\n"):rep(1000000) .. '["1","1","room:1","phx_join",{}]',
  } do
    it("costs no memory and does nothing: " .. name, function()
      local status
      local kib = allocated_kib(function() status = request("POST", bomb) end)
      assert.equal(413, status)
      assert.is_true(kib < 100, "it allocated " .. kib .. " KiB")
      assert.equal(0, t.endpoint:metrics().channels)
      assert.equal(200, request("POST", '["1","1","room:1","phx_join",{}]\n'))
      assert.equal(1, t.endpoint:metrics().channels)
    end)
  end
end)
