local presence = require "presence"
local testing = require "presence.testing"
require "presence.testing.assertions"

local token = presence.token
local secret, other = "0123456789abcdef", "fedcba9876543210"

describe("a token", function()
  it("is what RFC 7515 says, so that any backend can mint one", function()
    -- Appendix A.1 of RFC 7515: its key, header, payload and signature.
    local core = require "presence.core"
    local key = assert(core.base64_decode(
      "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75"
        .. "aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow", true))
    local minted = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
      .. ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
      .. "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
      .. ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    local claims = assert(token.verify(minted, key, { now = 1300819379 }))
    assert.equal("joe", claims.iss)
    local _, word = token.verify(minted, key, { now = 1300819380 })
    assert.equal("expired", word)
  end)

  it("gives its claims back", function()
    local claims = { sub = "ann", rooms = { "a", "b" }, exp = 2000 }
    assert.same(claims, token.verify(token.sign(claims, secret), secret, { now = 1999 }))
  end)

  it("is refused under another secret, and taken under any of several", function()
    local minted = token.sign({ sub = "ann" }, secret)
    assert.equal("bad_token", (select(2, token.verify(minted, other))))
    assert.equal("ann", token.verify(minted, { other, secret }).sub)
  end)

  it("is refused with any character changed", function()
    local minted = token.sign({ sub = "ann" }, secret)
    for i = 1, #minted do
      local c = minted:sub(i, i) == "A" and "B" or "A"
      local changed = minted:sub(1, i - 1) .. c .. minted:sub(i + 1)
      local claims, word = token.verify(changed, secret)
      assert.is_nil(claims, i)
      assert.equal("bad_token", word)
    end
  end)

  it("expires, starts, and forgives clocks that differ", function()
    local minted = token.sign({ nbf = 100, exp = 200 }, secret)
    local function word(now, leeway_s)
      return (select(2, token.verify(minted, secret, { now = now, leeway_s = leeway_s })))
    end
    assert.equal("bad_token", word(99))
    assert.is_nil(word(100))
    assert.is_nil(word(199))
    assert.equal("expired", word(200))
    assert.is_nil(word(204, 5))
    assert.is_nil(word(96, 5))
  end)

  it("is refused when it names another algorithm, whoever signed it", function()
    local core = require "presence.core"
    local hmac = require "openssl.hmac"
    local function url(bytes)
      return (core.base64_encode(bytes):gsub("[+/=]", { ["+"] = "-", ["/"] = "_", ["="] = "" }))
    end
    for _, header in ipairs { '{"alg":"none"}', '{"alg":"HS512"}', "{}", "[]", "x",
      '{"alg":"HS256","crit":["exp"]}' } do
      local signed = url(header) .. "." .. url "{}"
      local minted = signed .. "." .. url(hmac.new(secret, "sha256"):final(signed))
      local claims, word = token.verify(minted, secret)
      assert.is_nil(claims, header)
      assert.equal("bad_token", word)
    end
  end)

  it("is refused when it is anything else", function()
    for _, wrong in ipairs { "", ".", "..", "a.b", "a.b.c.d", ("x"):rep(9000), "\0.\255.x", 5, {},
      true } do
      local claims, word, detail = token.verify(wrong, secret)
      assert.is_nil(claims)
      assert.equal("bad_token", word)
      assert.is_string(detail)
    end
    assert.equal("bad_token", (select(2, token.verify(nil, secret))))
    local minted = token.sign({ exp = "soon" }, secret)
    assert.equal("bad_token", (select(2, token.verify(minted, secret))))
  end)

  it("needs a secret worth the name", function()
    assert.error_matches(function()
      token.sign({}, "short")
    end, "at least 16 bytes")
    assert.error_matches(function()
      token.verify("x", {})
    end, "there is no secret")
    assert.error_matches(function()
      token.sign("x", secret)
    end, "claims must be a table")
  end)
end)

describe("a socket whose token expires", function()
  local t

  before_each(function()
    t = testing.new(presence.endpoint {
      connect = function(params)
        local claims, word = token.verify(params.token, secret, { now = t.loop:time() })
        return claims, word
      end,
      expires_at = function(claims)
        return claims.exp
      end,
      channels = { ["room:*"] = presence.channel {
        track = function(socket)
          return socket.assigns.sub, {}
        end,
      } },
    })
  end)

  it("closes when its time is over, and its presence leaves", function()
    local exp = t.loop:time() + 100
    local ann = t:client { token = token.sign({ sub = "ann", exp = exp }, secret) }
    local bob = t:client { token = token.sign({ sub = "bob" }, secret) }
    ann:join "room:1"
    bob:join "room:1"
    t:advance(55)
    ann.protocol:heartbeat()
    bob.protocol:heartbeat()
    t:advance(44)
    assert.is_false(ann.closed)
    t:advance(1)
    assert.equal(1008, ann.closed)
    t:advance(0.1)
    assert.not_present(bob, "room:1", "ann")
    assert.is_false(bob.closed)
    t:finish()
  end)

  it("is not let in with a token that is no good", function()
    local c, status, reason = t:client { token = "x.y.z" }
    assert.same({ nil, 403, "bad_token" }, { c, status, reason })
    local late = token.sign({ sub = "ann", exp = t.loop:time() - 1 }, secret)
    assert.same({ nil, 403, "expired" }, { t:client { token = late } })
    t:finish()
  end)
end)
