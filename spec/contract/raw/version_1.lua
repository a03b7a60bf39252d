--- Version 1 of the protocol: objects in place of arrays, no join_ref in what goes out.

local busted = require "busted"
local assert = require "luassert"
local app = require "spec.contract.raw.app"
local json = require "cjson"
local raw = require "spec.contract.raw.client"
local describe, it = busted.describe, busted.it
local before_each, after_each = busted.before_each, busted.after_each

local unmatched = raw.error '{"reason":"unmatched topic"}'

-- What goes out: refs and payloads are JSON text, `nil` is null.
local function object(ref, topic, event, payload)
  return ('{"topic":%s,"event":%s,"ref":%s,"payload":%s}'):format(json.encode(topic),
    json.encode(event), ref or "null", payload or "{}")
end

-- What comes in may have a join_ref.
local function inbound(ref, topic, event, payload, join_ref)
  local text = object(ref, topic, event, payload)
  return join_ref and text:sub(1, -2) .. ',"join_ref":' .. join_ref .. "}" or text
end

local function count(map)
  local n = 0
  for _ in pairs(map) do n = n + 1 end
  return n
end

return function(platform)
  local stage, client = raw.stage(platform), nil

  before_each(function()
    stage.start(app.endpoint())
    client = stage.open { vsn = "1.0.0" }
  end)

  after_each(function() stage.finish() end)

  local function send(...) client:text(inbound(...)) end
  local function expect(...) client:expect(object(...)) end

  -- Nothing is on its way: the answer to a heartbeat comes first.
  local function expect_nothing()
    send('"beat"', "phoenix", "heartbeat")
    expect('"beat"', "phoenix", "phx_reply", raw.ok())
  end

  -- `ref` is the join_ref too, unless `join_ref` is false.
  local function join(topic, ref, params, join_ref)
    send(ref, topic, "phx_join", params, join_ref == nil and ref or join_ref)
    expect(ref, topic, "phx_reply", raw.ok())
  end

  local function next_event(event)
    local message = json.decode(client:next())
    assert.equal(event, message.event)
    assert.is_nil(message.join_ref)
    return message.payload, message
  end

  it("a heartbeat is answered, with the ref as it came", function()
    for _, ref in ipairs { '"1"', '"a\\u00e9"', "7", "1.50", "null" } do
      send(ref, "phoenix", "heartbeat")
      expect(ref, "phoenix", "phx_reply", raw.ok())
    end
  end)

  it("members come in any order, beside others, and the last of a name counts", function()
    client:text(' { "ref" : "1" , "x" : [1] , "payload" : {} , "event" : "nothing" ,'
      .. ' "topic" : "phoenix", "event" : "heart\\u0062eat", "join_ref": null } ')
    expect('"1"', "phoenix", "phx_reply", raw.ok())
  end)

  it("a join is accepted, rejected, crashed, unmatched", function()
    join("plain:1", '"1"')
    send('"2"', "plain:2", "phx_join", '{"reject":{"why":"full"}}', '"2"')
    expect('"2"', "plain:2", "phx_reply", raw.error '{"why":"full"}')
    send('"3"', "plain:3", "phx_join", '{"raise":true}', '"3"')
    expect('"3"', "plain:3", "phx_reply", raw.error '{"reason":"join crashed"}')
    send('"4"', "nowhere", "phx_join", "{}", '"4"')
    expect('"4"', "nowhere", "phx_reply", unmatched)
    send('"5"', "plain:4", "echo")
    expect('"5"', "plain:4", "phx_reply", unmatched)
    expect_nothing()
  end)

  it("an event is answered, without a join_ref and with the one of the join", function()
    join("plain:1", '"1"')
    send('"2"', "plain:1", "echo", '{"a":"é"}')
    expect('"2"', "plain:1", "phx_reply", raw.ok '{"a":"é"}')
    send('"3"', "plain:1", "fail", '{"n":1}', '"1"')
    expect('"3"', "plain:1", "phx_reply", raw.error '{"n":1}')
  end)

  it("an event or a leave with a stale join_ref is dropped", function()
    join("plain:1", '"7"')
    send('"8"', "plain:1", "echo", "{}", '"6"')
    send('"9"', "plain:1", "echo", "{}", "7")
    send('"10"', "plain:1", "phx_leave", "{}", '"6"')
    expect_nothing()
  end)

  it("a client without join_refs joins, speaks and leaves", function()
    join("plain:1", '"1"', "{}", false)
    send('"2"', "plain:1", "echo", '{"a":1}')
    expect('"2"', "plain:1", "phx_reply", raw.ok '{"a":1}')
    send('"3"', "plain:1", "phx_leave")
    expect('"3"', "plain:1", "phx_reply", raw.ok())
    expect(nil, "plain:1", "phx_close", "{}")
  end)

  it("a leave is answered, then phx_close has the join_ref as its ref", function()
    join("plain:1", '"1"')
    send('"2"', "plain:1", "phx_leave", "{}", '"1"')
    expect('"2"', "plain:1", "phx_reply", raw.ok())
    expect('"1"', "plain:1", "phx_close", "{}")
    send('"3"', "plain:1", "phx_leave")
    expect('"3"', "plain:1", "phx_reply", raw.ok())
    expect_nothing()
  end)

  it("a second join is answered, then the old channel closes", function()
    join("plain:1", '"1"')
    join("plain:1", '"2"')
    expect('"1"', "plain:1", "phx_close", "{}")
    send('"3"', "plain:1", "echo", "{}", '"1"')
    send('"4"', "plain:1", "echo", "{}", '"2"')
    expect('"4"', "plain:1", "phx_reply", raw.ok())
  end)

  it("a handler that raises, and an unknown event, end their channel only", function()
    join("plain:1", '"1"')
    join("plain:2", '"2"')
    send('"3"', "plain:1", "raise")
    expect('"1"', "plain:1", "phx_error", '{"reason":"channel_crash"}')
    send('"4"', "plain:2", "phx_reply", raw.ok())
    expect('"2"', "plain:2", "phx_error", '{"reason":"channel_crash"}')
    join("plain:1", '"5"')
  end)

  it("pushes and broadcasts have a null ref", function()
    join("plain:1", '"1"')
    send('"2"', "plain:1", "push_back", '{"a":1}')
    expect(nil, "plain:1", "pushed", '{"a":1}')
    send('"3"', "plain:1", "shout", '{"b":2}')
    expect(nil, "plain:1", "shout", '{"b":2}')
    expect('"3"', "plain:1", "phx_reply", raw.ok())
  end)

  it("clients of both versions share a topic", function()
    local other = stage.open()
    other:join("plain:1", '"1"')
    join("plain:1", '"1"')
    send('"2"', "plain:1", "whisper", '{"from":1}')
    expect('"2"', "plain:1", "phx_reply", raw.ok())
    other:expect(nil, nil, "plain:1", "whisper", '{"from":1}')
    other:push('"1"', '"3"', "plain:1", "whisper", '{"from":2}')
    expect(nil, "plain:1", "whisper", '{"from":2}')
  end)

  it("presence comes as state, then as diffs", function()
    join("room:1", '"1"', '{"key":"ann"}')
    local state = next_event "presence_state"
    assert.is_string(state.ann.metas[1].phx_ref)
    local ben = stage.open()
    ben:enter("room:1", '"1"', '{"key":"ben"}')
    local diff = next_event "presence_diff"
    assert.equal(1, count(diff.joins))
    assert.is_string(diff.joins.ben.metas[1].phx_ref)
    ben:vanish()
    assert.truthy(next_event("presence_diff").leaves.ben)
  end)

  describe("a message that is none closes the whole socket, 1011:", function()
    local deep = ("["):rep(1000) .. ("]"):rep(1000)
    for what, text in pairs {
      ["no JSON"] = "hello",
      ["an array, as version 2 has it"] = '[null,"1","phoenix","heartbeat",{}]',
      ["no topic"] = '{"event":"heartbeat","payload":{},"ref":"1"}',
      ["no event"] = '{"topic":"phoenix","payload":{},"ref":"1"}',
      ["no payload"] = '{"topic":"phoenix","event":"heartbeat","ref":"1"}',
      ["no ref"] = '{"topic":"phoenix","event":"heartbeat","payload":{}}',
      ["a topic that is no string"] = '{"topic":1,"event":"heartbeat","payload":{},"ref":"1"}',
      ["a ref that is an object"] = '{"topic":"phoenix","event":"heartbeat","payload":{},"ref":{}}',
      ["a payload that is nested too deep"] = inbound('"1"', "phoenix", "heartbeat", deep),
    } do
      it(what, function()
        client:text(text)
        client:expect_close(1011)
      end)
    end
  end)

  it("invalid UTF-8 closes 1007, a binary message 1003", function()
    client:text '{"topic":"\255","event":"heartbeat","payload":{},"ref":"1"}'
    client:expect_close(1007)
    client = stage.open { vsn = "1.0.0" }
    client:bytes(raw.frame(raw.binary, "\0\0\1\7\9" .. "1phoenixheartbeat"))
    client:expect_close(1003)
  end)
end
