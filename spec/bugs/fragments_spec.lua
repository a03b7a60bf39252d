-- websockets/ws#2331, CVE-2026-32689, CVE-2026-65623: 131,000 fragments of one byte pinned memory
-- without end, and putting them together took time that grew by the square of their number.
local core = require "presence.core"
local presence = require "presence"
local testing = require "presence.testing"

local many = 131000
local mask = "\1\2\3\4"
local first, middle, last =
  core.client_frame(1, "x", mask, false), core.client_frame(0, "x", mask, false),
  core.client_frame(0, "x", mask, true)
local whole = core.client_frame(1, "x", mask)

-- What the process holds, C included.
local function resident_bytes()
  local file = assert(io.open("/proc/self/statm"))
  local pages = file:read("*l"):match "^%d+ (%d+)"
  file:close()
  return tonumber(pages) * 4096
end

describe("131,000 fragments of one byte", function()
  it("end a socket at the 65th, with 1009", function()
    local t = testing.new(presence.endpoint { channels = {} })
    local sent, closed = {}, false
    local connection = t.endpoint:connect({ query = { vsn = "2.0.0" }, headers = {} }, {
      send = function(bytes) sent[#sent + 1] = bytes end,
      close = function() closed = true end,
    })
    connection:feed(first .. middle:rep(63))
    t:advance(0)
    assert.is_false(closed)
    connection:feed(middle)
    t:advance(0)
    assert.is_true(closed)
    local client = core.websocket { role = "client", max_message_bytes = 1000, max_fragments = 1 }
    client:feed(sent[1])
    local kind, code = client:next()
    assert.same({ "close", 1009 }, { kind, code })
    assert.equal(0, t.endpoint:connections())
    t:finish()
  end)

  it("that an application lets through are one message, and keep the memory of one", function()
    local function decoder()
      return core.websocket { max_message_bytes = many, max_fragments = many }
    end
    local function feed(ws, fragment, times)
      for _ = 1, times do
        ws:feed(fragment)
        if ws:next() == "text" and fragment ~= whole then error "a message before its end" end
      end
    end
    local other, ws = decoder(), decoder()
    feed(other, whole, many) -- the interpreter takes what it needs
    collectgarbage()
    local before = resident_bytes()
    feed(ws, first, 1)
    feed(ws, middle, many - 2)
    local grown = resident_bytes() - before
    assert.is_true(grown < 600000, "resident memory grew by " .. grown)
    ws:feed(last)
    local kind, message = ws:next()
    assert.equal("text", kind)
    assert.equal(many, #message)
    assert.equal(("x"):rep(many), message)
    assert.is_nil((ws:next()))
  end)

  it("hold one message more than another at no time, however often they come", function()
    local ws = core.websocket { max_message_bytes = many, max_fragments = many }
    local bytes = first .. middle:rep(many - 2) .. last
    local function message()
      ws:feed(bytes)
      assert.equal("text", (ws:next()))
      assert.is_nil((ws:next()))
    end
    message()
    collectgarbage()
    local before = resident_bytes()
    for _ = 1, 40 do
      message()
      collectgarbage()
    end
    local grown = resident_bytes() - before
    assert.is_true(grown < 2e6, "resident memory grew by " .. grown)
  end)
end)
