-- Mistakes of callers came out as errors of this project's own files ("attempt to index a number
-- value"), or named the caller's caller.
-- Held as long as the tests are: busted forgets a file's modules after it, and luv closes its loop
-- when it is collected, which the next file that loads it would still use.
local luv = require "luv"
local manual_loop = require "presence.manual.loop"
local presence = require "presence"
local testing = require "presence.testing"

describe("a mistake of the caller", function()
  local rt, t, c, endpoint

  before_each(function()
    rt = presence.new { loop = manual_loop.new() }
    rt.track({ topic = "t", pid = 1 }, "k", {})
    endpoint = presence.endpoint { channels = { ["room:*"] = presence.channel() } }
    t = testing.new(endpoint)
    c = t:client()
    c:join "room:1"
  end)

  local socket = { topic = "t", pid = 1 }
  local mistakes = {
    ["track: meta must be a JSON object"] = function() local x = rt.track(socket, "k") return x end,
    ["update: meta must be a JSON object"] = function()
      local x = rt.update(socket, "k", 5)
      return x
    end,
    ["put: key must be a string, got nil"] = function() local x = rt.put(socket) return x end,
    ["track: options must be a table, got number"] = function()
      local x = rt.track(socket, "k", {}, 7)
      return x
    end,
    ["untrack: needs a socket"] = function() local x = rt.untrack "t" return x end,
    ["list: topic must be a string, got nil"] = function() local x = rt.list() return x end,
    ["count: topic must be a string, got table"] = function() local x = rt.count {} return x end,
    ["get_by_key: key must be a string, got nil"] = function()
      local x = rt.get_by_key "t"
      return x
    end,
    ["online: keys must be an array of strings"] = function()
      local x = rt.online "t"
      return x
    end,
    ["online: a key must be a string, got number"] = function()
      local x = rt.online("t", { 5 })
      return x
    end,
    ["topics: prefix must be a string, got number"] = function()
      local x = rt.topics(5)
      return x
    end,
    ["where: key must be a string, got nil"] = function() local x = rt.where() return x end,
    ["spawn: needs a function, got string"] = function()
      local x = rt.process.spawn "x"
      return x
    end,
    ["broadcast: event must be a string, got nil"] = function()
      local x = rt.pubsub:broadcast "t"
      return x
    end,
    ["broadcast: event is not UTF-8"] = function()
      local x = rt.pubsub:broadcast("t", "\255", {})
      return x
    end,
    ["broadcast_from: event must be a string"] = function()
      local x = rt.pubsub:broadcast_from(1, "t")
      return x
    end,
    ["join: topic must be a string, got nil"] = function() local x = c:join() return x end,
    ["push: event must be a string, got nil"] = function() local x = c:push() return x end,
    ["expect: event must be a string, got nil"] = function() local x = c:expect() return x end,
    ["send: data must be a string, got nil"] = function() local x = c:send() return x end,
    ["client: params must be a table, got string"] = function()
      local x = t:client "ann"
      return x
    end,
    ["advance: seconds must be a number from 0 on, got nil"] = function()
      local x = t:advance()
      return x
    end,
  }

  for message, make in pairs(mistakes) do
    it("is said there: " .. message, function()
      local ok, raised = pcall(make)
      assert.is_false(ok)
      assert.matches("misuse_is_said_where_it_is_made_spec.lua:%d+: ", raised)
      assert.matches(message, raised, 1, true)
    end)
  end

  it("is said there for serve too", function()
    assert.is_function(luv.run)
    local function serve_wrong(...) local x = presence.serve(...) return x end
    for message, arguments in pairs {
      ["needs an endpoint"] = { true },
      ["unknown option 'prot'"] = { endpoint, { prot = 1 } },
      ["port must be an integer"] = { endpoint, { port = 0.5 } },
      ["runtime must be a runtime on luv's loop, its loop is manual"] = {
        endpoint, { runtime = rt },
      },
      ["runtime must be a runtime on luv's loop"] = { endpoint, { runtime = "mine" } },
    } do
      local ok, raised = pcall(serve_wrong, arguments[1], arguments[2])
      assert.is_false(ok)
      assert.matches("misuse_is_said_where_it_is_made_spec.lua:%d+: serve: ", raised)
      assert.matches(message, raised, 1, true)
    end
  end)

  it("in an event's name breaks no broadcast half way", function()
    local heard
    rt.process.spawn(function()
      rt.pubsub:subscribe "room:1"
      heard = rt.process.receive()
    end)
    local bound = endpoint:bind(rt)
    local connection = bound:connect({ query = { vsn = "2.0.0" }, headers = {} },
      { framing = "message", send = function() end, close = function() end })
    connection:receive('["1","1","room:1","phx_join",{}]')
    assert.is_false(pcall(rt.pubsub.broadcast, rt.pubsub, "room:1", "\255", {}))
    rt.loop:advance(1)
    assert.is_nil(heard)
  end)
end)
