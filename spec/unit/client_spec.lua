local client = require "presence.client"

describe("the client", function()
  local sent, c

  before_each(function()
    sent = {}
    c = client.new {
      send = function(text)
        sent[#sent + 1] = text
      end,
    }
  end)

  it("writes joins, pushes, leaves and heartbeats as phoenix.js does", function()
    c:join("room:1", { a = 1 })
    c:push("room:1", "shout", '{"raw":[]}')
    c:push("room:2", "shout")
    c:leave "room:1"
    c:heartbeat()
    assert.same({
      '["1","1","room:1","phx_join",{"a":1}]',
      '["1","2","room:1","shout",{"raw":[]}]',
      '[null,"3","room:2","shout",{}]',
      '["1","4","room:1","phx_leave",{}]',
      '[null,"5","phoenix","heartbeat",{}]',
    }, sent)
  end)

  local function receive(...)
    return c:receive(string.format(...))
  end

  local function refs(topic)
    local seen = {}
    for key, entry in pairs(c:presences(topic)) do
      for _, meta in ipairs(entry.metas) do
        seen[#seen + 1] = key .. meta.phx_ref
      end
    end
    table.sort(seen)
    return table.concat(seen, " ")
  end

  it("mirrors state and diffs by phx_ref, joins before leaves", function()
    c:join "t"
    receive '["1",null,"t","presence_state",{"a":{"metas":[{"phx_ref":"1"},{"phx_ref":"2"}]}}]'
    assert.equal("a1 a2", refs "t")
    receive('[null,null,"t","presence_diff",'
      .. '{"joins":{"b":{"metas":[{"phx_ref":"3"}]}},"leaves":{}}]')
    receive('[null,null,"t","presence_diff",{"joins":{"a":{"metas":[{"phx_ref":"4"}]}},'
      .. '"leaves":{"a":{"metas":[{"phx_ref":"2"}]}}}]')
    assert.equal("a1 a4 b3", refs "t")
    receive('[null,null,"t","presence_diff",{"joins":{},"leaves":{"b":{"metas":[{"phx_ref":"3"}]},'
      .. '"nobody":{"metas":[{"phx_ref":"9"}]}}}]')
    assert.equal("a1 a4", refs "t")
  end)

  it("queues diffs that come before the state, and applies them to it", function()
    c:join "t"
    receive('[null,null,"t","presence_diff",'
      .. '{"joins":{"b":{"metas":[{"phx_ref":"3"}]}},"leaves":{}}]')
    assert.equal("", refs "t")
    receive '["1",null,"t","presence_state",{"a":{"metas":[{"phx_ref":"1"}]}}]'
    assert.equal("a1 b3", refs "t")
  end)

  it("drops frames of an earlier join", function()
    c:join "t"
    c:join "t"
    assert.is_nil(receive '["1",null,"t","presence_state",{"a":{"metas":[{"phx_ref":"1"}]}}]')
    assert.equal("", refs "t")
    assert.is_table(receive '["2",null,"t","presence_state",{"a":{"metas":[{"phx_ref":"1"}]}}]')
  end)

  it("forgets a topic that was closed or failed", function()
    c:join "t"
    receive '["1",null,"t","presence_state",{"a":{"metas":[{"phx_ref":"1"}]}}]'
    receive '["1","1","t","phx_error",{}]'
    assert.same({}, c:presences "t")
  end)

  it("raises on what is not a message", function()
    assert.error_matches(function()
      c:receive "{}"
    end, "malformed")
    assert.error_matches(function()
      client.new {}
    end, "send")
  end)

  it("raises on what is no message, where it was handed on", function()
    local function user()
      local message = c:receive "hello"
      return message
    end
    assert.matches("client_spec.lua:%d+: the server sent a malformed message",
      (select(2, pcall(user))))
  end)
end)
