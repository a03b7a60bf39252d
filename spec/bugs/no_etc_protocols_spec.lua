-- On a minimal Debian there is no /etc/protocols, and libuv then refuses the name of a protocol:
-- the server did not start.
local uv = require "luv"
local address = require "presence.luv.address"

describe("a system without /etc/protocols", function()
  local getaddrinfo = uv.getaddrinfo

  before_each(function()
    uv.getaddrinfo = function(host, service, hints, ...)
      if hints and type(hints.protocol) == "string" then
        error("bad argument #3 to 'getaddrinfo' (invalid protocol: " .. hints.protocol .. ")")
      end
      return getaddrinfo(host, service, hints, ...)
    end
  end)

  after_each(function()
    uv.getaddrinfo = getaddrinfo
  end)

  it("still resolves the address to listen on", function()
    assert.same({ "127.0.0.1" }, address.resolve "127.0.0.1")
  end)
end)
