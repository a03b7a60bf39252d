--- Who is let in, and with which protocol.

local busted = require "busted"
local assert = require "luassert"
local app = require "spec.contract.raw.app"
local raw = require "spec.contract.raw.client"
local describe, it, after_each = busted.describe, busted.it, busted.after_each

return function(platform)
  local stage = raw.stage(platform)

  after_each(function() stage.finish() end)

  it("the path is the mount's, and no other", function()
    stage.start(app.endpoint { mount = "/socket/deeper" })
    local query = { vsn = "2.0.0" }
    for _, path in ipairs {
      "/socket/websocket", "/socket/deeper", "/socket/deeper/", "/socket/deeper/websocket/x",
      "/socket/deeper/websockets",
    } do
      assert.equal(404, (stage.refused(query, {}, path)), path)
    end
    local connection = assert(stage.server.connect(query, {}, "/socket/deeper/websocket"))
    raw.new(platform, connection):expect_nothing()
  end)

  describe("the version", function()
    it("2.0.x is spoken", function()
      stage.start(app.endpoint())
      for _, vsn in ipairs { "2.0.0", "2.0.1", "2.0.17" } do
        stage.open({ vsn = vsn }):expect_nothing()
      end
    end)

    it("1.0.x is spoken, and taken for what names none", function()
      stage.start(app.endpoint())
      local beat = '{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"1"}'
      for _, vsn in ipairs { "1.0.0", "1.0.1", "1.0.17", false } do
        local client = raw.new(platform, assert(stage.server.connect({ vsn = vsn or nil }, {})))
        client:text(beat)
        client:expect('{"topic":"phoenix","event":"phx_reply","ref":"1","payload":'
          .. raw.ok() .. "}")
      end
    end)

    it("any other is refused, 403", function()
      stage.start(app.endpoint())
      for _, vsn in ipairs {
        "3.0.0", "1.1.0", "1.0", "0.9.0", "1.0.0.0", "2.1.0", "2.0", "2.0.0x", "x2.0.0", "2", "",
        "banana",
      } do
        assert.equal(403, (stage.refused { vsn = vsn }), vsn)
      end
    end)
  end)

  describe("the application", function()
    it("sees the query, decoded, and the request", function()
      local seen, request_seen
      stage.start(app.endpoint {
        connect = function(params, request)
          seen, request_seen = params, request
          return {}
        end,
      })
      stage.open({ user_id = "ann & bob/ü", ["a[b]"] = "c", empty = "" }, { ["X-Mark"] = "yes" })
      assert.equal("ann & bob/ü", seen.user_id)
      assert.equal("c", seen["a[b]"])
      assert.equal("", seen.empty)
      assert.equal("2.0.0", seen.vsn)
      assert.equal("yes", request_seen.headers["x-mark"])
      assert.equal("/socket/websocket", request_seen.path)
      assert.is_string(request_seen.remote_address)
    end)

    it("refuses with 403, and its reason", function()
      stage.start(app.endpoint { connect = function() return nil, "no user" end })
      local status, reason = stage.refused { vsn = "2.0.0" }
      assert.equal(403, status)
      assert.matches("no user", reason)
    end)

    it("refuses with the status that it names", function()
      stage.start(app.endpoint { connect = function() return nil, "slow down", 429 end })
      assert.equal(429, (stage.refused { vsn = "2.0.0" }))
    end)

    it("that raises answers 500, and does not tell the client what", function()
      stage.start(app.endpoint { connect = function() error "a secret of the application" end })
      local status, reason = stage.refused { vsn = "2.0.0" }
      assert.equal(500, status)
      assert.is_nil(tostring(reason):find("secret", 1, true))
    end)
  end)

  describe("the Origin", function()
    local here = { Host = "chat.example.org:4000" }
    local function from(origin)
      return { Host = here.Host, Origin = origin }
    end

    it("may be missing: native clients send none", function()
      stage.start(app.endpoint())
      stage.open({}, here):expect_nothing()
    end)

    it("must be the same host and port", function()
      stage.start(app.endpoint())
      stage.open({}, from "http://chat.example.org:4000"):expect_nothing()
      for _, origin in ipairs { "http://evil.test", "http://chat.example.org:4001", "null" } do
        assert.equal(403, (stage.refused({ vsn = "2.0.0" }, from(origin))), origin)
      end
    end)

    it("is not looked at when the check is off", function()
      stage.start(app.endpoint { check_origin = false })
      stage.open({}, from "http://evil.test"):expect_nothing()
    end)

    it("may be one of a list", function()
      stage.start(app.endpoint { check_origin = { "//*.example.org" } })
      stage.open({}, from "https://www.example.org"):expect_nothing()
      stage.open({}, from "https://example.org"):expect_nothing()
      assert.equal(403, (stage.refused({ vsn = "2.0.0" }, from "https://example.org.evil.test")))
    end)

    it("may be judged by a function; one that raises refuses", function()
      stage.start(app.endpoint {
        check_origin = function(origin) return origin == "app://mine" or error "what is that?" end,
      })
      stage.open({}, from "app://mine"):expect_nothing()
      assert.equal(403, (stage.refused({ vsn = "2.0.0" }, from "app://other")))
    end)
  end)

  describe("the subprotocol", function()
    local token

    local function start()
      token = nil
      stage.start(app.endpoint {
        connect = function(_, request)
          token = request.auth_token
          return {}
        end,
      })
    end

    local function offer(list)
      return { ["Sec-WebSocket-Protocol"] = list }
    end

    it("phoenix is answered", function()
      start()
      local client = stage.open({}, offer "phoenix")
      assert.equal("phoenix", client.connection.protocol)
      assert.is_nil(token)
      client:expect_nothing()
    end)

    it("carries the auth token, which is never answered", function()
      start()
      local client = stage.open({}, offer "phoenix, base64url.bearer.phx.c2VjcmV0LXRva2Vu")
      assert.equal("phoenix", client.connection.protocol)
      assert.equal("secret-token", token)
    end)

    it("none is answered when none is asked for", function()
      start()
      assert.is_nil(stage.open().connection.protocol)
    end)

    it("is refused with 403 when it is unknown, or the token is not base64", function()
      start()
      assert.equal(403, (stage.refused({ vsn = "2.0.0" }, offer "graphql-ws")))
      assert.equal(403, (stage.refused({ vsn = "2.0.0" },
        offer "phoenix, base64url.bearer.phx.***")))
    end)
  end)
end
