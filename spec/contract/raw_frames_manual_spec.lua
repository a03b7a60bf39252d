local app = require "spec.contract.raw.app"
local platform = require "spec.contract.raw.manual_platform"
local raw = require "spec.contract.raw.client"

describe("on the manual loop", function()
  require "spec.contract.raw_frames"(platform)

  describe("a connection writes once a turn:", function()
    local stage = raw.stage(platform)
    after_each(function() stage.finish() end)

    local function writes_of(act)
      local before = platform.writes
      act()
      return platform.writes - before
    end

    it("whatever came in one segment", function()
      stage.start(app.endpoint())
      local client, messages = stage.open(), {}
      for i = 1, 50 do
        messages[i] = { nil, tostring(i), "phoenix", "heartbeat" }
      end
      assert.equal(1, writes_of(function() client:send_all(messages) end))
      for i = 1, 50 do
        client:expect(nil, tostring(i), "phoenix", "phx_reply", raw.ok())
      end
    end)

    it("the reply, the state and a push of a join", function()
      stage.start(app.endpoint())
      local client = stage.open()
      assert.equal(1, writes_of(function()
        client:send('"1"', '"1"', "late:1", "phx_join", '{"key":"ann"}')
      end))
    end)

    it("a broadcast to many and the reply to its sender", function()
      stage.start(app.endpoint())
      local clients = {}
      for i = 1, 10 do
        clients[i] = stage.open()
        clients[i]:join("plain:1", '"1"')
      end
      assert.equal(10, writes_of(function() clients[1]:send('"1"', '"2"', "plain:1", "shout") end))
    end)
  end)
end)
