--- Who may come, for how long, where to, and what of the others he may see.

local busted = require "busted"
local assert = require "luassert"
local presence = require "presence"
local raw = require "spec.contract.raw.client"
local describe, it, after_each = busted.describe, busted.it, busted.after_each

local secret = "a secret of more than 16 bytes"

return function(platform)
  local stage = raw.stage(platform)
  local now

  after_each(function() stage.finish() end)

  -- Users of signed tokens, who may join the topics that their tokens name.
  local function endpoint(mode)
    local Room = presence.channel {
      presence = mode,
      join = function(socket, topic)
        for _, allowed in ipairs(socket.assigns.topics or {}) do
          if allowed == topic then
            return true
          end
        end
        return nil, "not yours"
      end,
      track = function(socket) return socket.assigns.sub, {} end,
    }
    return presence.endpoint {
      connect = function(params, request)
        local claims, word = presence.token.verify(request.auth_token or params.token, secret,
          { now = now() })
        return claims, word
      end,
      expires_at = function(claims) return claims.exp end,
      channels = { ["room:*"] = Room },
    }
  end

  local function start(mode)
    local made = endpoint(mode)
    stage.start(made)
    function now() return made.bound_.runtime.loop:time() end
    return made
  end

  local function token(name, seconds, topics)
    return presence.token.sign(
      { sub = name, exp = now() + seconds, topics = topics or { "room:1" } }, secret)
  end

  local function open(name, seconds, topics)
    return stage.open { token = token(name, seconds or 60, topics) }
  end

  -- No line of the log holds any part of a token that is worth something.
  local function assert_not_logged(text)
    for _, entry in ipairs(stage.server.logged()) do
      local line = entry.message
      for _, value in pairs(entry.fields or {}) do line = line .. tostring(value) end
      for part in text:gmatch "[^.]+" do
        assert.is_nil(line:find(part, 1, true), line)
      end
    end
  end

  describe("a token", function()
    it("lets in whom it names, from the query or as subprotocol, and is never logged", function()
      start()
      local good = token("ann", 60)
      local client = stage.open { token = good }
      assert.truthy(client:enter("room:1", '"1"').ann)
      local b64 = require("presence.core").base64_encode(good):gsub("[+/=]",
        { ["+"] = "-", ["/"] = "_", ["="] = "" })
      local other = stage.open({}, { ["Sec-WebSocket-Protocol"] =
        "phoenix, base64url.bearer.phx." .. b64 })
      assert.equal("phoenix", other.connection.protocol)
      assert.truthy(other:enter("room:1", '"1"').ann)
      client:text "hello"
      client:expect_close(1011, true)
      assert_not_logged(good)
    end)

    it("that is forged, for another, or over lets nobody in", function()
      start()
      local good = token("ann", 60)
      local head, _, signature = good:match "^([^.]+)%.([^.]+)%.([^.]+)$"
      local _, other_claims = token("eve", 60):match "^([^.]+)%.([^.]+)"
      for _, bad in ipairs {
        "", "x", good .. "x", head .. "." .. other_claims .. "." .. signature,
        presence.token.sign({ sub = "ann" }, "another secret of some length"),
        token("ann", -1),
      } do
        assert.equal(403, (stage.refused { vsn = "2.0.0", token = bad }))
      end
      assert_not_logged(good)
    end)

    it("whose time is over closes its socket with 1008, and the presence leaves", function()
      start()
      local watcher = open "watcher"
      watcher:enter("room:1", '"1"')
      local client = open("ann", 0.4)
      client:enter("room:1", '"1"')
      assert.truthy(watcher:expect_event("presence_diff").joins.ann)
      client:expect_nothing()
      client:expect_close(1008, true)
      assert.truthy(watcher:expect_event("presence_diff").leaves.ann)
      watcher:expect_nothing()
    end)
  end)

  it("join decides for each topic", function()
    start()
    local client = open("ann", 60, { "room:1", "room:3" })
    client:enter("room:1", '"1"')
    client:send('"2"', '"2"', "room:2", "phx_join")
    client:expect('"2"', '"2"', "room:2", "phx_reply", raw.error '{"reason":"not yours"}')
    client:enter("room:3", '"3"')
  end)

  describe("who may not see the others gets", function()
    local function come_and_go()
      local other = open "bob"
      other:join("room:1", '"1"')
      other:send('"1"', '"2"', "room:1", "phx_leave")
      other:expect('"1"', '"2"', "room:1", "phx_reply", raw.ok())
      other:expect('"1"', '"1"', "room:1", "phx_close", "{}")
    end

    it("neither state nor diffs, though he is present", function()
      local made = start "none"
      local client = open "ann"
      client:join("room:1", '"1"')
      client:expect_nothing()
      come_and_go()
      stage.server.wait(0.1)
      client:expect_nothing()
      local seen
      made.bound_.runtime.process.spawn(function() seen = presence.list "room:1" end)
      assert.same({ { "ann", "{}" } }, seen)
    end)

    it("numbers and no names", function()
      start "count"
      local client = open "ann"
      client:join("room:1", '"1"')
      assert.same({ count = 1 }, (client:expect_event("presence_count", "room:1")))
      local other = open "bob"
      other:join("room:1", '"1"')
      assert.same({ count = 2 }, (client:expect_event("presence_count", "room:1")))
      other:vanish()
      assert.same({ count = 1 }, (client:expect_event("presence_count", "room:1")))
      client:expect_nothing()
    end)

    it("what a function of his socket says", function()
      start(function(socket) return socket.assigns.sub == "admin" and "all" or "none" end)
      local admin, user = open "admin", open "user"
      assert.truthy(admin:enter("room:1", '"1"').admin)
      user:join("room:1", '"1"')
      assert.truthy(admin:expect_event("presence_diff").joins.user)
      user:expect_nothing()
    end)
  end)
end
