local handshake = require "presence.channels.handshake"

local function sha1(bytes)
  return require("openssl.digest").new("sha1"):final(bytes)
end

local function head(changes, headers)
  local request = {
    method = "GET", version = "1.1",
    headers = {
      host = "example.org", upgrade = "websocket", connection = "Upgrade",
      ["sec-websocket-version"] = "13", ["sec-websocket-key"] = "dGhlIHNhbXBsZSBub25jZQ==",
    },
  }
  for name, value in pairs(changes or {}) do request[name] = value end
  for name, value in pairs(headers or {}) do request.headers[name] = value or nil end
  return request
end

local function check(changes, headers)
  return handshake.check(head(changes, headers), sha1)
end

local function refused(changes, headers)
  local accepted, status, reason, more_headers = check(changes, headers)
  assert.is_nil(accepted)
  assert.is_string(reason)
  return status, more_headers
end

describe("the opening handshake", function()
  it("answers the key of RFC 6455, section 1.3", function()
    local accepted = assert(check())
    assert.equal("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", accepted.accept_key)
    assert.is_nil(accepted.protocol)
    assert.is_nil(accepted.auth_token)
  end)

  it("finds its tokens among others, whatever their case", function()
    assert(check(nil, { connection = "keep-alive, UPGRADE", upgrade = "h2c, WebSocket" }))
  end)

  it("refuses every method but GET", function()
    local status, headers = refused { method = "POST" }
    assert.equal(405, status)
    assert.equal("GET", headers.allow)
  end)

  it("refuses HTTP/1.0, a missing Host and a body", function()
    assert.equal(400, (refused { version = "1.0" }))
    assert.equal(400, (refused(nil, { host = false })))
    assert.equal(400, (refused(nil, { ["content-length"] = "5" })))
    assert.equal(400, (refused(nil, { ["transfer-encoding"] = "chunked" })))
  end)

  it("says what is missing when nothing is asked to be upgraded", function()
    local status, headers = refused(nil, { upgrade = false })
    assert.equal(426, status)
    assert.equal("websocket", headers.upgrade)
    assert.equal(426, (refused(nil, { upgrade = "h2c" })))
    assert.equal(400, (refused(nil, { connection = "keep-alive" })))
    assert.equal(400, (refused(nil, { connection = false })))
  end)

  it("answers another version with the one it speaks", function()
    for _, version in ipairs { "8", "14", "13, 8", "" } do
      local status, headers = refused(nil, { ["sec-websocket-version"] = version })
      assert.equal(426, status)
      assert.equal("13", headers["sec-websocket-version"])
    end
    assert.equal(426, (refused(nil, { ["sec-websocket-version"] = false })))
  end)

  it("refuses a key that is not 16 bytes in base64", function()
    for _, key in ipairs {
      false, "", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25j", "not base64 at all!!!==",
      "dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ==",
    } do
      assert.equal(400, (refused(nil, { ["sec-websocket-key"] = key })))
    end
  end)

  describe("subprotocol", function()
    local function offer(list)
      return check(nil, { ["sec-websocket-protocol"] = list })
    end

    it("is phoenix when it is offered", function()
      assert.equal("phoenix", offer("phoenix").protocol)
      assert.equal("phoenix", offer("other,phoenix").protocol)
    end)

    it("carries the auth token, padded or not, and never answers it", function()
      for text, token in pairs {
        dG9rZW4 = "token", ["dG9rZW5z"] = "tokens", ["dG9r"] = "tok", ["dG9rZW4="] = "token",
        ["-_8"] = "\251\255", ["+_8"] = "\251\255", ["YQ=="] = "a",
      } do
        local accepted = assert(offer("phoenix, base64url.bearer.phx." .. text))
        assert.equal("phoenix", accepted.protocol)
        assert.equal(token, accepted.auth_token)
      end
    end)

    it("refuses a token that is not base64", function()
      for _, text in ipairs { "!!!", "a", "dG9rZW4==", "dG9=rZW4" } do
        local accepted, status = offer("phoenix, base64url.bearer.phx." .. text)
        assert.is_nil(accepted)
        assert.equal(403, status)
      end
    end)

    it("refuses when only unknown ones are offered", function()
      for _, list in ipairs { "graphql-ws", "Phoenix", "phoenix2", "base64url.bearer.phx.dG9r" } do
        local accepted, status = offer(list)
        assert.is_nil(accepted)
        assert.equal(403, status)
      end
    end)
  end)

  it("answers with the bytes that open the socket", function()
    assert.equal("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
      .. "Connection: Upgrade\r\nSec-WebSocket-Accept: KEY=\r\n\r\n", handshake.response("KEY="))
    assert.matches("\r\nSec%-WebSocket%-Protocol: phoenix\r\n\r\n$",
      handshake.response("KEY=", "phoenix"))
  end)
end)
