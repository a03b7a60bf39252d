--- How much of the stand-alone server one client may take: connections, and what waits for it.

local uv = require "luv"
local raw = require "spec.contract.raw.client"
local server_stage = require "spec.contract.raw.server_stage"

describe("the stand-alone server", function()
  local stage = server_stage.new()

  after_each(function() stage:finish() end)

  describe("limits connections", function()
    it("in all, 503", function()
      stage:start { server = { max_connections = 2 } }
      local first = stage:open()
      stage:open()
      assert.equal(503, stage:open():ask("GET", "/").status)
      first:close()
      assert.truthy(stage:wait_for(function() return stage.server:connections() == 1 end))
      assert.equal(404, stage:open():ask("GET", "/").status)
    end)

    it("of one address, 429, sockets too", function()
      stage:start { server = { max_connections_per_address = 2 } }
      local first = stage:open_socket()
      stage:open_socket()
      local refused = stage:open()
      refused:send(server_stage.upgrade())
      assert.equal(429, refused:response().status)
      assert.is_true(refused:is_gone())
      first:close()
      assert.truthy(stage:wait_for(function() return stage.server:connections() == 1 end))
      stage:open_socket()
    end)

    it("not where they are false", function()
      stage:start { server = { max_connections_per_address = false, max_connections = false } }
      for _ = 1, 20 do stage:open_socket() end
      assert.equal(20, stage.server:connections())
    end)

    it("and by default lets 1,000 sockets of one address in at once", function()
      stage:start()
      for _ = 1, 1000 do
        local handle = uv.new_tcp()
        stage.clients[#stage.clients + 1] = { close = function() handle:close() end }
        handle:connect("127.0.0.1", stage.server.port, function(err)
          assert(not err, err)
          handle:write(server_stage.upgrade())
        end)
      end
      assert.truthy(stage:wait_for(function()
        return stage.server.bound:connections() == 1000
      end, 20))
      assert.equal(404, stage:open():ask("GET", "/").status)
    end)
  end)

  describe("a client that reads slowly", function()
    local text = ("x"):rep(30000)

    -- Joins, stops reading, and asks for `count` answers of 30 kB.
    local function ask_much(client, count)
      client:send(raw.frame(raw.text, raw.message('"1"', '"1"', "plain:1", "phx_join")))
      assert.truthy(stage:wait_for(function()
        return client.tcp.received:find("phx_reply", 1, true)
      end))
      client.tcp.received = ""
      client.tcp.handle:read_stop()
      for i = 1, count do
        client:send(raw.frame(raw.text,
          raw.message('"1"', tostring(i), "plain:1", "echo", '{"t":"' .. text .. '"}')))
      end
    end

    it("gets everything, in order, once it reads on", function()
      stage:start {
        endpoint = { max_outbox_bytes = 1e8, max_messages_per_s = false },
        server = { write_high_water_bytes = 10000 },
      }
      local client = stage:open_socket()
      ask_much(client, 300)
      stage:wait(0.1)
      local pieces = {}
      client.tcp.handle:read_start(function(_, bytes) pieces[#pieces + 1] = bytes end)
      local codec = require("presence.core").websocket {
        role = "client", max_message_bytes = 1e7, max_fragments = 100,
      }
      local got = 0
      stage:wait_for(function()
        for i = 1, #pieces do
          codec:feed(pieces[i])
          pieces[i] = nil
        end
        local kind, data = codec:next()
        while kind do
          got = got + 1
          assert.matches(('^%%["1",%d,'):format(got), data:sub(1, 20))
          kind, data = codec:next()
        end
        return got == 300
      end, 20)
      assert.equal(300, got)
    end)

    -- What has come so far of `news`, by number; complains when one is missing or out of order.
    local function news_reader(client)
      local codec = require("presence.core").websocket {
        role = "client", max_message_bytes = 1e7, max_fragments = 100,
      }
      local last = 0
      return function()
        codec:feed(client.tcp.received)
        client.tcp.received = ""
        for kind, data in function() return codec:next() end do
          local number = data:match '"news",{"n":(%d+)'
          if number then
            assert.equal(last + 1, tonumber(number), kind)
            last = last + 1
          end
        end
        return last
      end
    end

    it("hears later what is broadcast, in order, and the others at once", function()
      local endpoint = stage:start {
        endpoint = { max_outbox_bytes = 1e8 }, server = { write_high_water_bytes = 10000 },
      }
      local slow, quick = stage:open_socket(), stage:open_socket()
      ask_much(slow, 0)
      ask_much(quick, 0)
      quick.tcp.handle:read_start(function(_, bytes)
        quick.tcp.received = quick.tcp.received .. (bytes or "")
      end)
      local of_slow, of_quick = news_reader(slow), news_reader(quick)
      for i = 1, 300 do
        endpoint:broadcast("plain:1", "news", ('{"n":%d,"t":"%s"}'):format(i, text))
        if i % 10 == 0 then stage:wait(0.001) end
      end
      assert.truthy(stage:wait_for(function() return of_quick() == 300 end, 20))
      slow.tcp.handle:read_start(function(_, bytes)
        slow.tcp.received = slow.tcp.received .. (bytes or "")
      end)
      assert.truthy(stage:wait_for(function() return of_slow() == 300 end, 20))
      for i = 301, 310 do
        endpoint:broadcast("plain:1", "news", ('{"n":%d}'):format(i))
        assert.truthy(stage:wait_for(function() return of_slow() == i and of_quick() == i end))
      end
    end)

    it("too slowly is closed, and its presences leave", function()
      local endpoint = stage:start {
        endpoint = { max_outbox_bytes = 100000, max_messages_per_s = false },
        server = { write_high_water_bytes = 10000 },
      }
      local client = stage:open_socket()
      client:send(raw.frame(raw.text,
        raw.message('"7"', '"7"', "room:1", "phx_join", '{"key":"ann"}')))
      ask_much(client, 600)
      assert.truthy(stage:wait_for(function() return endpoint:metrics().connections == 0 end, 20))
      assert.truthy(stage:wait_for(function() return stage.server:connections() == 0 end))
      assert.equal(0, #stage.server.options.runtime.topics())
    end)

    it("and resets the connection while it is written to harms nobody", function()
      stage:start {
        endpoint = { max_outbox_bytes = 1e8, max_messages_per_s = false },
        server = { write_high_water_bytes = 1e8 },
      }
      for _ = 1, 5 do
        local client = stage:open_socket()
        ask_much(client, 50)
        stage:wait(0.02)
        client.tcp.handle:close_reset()
      end
      assert.truthy(stage:wait_for(function() return stage.server:connections() == 0 end))
      assert.equal(404, stage:open():ask("GET", "/").status)
    end)
  end)
end)
