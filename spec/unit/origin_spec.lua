local origin = require "presence.channels.guard.origin"

local function allowed(mode, value, host)
  return origin.allowed(mode, { headers = { origin = value, host = host or "example.org" } })
end

describe("the origin check", function()
  it("allows a missing Origin in every mode: native clients send none", function()
    for _, mode in ipairs { true, false, { "//example.org" }, function() return false end } do
      assert.is_true(allowed(mode, nil))
    end
  end)

  it("is off when it is false", function()
    assert.is_true(allowed(false, "https://evil.test"))
    assert.is_true(allowed(false, "null"))
  end)

  describe("same host", function()
    local function same(value, host) return allowed(true, value, host) end

    it("compares host and port with the Host header", function()
      assert.is_true(same("http://example.org", "example.org"))
      assert.is_true(same("http://example.org:4000", "example.org:4000"))
      assert.is_false(same("http://example.org:4000", "example.org"))
      assert.is_false(same("http://example.org", "example.org:4000"))
      assert.is_false(same("http://example.org:4001", "example.org:4000"))
      assert.is_false(same("http://evil.test", "example.org"))
    end)

    it("knows default ports, also behind a proxy that ends TLS", function()
      assert.is_true(same("https://example.org", "example.org"))
      assert.is_true(same("http://example.org:80", "example.org"))
      assert.is_true(same("https://example.org", "example.org:443"))
      assert.is_false(same("https://example.org", "example.org:80"))
    end)

    it("ignores the case of hosts", function()
      assert.is_true(same("http://Example.ORG", "eXample.org"))
    end)

    it("takes IPv6 addresses", function()
      assert.is_true(same("http://[::1]:4000", "[::1]:4000"))
      assert.is_true(same("http://[::1]", "[::1]"))
      assert.is_false(same("http://[::1]:4000", "[::2]:4000"))
    end)

    it("refuses what only looks alike", function()
      assert.is_false(same("http://example.org.evil.test", "example.org"))
      assert.is_false(same("http://evil-example.org", "example.org"))
      assert.is_false(same("http://evil.test#example.org", "example.org"))
      assert.is_false(same("http://example.org@evil.test", "example.org"))
      assert.is_false(same("http://evil.test/example.org", "example.org"))
    end)

    it("refuses what is not an origin", function()
      for _, value in ipairs {
        "null", "", "example.org", "http://", "http://:80", "http://example.org:", "://example.org",
        "http://example.org:99999", "http://example.org, http://example.org",
        "http://example.org:80:80", "http://[::1", "http://exa mple.org",
      } do
        assert.is_false(same(value, "example.org"), value)
      end
    end)

    it("refuses an Origin when there is no Host to compare", function()
      assert.is_false(origin.allowed(true, { headers = { origin = "http://example.org" } }))
    end)

    it("refuses a scheme without a default port, unless both name one", function()
      assert.is_false(same("app://example.org", "example.org"))
      assert.is_true(same("app://example.org:99", "example.org:99"))
    end)
  end)

  describe("list", function()
    it("takes any scheme and port of //host", function()
      local list = { "//example.org" }
      assert.is_true(allowed(list, "http://example.org"))
      assert.is_true(allowed(list, "https://example.org:8443"))
      assert.is_false(allowed(list, "https://www.example.org"))
      assert.is_false(allowed(list, "https://evil.test"))
    end)

    it("takes the scheme and the port that are named", function()
      assert.is_true(allowed({ "https://example.org" }, "https://example.org"))
      assert.is_true(allowed({ "https://example.org" }, "https://example.org:443"))
      assert.is_false(allowed({ "https://example.org" }, "http://example.org"))
      assert.is_false(allowed({ "https://example.org" }, "https://example.org:444"))
      assert.is_true(allowed({ "//example.org:8080" }, "http://example.org:8080"))
      assert.is_false(allowed({ "//example.org:8080" }, "http://example.org"))
    end)

    it("takes sub-domains of //*.host, however deep, and the apex", function()
      local list = { "//*.Example.org" }
      assert.is_true(allowed(list, "https://a.example.org"))
      assert.is_true(allowed(list, "https://a.b.example.org"))
      assert.is_true(allowed(list, "https://example.org"))
      assert.is_false(allowed(list, "https://badexample.org"))
      assert.is_false(allowed(list, "https://example.org.evil.test"))
    end)

    it("takes whichever entry matches, and refuses all when it is empty", function()
      assert.is_true(allowed({ "//a.test", "//b.test" }, "http://b.test"))
      assert.is_false(allowed({}, "http://b.test"))
      assert.is_false(allowed({ "//a.test" }, "null"))
    end)
  end)

  describe("function", function()
    it("gets the Origin and the request, and decides", function()
      local request = { headers = { origin = "app://it", host = "example.org" } }
      local got
      assert.is_true(origin.allowed(function(...)
        got = { ... }
        return 1
      end, request))
      assert.same({ "app://it", request }, got)
      assert.is_false(origin.allowed(function() return nil end, request))
    end)

    it("refuses when it raises, and says what", function()
      local answer, err = allowed(function() error "broken check" end, "http://example.org")
      assert.is_false(answer)
      assert.matches("broken check", err)
    end)
  end)

  it("refuses modes that it does not know", function()
    local unknown = { "on", 1, { "example.org" }, { "//" }, { "//*" }, { "//a.*.org" }, { 1 } }
    for _, mode in ipairs(unknown) do
      assert.has_error(function() origin.check_mode(mode) end)
    end
    for _, mode in ipairs { true, false, {}, { "//*.a.test", "app://x" }, function() end } do
      assert.has_no_error(function() origin.check_mode(mode) end)
    end
  end)
end)
