--- How sockets end: by malformed messages, by order of the application, at a stop, in silence.

local busted = require "busted"
local assert = require "luassert"
local app = require "spec.contract.raw.app"
local presences = require "spec.contract.raw.presences"
local raw = require "spec.contract.raw.client"
local describe, it = busted.describe, busted.it
local before_each, after_each = busted.before_each, busted.after_each

return function(platform)
  local stage = raw.stage(platform)

  after_each(function() stage.finish() end)

  describe("a message that is none closes the whole socket, 1011:", function()
    local deep = ("["):rep(1000) .. ("]"):rep(1000)
    for what, text in pairs {
      ["no JSON"] = "hello",
      ["nothing"] = "",
      ["JSON cut short"] = '[null,"1","phoenix","heartbeat",{}',
      ["something after the JSON"] = '[null,"1","phoenix","heartbeat",{}]]',
      ["a trailing comma"] = '[null,"1","phoenix","heartbeat",{},]',
      ["an object"] = '{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"1"}',
      ["a string"] = '"phoenix"',
      ["no elements"] = "[]",
      ["four elements"] = '[null,"1","phoenix","heartbeat"]',
      ["a topic that is no string"] = '[null,"1",7,"heartbeat",{}]',
      ["an event that is no string"] = '[null,"1","phoenix",null,{}]',
      ["NaN"] = '[null,"1","phoenix","heartbeat",NaN]',
      ["a number that JSON does not know"] = '[null,01,"phoenix","heartbeat",{}]',
      ["a control character in a string"] = '[null,"1","phoe\1nix","heartbeat",{}]',
      ["a payload that is nested too deep"] = '[null,"1","phoenix","heartbeat",' .. deep .. "]",
    } do
      it(what, function()
        stage.start(app.endpoint())
        local client, other = stage.open(), stage.open()
        client:join("plain:1", '"1"')
        client:text(text)
        client:expect_close(1011)
        other:expect_nothing()
      end)
    end
  end)

  describe("disconnect(id)", function()
    it("closes every socket of the id, 1001, and no other", function()
      local endpoint = app.endpoint {
        connect = function(params) return { user = params.user } end,
        id = function(assigns) return "user:" .. assigns.user end,
      }
      stage.start(endpoint)
      local first, second = stage.open { user = "ann" }, stage.open { user = "ann" }
      local other = stage.open { user = "bob" }
      first:enter("room:1", '"1"', '{"key":"ann"}')
      other:expect_nothing()
      assert.equal(2, endpoint:disconnect("user:ann"))
      first:expect_close(1001, true)
      second:expect_close(1001)
      other:expect_nothing()
      assert.same({}, other:enter("room:1", '"1"'))
      assert.equal(0, endpoint:disconnect("user:nobody"))
    end)
  end)

  describe("drain", function()
    it("closes sockets with 1012, and lets nobody in", function()
      local endpoint = app.endpoint()
      stage.start(endpoint)
      local clients = {}
      for i = 1, 5 do
        clients[i] = stage.open()
        clients[i]:enter("room:1", '"1"')
      end
      endpoint:drain()
      for i = 1, 5 do
        clients[i]:expect_close(1012, true)
      end
      assert.equal(503, (stage.refused { vsn = "2.0.0" }))
    end)

    it("spreads the closes over time", function()
      local endpoint = app.endpoint()
      stage.start(endpoint)
      local clients = {}
      for i = 1, 4 do
        clients[i] = stage.open()
      end
      endpoint:drain { spread_s = 0.4 }
      stage.server.wait(0.01)
      local open = endpoint:metrics().connections
      assert.is_true(open > 0 and open < 4, open .. " of 4 are open")
      for i = 1, 4 do
        clients[i]:expect_close(1012)
      end
    end)
  end)

  describe("a socket that nothing is received from", function()
    it("closes, and not with 1000: phoenix.js would not come back", function()
      stage.start(app.endpoint { idle_timeout_s = 0.2 })
      local client = stage.open()
      client:join("plain:1", '"1"')
      local close = client:frame() or client:frame()
      assert.equal("close", close.kind)
      assert.is_number(close.code)
      assert.not_equal(1000, close.code)
    end)

    it("stays open for pings, not for what is sent to it", function()
      stage.start(app.endpoint { idle_timeout_s = 0.6 })
      local pinging, listening = stage.open(), stage.open()
      listening:join("plain:1", '"1"')
      pinging:join("plain:1", '"1"')
      for i = 1, 10 do
        stage.server.wait(0.1)
        pinging:bytes(raw.frame(raw.ping, ""))
        assert.equal("pong", pinging:frame().kind)
        if i % 3 == 0 then
          pinging:push('"1"', '"p"', "plain:1", "whisper")
        end
      end
      local close
      repeat
        close = listening:frame()
      until not close or close.kind ~= "text"
      assert.equal("close", close and close.kind)
      pinging:expect_nothing()
    end)
  end)

  describe("with leave_after", function()
    local watcher

    local function enter(meta)
      local ann = stage.open()
      ann:enter("room:1", '"1"', '{"key":"ann","meta":' .. meta .. "}")
      return ann
    end

    local function leave(client)
      client:send('"1"', '"2"', "room:1", "phx_leave")
      presences.expect_diff(watcher, {}, { ann = 1 })
    end

    before_each(function()
      stage.start(app.endpoint(), { runtime = { leave_after = 0.5 } })
      watcher = stage.open()
      watcher:enter("room:1", '"w"')
    end)

    it("a page that is reloaded is one update and no leave", function()
      local ann = enter '{"page":1}'
      presences.expect_diff(watcher, { ann = 1 }, {})
      ann:bytes(raw.frame(raw.close, "\3\233")) -- 1001, as browsers say
      ann:expect_close(1001)
      stage.server.wait(0.2)
      watcher:expect_nothing()
      ann = enter '{"page":2}'
      local diff = presences.expect_diff(watcher, { ann = 1 }, { ann = 1 })
      local joined = presences.meta_of(diff.joins, "ann")
      assert.equal(2, joined.page)
      assert.equal(presences.meta_of(diff.leaves, "ann").phx_ref, joined.phx_ref_prev)
      stage.server.wait(0.7)
      watcher:expect_nothing()
      leave(ann)
    end)

    it("whoever does not come back leaves late, whoever says so at once", function()
      local ann = enter "{}"
      presences.expect_diff(watcher, { ann = 1 }, {})
      ann:vanish()
      stage.server.wait(0.2)
      watcher:expect_nothing()
      stage.server.wait(0.5)
      presences.expect_diff(watcher, {}, { ann = 1 })
      ann = enter "{}"
      presences.expect_diff(watcher, { ann = 1 }, {})
      leave(ann)
    end)
  end)

  it("a client that is gone without a word leaves no process and no presence behind", function()
    stage.start(app.endpoint())
    local watcher, client = stage.open(), stage.open()
    watcher:enter("room:1", '"1"')
    client:enter("room:1", '"1"', '{"key":"ann"}')
    assert.truthy(watcher:expect_event("presence_diff").joins.ann)
    client:vanish()
    assert.truthy(watcher:expect_event("presence_diff").leaves.ann)
    watcher:expect_nothing()
  end)
end
