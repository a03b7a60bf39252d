-- phoenix#3475, phoenix#2451, supabase-js#2566: mirrors lost metas on an update, or showed them
-- twice, because the phx_ref in `joins` and `leaves` did not fit those that the mirror held.
local presence = require "presence"
local testing = require "presence.testing"

describe("refs on an update", function()
  local t, watcher, seen_refs

  before_each(function()
    local Room = presence.channel {
      track = function(_, params) return params.key, { n = 0 } end,
    }
    function Room.handle_in.set(socket, payload)
      socket:update(socket.params.key, payload)
      return "ok"
    end
    t = testing.new(presence.endpoint { channels = { ["room:*"] = Room } })
    watcher, seen_refs = t:client(), {}
    watcher:join("room:1", { key = "watcher" })
    t:advance(1)
  end)

  after_each(function() t:finish() end)

  local function joined(key)
    local c = t:client()
    c:join("room:1", { key = key })
    t:advance(1)
    return c
  end

  local function diffs()
    local list = {}
    for _, message in ipairs(watcher.inbox) do
      if message.event == "presence_diff" then list[#list + 1] = message.payload end
    end
    watcher.inbox = {}
    return list
  end

  local function values(key)
    local list = {}
    for i, meta in ipairs(watcher:presences("room:1")[key].metas) do list[i] = meta.n end
    table.sort(list)
    return list
  end

  it("follow each other: every new ref once, phx_ref_prev the one that leaves", function()
    local ann = joined "ann"
    local ref = diffs()[1].joins.ann.metas[1].phx_ref
    for n = 1, 5 do
      seen_refs[ref] = true
      ann:push("set", { n = n })
      t:advance(1)
      local all = diffs()
      assert.equal(1, #all)
      local new, old = all[1].joins.ann.metas[1], all[1].leaves.ann.metas[1]
      assert.equal(ref, old.phx_ref)
      assert.equal(ref, new.phx_ref_prev)
      assert.is_nil(seen_refs[new.phx_ref])
      assert.same({ n }, values "ann")
      ref = new.phx_ref
    end
  end)

  it("hit the meta of one device and no other", function()
    local phone, laptop, tablet = joined "ann", joined "ann", joined "ann"
    laptop:push("set", { n = 2 })
    t:advance(1)
    assert.same({ 0, 0, 2 }, values "ann")
    phone:push("set", { n = 2 })
    tablet:push("set", { n = 2 })
    t:advance(1)
    assert.same({ 2, 2, 2 }, values "ann")
    laptop:close()
    t:advance(1)
    assert.same({ 2, 2 }, values "ann")
  end)

  it("are as a mirror needs them when several updates fall into one diff", function()
    local ann = joined "ann"
    ann:push("set", { n = 1 }) -- goes out at once
    diffs()
    ann:push("set", { n = 2 })
    ann:push("set", { n = 1 }) -- back again, under another ref
    t:advance(1)
    local all = diffs()
    assert.equal(1, #all)
    assert.equal(1, #all[1].joins.ann.metas)
    assert.equal(1, #all[1].leaves.ann.metas)
    assert.same({ 1 }, values "ann")
    ann:push("set", { n = 3 })
    t:advance(1)
    assert.same({ 3 }, values "ann")
    ann:close()
    t:advance(1)
    assert.is_nil(watcher:presences("room:1").ann)
  end)

  it("cannot be set by a client", function()
    local ann = joined "ann"
    diffs()
    ann:push("set", '{"n":1,"phx_ref":"mine","phx\\u005fref_prev":"mine"}')
    t:advance(1)
    local new = diffs()[1].joins.ann.metas[1]
    assert.not_equal("mine", new.phx_ref)
    assert.not_equal("mine", new.phx_ref_prev)
    assert.equal(1, new.n)
  end)
end)
