--- What goes out for what comes in: joins, events, leaves.

local busted = require "busted"
local assert = require "luassert"
local app = require "spec.contract.raw.app"
local raw = require "spec.contract.raw.client"
local describe, it = busted.describe, busted.it
local before_each, after_each = busted.before_each, busted.after_each

local unmatched = raw.error '{"reason":"unmatched topic"}'
local crashed = '{"reason":"channel_crash"}'

return function(platform)
  local stage, client = raw.stage(platform), nil

  before_each(function()
    stage.start(app.endpoint())
    client = stage.open()
  end)

  after_each(function() stage.finish() end)

  describe("heartbeat", function()
    it("is answered without any join, with the ref as it came", function()
      for _, ref in ipairs { '"1"', '"a\\u00e9"', "7", "1.50", "null" } do
        client:send(nil, ref, "phoenix", "heartbeat")
        client:expect(nil, ref, "phoenix", "phx_reply", raw.ok())
      end
    end)

    it("takes extra elements and white space", function()
      client:text ' [ null , "1" , "phoenix" , "heartbeat" , { } , "extra" , [1] ] '
      client:expect(nil, '"1"', "phoenix", "phx_reply", raw.ok())
    end)
  end)

  describe("join", function()
    it("is accepted with ok, the first frame of its topic", function()
      client:send('"1"', '"2"', "plain:1", "phx_join")
      client:expect('"1"', '"2"', "plain:1", "phx_reply", raw.ok())
      client:expect_nothing()
    end)

    it("is accepted with what the application replies", function()
      client:send('"1"', '"1"', "plain:1", "phx_join", '{"reply":{"welcome":[1,2]}}')
      client:expect('"1"', '"1"', "plain:1", "phx_reply", raw.ok '{"welcome":[1,2]}')
    end)

    it("is rejected with what the application says, and the channel ends", function()
      client:send('"1"', '"1"', "plain:1", "phx_join", '{"reject":{"why":"full"}}')
      client:expect('"1"', '"1"', "plain:1", "phx_reply", raw.error '{"why":"full"}')
      client:send('"1"', '"2"', "plain:1", "echo")
      client:expect(nil, '"2"', "plain:1", "phx_reply", unmatched)
    end)

    it("is rejected with a string as the reason", function()
      client:send('"1"', '"1"', "plain:1", "phx_join", '{"reject":"full \\"up\\""}')
      client:expect('"1"', '"1"', "plain:1", "phx_reply", raw.error '{"reason":"full \\"up\\""}')
      client:expect_nothing()
    end)

    it("may be tried again after it was rejected", function()
      client:send('"1"', '"1"', "plain:1", "phx_join", '{"reject":"full"}')
      client:expect('"1"', '"1"', "plain:1", "phx_reply", raw.error '{"reason":"full"}')
      client:join("plain:1", '"2"')
    end)

    it("whose callback raises says that the join crashed", function()
      client:send('"1"', '"1"', "plain:1", "phx_join", '{"raise":true}')
      client:expect('"1"', '"1"', "plain:1", "phx_reply", raw.error '{"reason":"join crashed"}')
      client:send('"1"', '"2"', "plain:1", "echo")
      client:expect(nil, '"2"', "plain:1", "phx_reply", unmatched)
    end)

    it("of a topic that nothing matches has no join_ref in its reply", function()
      for _, topic in ipairs { "nowhere", "lobby:1", "plain", "", "pläin:1" } do
        client:send('"1"', '"1"', topic, "phx_join")
        client:expect(nil, '"1"', topic, "phx_reply", unmatched)
      end
    end)

    it("matches exact topics and prefixes", function()
      client:join("lobby", '"1"')
      client:join("plain:", '"2"')
      client:join('plain:a"\\\n✓', '"3"')
    end)

    it("refs may be numbers, which are not strings", function()
      client:send("1", "2", "plain:1", "phx_join")
      client:expect("1", "2", "plain:1", "phx_reply", raw.ok())
      client:send('"1"', '"3"', "plain:1", "echo") -- stale
      client:push("1", "4", "plain:1", "echo")
    end)
  end)

  it("one channel too many is refused, those there are live on", function()
    for i = 1, 100 do
      client:join("plain:" .. i, ('"%d"'):format(i))
    end
    client:send('"x"', '"x"', "plain:101", "phx_join")
    client:expect('"x"', '"x"', "plain:101", "phx_reply",
      raw.error '{"reason":"too many channels joined"}')
    client:push('"100"', '"y"', "plain:100", "echo")
    client:send('"1"', '"z"', "plain:1", "phx_leave")
    client:expect('"1"', '"z"', "plain:1", "phx_reply", raw.ok())
    client:expect('"1"', '"1"', "plain:1", "phx_close", "{}")
    client:join("plain:101", '"x"')
  end)

  describe("a second join of a topic", function()
    it("is answered, then the old channel closes, then the new one speaks", function()
      client:send('"1"', '"1"', "late:1", "phx_join", '{"key":"ann"}')
      client:expect('"1"', '"1"', "late:1", "phx_reply", raw.ok())
      client:expect('"1"', nil, "late:1", "welcome", "{}")
      client:expect_event("presence_state", "late:1")
      client:send('"2"', '"2"', "late:1", "phx_join", '{"key":"ann"}')
      client:expect('"2"', '"2"', "late:1", "phx_reply", raw.ok())
      client:expect('"1"', '"1"', "late:1", "phx_close", "{}")
      client:expect('"2"', nil, "late:1", "welcome", "{}")
      client:expect_event("presence_state", "late:1")
      client:push('"2"', '"3"', "late:1", "echo")
    end)

    it("that is rejected ends the old channel all the same", function()
      client:join("plain:1", '"1"')
      client:send('"2"', '"2"', "plain:1", "phx_join", '{"reject":"no"}')
      client:expect('"2"', '"2"', "plain:1", "phx_reply", raw.error '{"reason":"no"}')
      client:expect('"1"', '"1"', "plain:1", "phx_close", "{}")
      client:send(nil, '"3"', "plain:1", "echo")
      client:expect(nil, '"3"', "plain:1", "phx_reply", unmatched)
    end)

    it("makes the events and leaves of the old one stale", function()
      client:join("plain:1", '"1"')
      client:send('"2"', '"2"', "plain:1", "phx_join")
      client:expect('"2"', '"2"', "plain:1", "phx_reply", raw.ok())
      client:expect('"1"', '"1"', "plain:1", "phx_close", "{}")
      client:send('"1"', '"3"', "plain:1", "echo")
      client:send('"1"', '"4"', "plain:1", "phx_leave")
      client:expect_nothing()
      client:push('"2"', '"5"', "plain:1", "echo")
    end)
  end)

  describe("event", function()
    it("is answered with the handler's status and response, its JSON's meaning kept", function()
      client:join("plain:1", '"1"')
      client:send('"1"', '"2"', "plain:1", "echo", '{"text":"hé ✓ \\" \\\\"}')
      local _, message = client:expect_event("phx_reply", "plain:1")
      assert.equal('hé ✓ " \\', message[5].response.text)
      client:send('"1"', '"3"', "plain:1", "fail", '{"n":1}')
      client:expect('"1"', '"3"', "plain:1", "phx_reply", raw.error '{"n":1}')
    end)

    it("may be answered with nothing", function()
      client:join("plain:1", '"1"')
      client:send('"1"', '"2"', "plain:1", "silent")
      client:expect_nothing()
    end)

    it("on a topic that is not joined is answered like an unmatched topic", function()
      client:send('"1"', '"2"', "plain:1", "echo")
      client:expect(nil, '"2"', "plain:1", "phx_reply", unmatched)
      client:send(nil, '"3"', "nowhere", "echo")
      client:expect(nil, '"3"', "nowhere", "phx_reply", unmatched)
      client:send(nil, '"4"', "phoenix", "other")
      client:expect(nil, '"4"', "phoenix", "phx_reply", unmatched)
    end)

    it("with a stale join_ref is dropped", function()
      client:join("plain:1", '"7"')
      client:send('"6"', '"8"', "plain:1", "echo")
      client:send("7", '"9"', "plain:1", "echo")
      client:expect_nothing()
    end)

    it("with a null join_ref is accepted", function()
      client:join("plain:1", '"7"')
      client:send(nil, '"8"', "plain:1", "echo", '{"a":1}')
      client:expect('"7"', '"8"', "plain:1", "phx_reply", raw.ok '{"a":1}')
    end)

    it("whose handler raises ends its channel only, without a reply", function()
      client:join("plain:1", '"1"')
      client:join("plain:2", '"2"')
      client:send('"1"', '"3"', "plain:1", "raise")
      client:expect('"1"', '"1"', "plain:1", "phx_error", crashed)
      client:push('"2"', '"4"', "plain:2", "echo")
      client:send('"1"', '"5"', "plain:1", "echo")
      client:expect(nil, '"5"', "plain:1", "phx_reply", unmatched)
      client:join("plain:1", '"6"')
    end)

    it("that the channel does not know ends it like one that raises", function()
      client:join("plain:1", '"1"')
      client:send('"1"', '"2"', "plain:1", "no_such_event")
      client:expect('"1"', '"1"', "plain:1", "phx_error", crashed)
      client:expect_nothing()
    end)

    for _, event in ipairs { "phx_close", "phx_error", "phx_reply" } do
      it(event .. " of a client is an event that no channel knows", function()
        client:send('"1"', '"1"', "plain:1", event)
        client:expect(nil, '"1"', "plain:1", "phx_reply", unmatched)
        client:join("plain:1", '"2"')
        client:join("plain:2", '"3"')
        client:send('"2"', '"4"', "plain:1", event)
        client:expect('"2"', '"2"', "plain:1", "phx_error", crashed)
        client:push('"3"', '"5"', "plain:2", "echo")
      end)
    end

    it("may stop the channel", function()
      client:join("plain:1", '"1"')
      client:send('"1"', '"2"', "plain:1", "stop")
      client:expect('"1"', '"1"', "plain:1", "phx_close", "{}")
      client:expect_nothing()
    end)

    it("may be answered and stop the channel", function()
      client:join("plain:1", '"1"')
      client:send('"1"', '"2"', "plain:1", "answer_and_stop")
      client:expect('"1"', '"2"', "plain:1", "phx_reply", raw.ok())
      client:expect('"1"', '"1"', "plain:1", "phx_close", "{}")
      client:expect_nothing()
    end)

    it("on a channel that just crashed or stopped, in the same segment, is not lost", function()
      client:join("plain:1", '"1"')
      client:send_all {
        { '"1"', '"2"', "plain:1", "raise" },
        { '"1"', '"3"', "plain:1", "echo" },
        { nil, '"4"', "phoenix", "heartbeat" },
      }
      client:expect('"1"', '"1"', "plain:1", "phx_error", crashed)
      client:expect(nil, '"3"', "plain:1", "phx_reply", unmatched)
      client:expect(nil, '"4"', "phoenix", "phx_reply", raw.ok())
    end)
  end)

  describe("push and broadcast", function()
    it("a push carries the join_ref and a null ref", function()
      client:join("plain:1", '"1"')
      client:send('"1"', '"2"', "plain:1", "push_back", '{"a":[1]}')
      client:expect('"1"', nil, "plain:1", "pushed", '{"a":[1]}')
    end)

    it("a broadcast carries neither, and reaches everybody on the topic", function()
      local other, elsewhere = stage.open(), stage.open()
      client:join("plain:1", '"1"')
      other:join("plain:1", '"9"')
      elsewhere:join("plain:2", '"1"')
      client:send('"1"', '"2"', "plain:1", "shout", '{"a":1}')
      client:expect(nil, nil, "plain:1", "shout", '{"a":1}')
      client:expect('"1"', '"2"', "plain:1", "phx_reply", raw.ok())
      other:expect(nil, nil, "plain:1", "shout", '{"a":1}')
      elsewhere:expect_nothing()
    end)

    it("broadcast_from passes the sender over", function()
      local other = stage.open()
      client:join("plain:1", '"1"')
      other:join("plain:1", '"9"')
      client:push('"1"', '"2"', "plain:1", "whisper", '{"a":1}')
      client:expect_nothing()
      other:expect(nil, nil, "plain:1", "whisper", '{"a":1}')
    end)
  end)

  describe("leave", function()
    it("is answered, then the channel closes", function()
      client:join("plain:1", '"1"')
      client:send('"1"', '"2"', "plain:1", "phx_leave")
      client:expect('"1"', '"2"', "plain:1", "phx_reply", raw.ok())
      client:expect('"1"', '"1"', "plain:1", "phx_close", "{}")
      client:send('"1"', '"3"', "plain:1", "echo")
      client:expect(nil, '"3"', "plain:1", "phx_reply", unmatched)
    end)

    it("of a topic that is not joined is answered ok, and that is all", function()
      client:send('"1"', '"2"', "plain:1", "phx_leave")
      client:expect('"1"', '"2"', "plain:1", "phx_reply", raw.ok())
      client:expect_nothing()
    end)

    it("with a stale join_ref is dropped", function()
      client:join("plain:1", '"2"')
      client:send('"1"', '"3"', "plain:1", "phx_leave")
      client:expect_nothing()
      client:push('"2"', '"4"', "plain:1", "echo")
    end)

    it("gets nothing of the topic after its phx_close", function()
      local other = stage.open()
      client:join("plain:1", '"1"')
      other:join("plain:1", '"1"')
      client:send('"1"', '"2"', "plain:1", "phx_leave")
      client:expect('"1"', '"2"', "plain:1", "phx_reply", raw.ok())
      client:expect('"1"', '"1"', "plain:1", "phx_close", "{}")
      other:send('"1"', '"2"', "plain:1", "shout")
      other:expect(nil, nil, "plain:1", "shout", "{}")
      client:expect_nothing()
    end)
  end)

  describe("in one segment", function()
    it("join, leave and join of a topic are each answered, in order", function()
      client:send_all {
        { '"1"', '"1"', "plain:1", "phx_join" },
        { '"1"', '"2"', "plain:1", "phx_leave" },
        { '"3"', '"3"', "plain:1", "phx_join" },
      }
      client:expect('"1"', '"1"', "plain:1", "phx_reply", raw.ok())
      client:expect('"1"', '"2"', "plain:1", "phx_reply", raw.ok())
      client:expect('"1"', '"1"', "plain:1", "phx_close", "{}")
      client:expect('"3"', '"3"', "plain:1", "phx_reply", raw.ok())
      client:push('"3"', '"4"', "plain:1", "echo")
    end)

    it("events that follow their join are handled after it", function()
      client:send_all {
        { '"1"', '"1"', "plain:1", "phx_join" },
        { '"1"', '"2"', "plain:1", "echo", '{"n":2}' },
        { '"1"', '"3"', "plain:1", "echo", '{"n":3}' },
      }
      client:expect('"1"', '"1"', "plain:1", "phx_reply", raw.ok())
      client:expect('"1"', '"2"', "plain:1", "phx_reply", raw.ok '{"n":2}')
      client:expect('"1"', '"3"', "plain:1", "phx_reply", raw.ok '{"n":3}')
    end)
  end)

  describe("a join that takes its time", function()
    it("holds up its own channel only", function()
      client:send('"1"', '"1"', "plain:slow", "phx_join", '{"wait_s":0.25}')
      client:send('"1"', '"2"', "plain:slow", "echo", '{"n":2}')
      client:expect_nothing()
      client:join("plain:2", '"3"')
      client:push('"3"', '"4"', "plain:2", "echo")
      client:expect('"1"', '"1"', "plain:slow", "phx_reply", raw.ok())
      client:expect('"1"', '"2"', "plain:slow", "phx_reply", raw.ok '{"n":2}')
    end)

    it("is left by a leave that waits for it, every reply in order", function()
      client:send('"1"', '"1"', "plain:slow", "phx_join", '{"wait_s":0.25}')
      client:send('"1"', '"2"', "plain:slow", "phx_leave")
      client:expect('"1"', '"1"', "plain:slow", "phx_reply", raw.ok())
      client:expect('"1"', '"2"', "plain:slow", "phx_reply", raw.ok())
      client:expect('"1"', '"1"', "plain:slow", "phx_close", "{}")
    end)

    it("ends with its socket", function()
      client:send('"1"', '"1"', "room:slow", "phx_join", '{"key":"ann","wait_s":0.25}')
      client:expect_nothing()
      client:vanish()
      local other = stage.open()
      stage.server.wait(0.3)
      assert.same({}, other:enter("room:slow", '"1"'))
    end)
  end)
end
