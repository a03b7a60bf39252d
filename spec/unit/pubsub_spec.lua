local manual_loop = require "presence.manual.loop"
local runtime = require "presence.runtime"

describe("PubSub", function()
  local loop, rt

  before_each(function()
    loop = manual_loop.new()
    rt = runtime.new { loop = loop }
  end)

  -- A process that subscribes to topics and keeps what it receives.
  local function subscriber(...)
    local topics, seen = { ... }, {}
    seen.pid = rt.process.spawn(function()
      for _, topic in ipairs(topics) do
        rt.pubsub:subscribe(topic)
      end
      while true do
        local message = rt.process.receive()
        if message == "unsubscribe" then
          seen.unsubscribed = rt.pubsub:unsubscribe(topics[1])
        else
          seen[#seen + 1] = message
        end
      end
    end)
    return seen
  end

  it("delivers to every subscriber of the topic, and to no other", function()
    local a, b, other = subscriber "t", subscriber "t", subscriber "u"
    assert.equal(2, rt.pubsub:broadcast("t", "news", { n = 1 }))
    loop:turn()
    assert.same({ topic = "t", event = "news", payload = { n = 1 } }, a[1])
    assert.same(a[1], b[1])
    assert.equal(0, #other)
  end)

  it("keeps the order of events", function()
    local seen = subscriber "t"
    for i = 1, 100 do
      rt.pubsub:broadcast("t", "e" .. i, {})
    end
    loop:turn()
    for i = 1, 100 do
      assert.equal("e" .. i, seen[i].event)
    end
  end)

  it("leaves out the process that broadcasts from itself", function()
    local a, b = subscriber "t", subscriber "t"
    assert.equal(1, rt.pubsub:broadcast_from(a.pid, "t", "news", {}))
    loop:turn()
    assert.equal(0, #a)
    assert.equal(1, #b)
  end)

  it("subscribes once however often it is asked", function()
    local seen = {}
    rt.process.spawn(function()
      seen.first = rt.pubsub:subscribe "t"
      seen.second = rt.pubsub:subscribe "t"
      rt.process.receive()
    end)
    assert.is_true(seen.first)
    assert.is_false(seen.second)
    assert.equal(1, rt.pubsub:broadcast("t", "news", {}))
  end)

  it("unsubscribes", function()
    local seen = subscriber "t"
    rt.process.send(seen.pid, "unsubscribe")
    loop:turn()
    assert.is_true(seen.unsubscribed)
    assert.equal(0, rt.pubsub:broadcast("t", "news", {}))
    rt.process.send(seen.pid, "unsubscribe")
    loop:turn()
    assert.is_false(seen.unsubscribed)
  end)

  it("brings no presence_diff any more once it is unsubscribed", function()
    local seen, other = subscriber "t", subscriber "t"
    rt.process.send(seen.pid, "unsubscribe")
    loop:turn()
    rt.track({ topic = "t", pid = 1 }, "ann", "{}")
    loop:turn()
    assert.equal(0, #seen)
    assert.equal(1, #other)
    rt.process.send(other.pid, "unsubscribe")
    loop:turn()
    assert.same({}, rt.feed.topics_)
  end)

  it("brings presence_diff, one a flush, of what changed after the subscription", function()
    local socket = { topic = "t", pid = 1 }
    assert(rt.track(socket, "before", '{"n":0}'))
    local seen = subscriber "t"
    rt.track(socket, "ann", '{"n":1}')
    rt.track(socket, "bob", '{"n":2}')
    rt.track(socket, "gone", '{"n":3}')
    rt.untrack(socket, "gone")
    loop:turn()
    assert.equal(1, #seen)
    assert.equal("presence_diff", seen[1].event)
    local diff = rt.json.decode(seen[1].payload)
    assert.same({ joins = { ann = { metas = { { n = 1 } } }, bob = { metas = { { n = 2 } } } },
      leaves = {} }, diff)
  end)

  it("takes no flush more for those who subscribe while changes wait for theirs", function()
    local early = subscriber "t"
    local late = {}
    for i = 1, 20 do
      rt.track({ topic = "t", pid = i }, "k" .. i, "{}")
      late[i] = subscriber "t"
      loop:turn()
    end
    rt.untrack({ topic = "t", pid = 20 }, "k20")
    loop:advance(0.05)
    -- The first change went out at once, the others together.
    assert.equal(2, #early)
    local function keys(list)
      local diff, found = rt.json.decode(list[#list].payload), {}
      for key in pairs(diff.joins) do found[#found + 1] = "+" .. key end
      for key in pairs(diff.leaves) do found[#found + 1] = "-" .. key end
      table.sort(found)
      return found
    end
    assert.equal(18, #keys(early))
    for i = 2, 18 do
      assert.equal(1, #late[i])
      assert.equal(19 - i, #keys(late[i]))
      assert.is_table(rt.json.decode(late[i][1].payload).joins["k" .. i + 1])
    end
    assert.equal(0, #late[19])
    assert.same({ "-k20" }, keys(late[20]))
    assert.is_nil(rt.feed.topics_.t.late_mailboxes)
  end)

  it("tells a late subscriber alone what it found and what went before the flush", function()
    local early = subscriber "t"
    rt.track({ topic = "t", pid = 1 }, "a", "{}")
    loop:turn()
    rt.track({ topic = "t", pid = 2 }, "ghost", "{}")
    local late = subscriber "t"
    rt.untrack { topic = "t", pid = 2 }
    loop:advance(1)
    assert.equal(1, #early)
    assert.equal(1, #late)
    assert.is_table(rt.json.decode(late[1].payload).leaves.ghost)
  end)

  it("forgets a late subscriber that does not stay", function()
    subscriber "t"
    rt.track({ topic = "t", pid = 1 }, "a", "{}")
    loop:turn()
    rt.track({ topic = "t", pid = 1 }, "b", "{}")
    local late = subscriber "t"
    rt.process.send(late.pid, "unsubscribe")
    loop:turn()
    assert.same({}, rt.feed.topics_.t.late_mailboxes)
    rt.track({ topic = "t", pid = 1 }, "c", "{}")
    loop:advance(0.05)
    assert.equal(0, #late)
  end)

  it("does not tell a new subscriber what changed in the turn before it subscribed", function()
    subscriber "t"
    local socket = { topic = "t", pid = 1 }
    rt.track(socket, "ann", "{}")
    local late = subscriber "t"
    rt.track(socket, "bob", "{}")
    loop:turn()
    loop:advance(0.05)
    assert.equal(1, #late)
    assert.is_nil(rt.json.decode(late[1].payload).joins.ann)
    assert.is_table(rt.json.decode(late[1].payload).joins.bob)
  end)

  it("raises when called from outside of a process, or with wrong types", function()
    assert.error_matches(function()
      rt.pubsub:subscribe "t"
    end, "only inside a process")
    local wrong_topic
    rt.process.spawn(function()
      wrong_topic = { select(2, pcall(rt.pubsub.subscribe, rt.pubsub, 5)),
        select(2, pcall(rt.pubsub.unsubscribe, rt.pubsub, nil)) }
    end)
    assert.matches("subscribe: topic must be a string, got number", wrong_topic[1])
    assert.matches("unsubscribe: topic must be a string, got nil", wrong_topic[2])
    assert.error_matches(function()
      rt.pubsub:broadcast(1, "e", {})
    end, "topic must be a string")
    assert.error_matches(function()
      rt.pubsub:broadcast("t", nil, {})
    end, "event must be a string")
    assert.error_matches(function()
      rt.pubsub:broadcast_from(nil, "t", "e", {})
    end, "pid is nil")
  end)

  it("keeps nothing of topics that a process left", function()
    local mailbox
    rt.process.spawn(function()
      for i = 1, 100 do
        rt.pubsub:subscribe("t" .. i)
        rt.pubsub:unsubscribe("t" .. i)
      end
      mailbox = rt.processes:get(rt.process.self()).subscriber_
      rt.process.receive()
    end)
    assert.same({}, mailbox.topics)
    assert.same({}, rt.pubsub.topics_)
  end)

  it("survives thousands who subscribe and end", function()
    for _ = 1, 2000 do
      local seen = subscriber "t"
      rt.process.exit(seen.pid)
    end
    loop:turn()
    assert.equal(0, rt.pubsub:broadcast("t", "e", {}))
    assert.same({}, rt.pubsub.topics_)
    assert.same({}, rt.feed.topics_)
  end)
end)
