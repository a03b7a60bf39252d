local core = require "presence.core"

local mask = "\1\2\3\4"
local continuation, text, binary, close, ping, pong = 0, 1, 2, 8, 9, 10

local function decoder(opts)
  opts = opts or {}
  return core.websocket {
    max_message_bytes = opts.max_message_bytes or 1000,
    max_fragments = opts.max_fragments or 10,
    role = opts.role,
  }
end

-- All events in hand, each as an array.
local function events(ws)
  local list = {}
  while true do
    local event = { ws:next() }
    if event[1] == nil then
      return list
    end
    list[#list + 1] = event
  end
end

describe("presence.core, websocket", function()
  it("gives messages and control frames in order, wherever the bytes are split", function()
    local bytes = core.client_frame(text, "hel", mask, false) .. core.client_frame(ping, "p", mask)
      .. core.client_frame(continuation, "lo", mask) .. core.client_frame(binary, "\0\255", mask)
      .. core.client_frame(pong, "", mask)
      .. core.client_frame(close, core.close_payload(1001, "bye"), mask)
    local expected = {
      { "ping", "p" }, { "text", "hello" }, { "binary", "\0\255" }, { "pong", "" },
      { "close", 1001, "bye" },
    }
    for at = 0, #bytes do
      local ws = decoder()
      ws:feed(bytes:sub(1, at))
      local list = events(ws)
      ws:feed(bytes:sub(at + 1))
      for _, event in ipairs(events(ws)) do
        list[#list + 1] = event
      end
      assert.same(expected, list)
    end
  end)

  it("gives a close without a code", function()
    local ws = decoder()
    ws:feed(core.client_frame(close, "", mask))
    assert.same({ "close", nil, "" }, { ws:next() })
    ws:feed(core.client_frame(text, "late", mask))
    assert.is_nil((ws:next()))
  end)

  it("answers broken frames with the code to close with, once", function()
    local cases = {
      { "\129\2hi", 1002 },
      { core.client_frame(3, "", mask), 1002 },
      { core.client_frame(ping, "", mask, false), 1002 },
      { core.client_frame(ping, ("x"):rep(126), mask), 1002 },
      { core.client_frame(continuation, "", mask), 1002 },
      { core.client_frame(close, "\3", mask), 1002 },
      { core.client_frame(close, "\3\237", mask), 1002 },
      { core.client_frame(close, "\3\232\255", mask), 1007 },
      { core.client_frame(text, "\255", mask), 1007 },
      { core.client_frame(text, ("x"):rep(1001), mask), 1009 },
      {
        core.client_frame(text, "", mask, false)
          .. core.client_frame(continuation, "", mask, false):rep(10),
        1009,
      },
    }
    for _, case in ipairs(cases) do
      local ws = decoder()
      ws:feed(case[1])
      local kind, code, reason = ws:next()
      assert.same({ "error", case[2] }, { kind, code })
      assert.is_string(reason)
      ws:feed(core.client_frame(text, "late", mask))
      assert.is_nil((ws:next()))
    end
  end)

  it("takes unmasked frames as a client", function()
    local ws = decoder { role = "client" }
    ws:feed "\129\2hi"
    assert.same({ "text", "hi" }, { ws:next() })
    ws:feed(core.client_frame(text, "hi", mask))
    assert.same({ "error", 1002, "masked frame" }, { ws:next() })
  end)

  it("raises on misuse", function()
    for _, opts in ipairs {
      {}, { max_message_bytes = 10 }, { max_message_bytes = 0, max_fragments = 1 },
      { max_message_bytes = 10, max_fragments = 1.5 },
      { max_message_bytes = "10", max_fragments = 1 },
      { max_message_bytes = 10, max_fragments = 1, role = "proxy" },
      { max_message_bytes = 10, max_fragments = 1, role = 7 },
    } do
      assert.has_error(function() core.websocket(opts) end)
    end
    local ws = decoder()
    for _, call in ipairs {
      function() ws:feed() end,
      function() ws:feed(12) end,
      function() ws.feed({}, "x") end,
      function() ws.next(io.stdout) end,
      function() ws.next(core.outbox "websocket") end,
    } do
      assert.has_error(call)
    end
    assert.matches("presence%.websocket", select(2, pcall(ws.next, {})))
  end)

  it("describes itself", function()
    local ws = decoder()
    ws:feed "\129"
    assert.equal("presence.websocket: open, 1 bytes waiting", tostring(ws))
    assert.equal("presence.websocket", getmetatable(ws))
  end)

  it("frees what the collector takes, however full", function()
    for _ = 1, 200 do
      local ws = decoder()
      ws:feed(core.client_frame(text, ("x"):rep(900), mask, false))
      ws:next()
      ws:feed(core.client_frame(text, ("x"):rep(900), mask):sub(1, -2))
    end
    collectgarbage()
    collectgarbage()
  end)
end)

describe("presence.core, close_payload and client_frame", function()
  it("write what RFC 6455 says", function()
    assert.equal("", core.close_payload())
    assert.equal("\3\233", core.close_payload(1001))
    assert.equal("\15\160why", core.close_payload(4000, "why"))
    assert.equal("\129\130\1\2\3\4\105\107", core.client_frame(text, "hi", mask))
    assert.equal("\1\128\1\2\3\4", core.client_frame(text, "", mask, false))
    assert.equal("\130\254\1\0", core.client_frame(binary, ("x"):rep(256), mask):sub(1, 4))
    assert.equal("\130\255\0\0\0\0\0\1\0\0",
      core.client_frame(binary, ("x"):rep(65536), mask):sub(1, 10))
  end)

  it("raise on misuse", function()
    for _, args in ipairs {
      { 999 }, { 1004 }, { 1005 }, { 1006 }, { 1015 }, { 5000 }, { 1000.5 }, { "x" },
      { 1001, ("x"):rep(124) }, { 1001, "\255" }, { 1001, 5 }, { nil, "why" },
    } do
      assert.has_error(function() core.close_payload(args[1], args[2]) end)
    end
    for _, args in ipairs { { 16, "", mask }, { 1, "", "123" }, { 1, "" }, { 1, nil, mask } } do
      assert.has_error(function() core.client_frame(args[1], args[2], args[3]) end)
    end
  end)
end)

describe("presence.core, message", function()
  it("is an encoded Phoenix message", function()
    local m = core.message_v2('"1"', nil, "room:\"1\"", "ev", '{"a":[]}')
    assert.equal('["1",null,"room:\\"1\\"","ev",{"a":[]}]', m:text())
    assert.equal(#m:text(), #m)
    assert.is_false(m:is_binary())
    assert.equal("presence.message: 37 bytes", tostring(m))
    assert.same({ true, '"1"', nil, "room:\"1\"", "ev", '{"a":[]}' }, { core.cut_v2(m:text()) })
  end)

  it("may be any text or bytes", function()
    assert.equal("abc", core.message("abc"):text())
    local m = core.message("\0\255", true)
    assert.is_true(m:is_binary())
    assert.equal(2, #m)
  end)

  it("raises on misuse", function()
    for _, args in ipairs {
      { nil, nil, "\255", "e", "{}" }, { nil, nil, "t", "\255", "{}" }, { nil, nil, "t", "e", "" },
      { nil, nil, "t", "e" }, { 1, nil, "t", "e", "{}" }, { "", nil, "t", "e", "{}" },
      { nil, nil, 1, "e", "{}" }, { nil, nil, "t", nil, "{}" },
    } do
      assert.has_error(function()
        core.message_v2(args[1], args[2], args[3], args[4], args[5])
      end)
    end
    assert.has_error(function() core.message "\255" end)
    assert.has_error(function() core.message() end)
  end)

  it("does not let garbage grow unseen", function()
    collectgarbage()
    local heap_kb = collectgarbage "count"
    local payload = '"' .. ("x"):rep(100000) .. '"'
    local alive = setmetatable({}, { __mode = "v" })
    local most = 0
    for i = 1, 3000 do
      alive[i] = core.message_v2(nil, nil, "t", "e", payload)
      local count = 0
      for _ in pairs(alive) do
        count = count + 1
      end
      most = math.max(most, count)
    end
    -- The collector waits until the heap has doubled, and so may garbage in C, but no longer.
    local bound = 300 + 6 * heap_kb / 100
    assert.is_true(most < bound, most .. " messages of 100 kB were alive at once")
  end)
end)

describe("presence.core, outbox", function()
  local function message(s)
    return core.message_v2(nil, nil, s, "e", "{}")
  end

  it("gives frames back to back, in order", function()
    local q = core.outbox "websocket"
    assert.is_nil(q:take())
    local a, b = message "a", message "b"
    q:add(a)
    q:add_frame(ping, "x")
    q:add(b)
    q:add(a)
    q:add_frame(close, core.close_payload(1012))
    assert.equal(5, #q)
    local bytes = q:bytes()
    local taken = q:take()
    assert.equal(bytes, #taken)
    assert.equal(0, q:bytes())
    assert.is_nil(q:take())
    local ws = decoder { role = "client" }
    ws:feed(taken)
    assert.same({
      { "text", a:text() }, { "ping", "x" }, { "text", b:text() }, { "text", a:text() },
      { "close", 1012, "" },
    }, events(ws))
  end)

  it("gives a single frame of every size", function()
    for _, size in ipairs { 0, 125, 126, 65535, 65536 } do
      local q = core.outbox "websocket"
      local m = core.message(("x"):rep(size))
      q:add(m)
      local ws = decoder { role = "client", max_message_bytes = 100000 }
      ws:feed(q:take())
      assert.same({ "text", m:text() }, { ws:next() })
    end
  end)

  it("gives whole messages, one at a time", function()
    local q = core.outbox "message"
    q:add(message "a")
    q:add(core.message("\255", true))
    assert.equal(#message "a" + 1, q:bytes())
    assert.same({ message("a"):text(), false }, { q:take() })
    assert.same({ "\255", true }, { q:take() })
    assert.is_nil((q:take()))
    assert.has_error(function() q:add_frame(ping, "") end)
  end)

  it("keeps what waits when its message's box is used again", function()
    local box = core.message "first"
    local q = core.outbox "message"
    q:add(box)
    assert.equal(box, core.message_v2(nil, "1", "t", "e", "{}", box))
    q:add(box)
    assert.equal(box, core.message_v1("1", "t", "e", "{}", box))
    q:add(box)
    assert.equal(box, core.message_binary("reply", '"1"', '"2"', "t", "ok", "\255", box))
    q:add(box)
    assert.equal(box, core.message("last", false, box))
    assert.equal("first", (q:take()))
    assert.equal('[null,1,"t","e",{}]', (q:take()))
    assert.equal('{"topic":"t","event":"e","ref":1,"payload":{}}', (q:take()))
    assert.same({ "\1\1\1\1\00212tok\255", true }, { q:take() })
    assert.equal("last", box:text())
    assert.has_error(function() core.message_v2(nil, nil, "t", "e", "{}", q) end)
    assert.has_error(function() core.message_v2(nil, nil, "\255", "e", "{}", box) end)
    assert.equal("last", box:text())
  end)

  it("holds messages that Lua has let go of", function()
    local q, r = core.outbox "message", core.outbox "message"
    for i = 1, 300 do
      local m = message(("%03d"):format(i))
      q:add(m)
      r:add(m)
    end
    collectgarbage()
    collectgarbage()
    r:clear()
    assert.equal(0, r:bytes())
    assert.equal(0, #r)
    for i = 1, 300 do
      assert.equal(('[null,null,"%03d","e",{}]'):format(i), (q:take()))
    end
    q:add(message "again")
    assert.equal(1, #q)
  end)

  it("raises on misuse", function()
    local q = core.outbox "websocket"
    for _, call in ipairs {
      function() core.outbox() end,
      function() core.outbox "raw" end,
      function() q:add() end,
      function() q:add "text" end,
      function() q:add(q) end,
      function() q:add(decoder()) end,
      function() q.add(message "a", message "a") end,
      function() q:add_frame(text, "x") end,
      function() q:add_frame(11, "x") end,
      function() q:add_frame(ping, ("x"):rep(126)) end,
      function() q:add_frame(ping, 1) end,
    } do
      assert.has_error(call)
    end
    assert.equal(0, q:bytes())
    assert.equal("presence.outbox: websocket, 0 messages, 0 bytes", tostring(q))
  end)
end)

describe("presence.core, http_request", function()
  local head = "GET /socket/websocket?vsn=2.0.0 HTTP/1.1\r\nHost: a:1\r\nX-A: 1\r\nx-a:  2 \r\n\r\n"

  it("reads a head", function()
    local request, consumed = core.http_request(head .. "rest", 1000, 10)
    assert.equal(#head, consumed)
    assert.same({
      method = "GET", target = "/socket/websocket?vsn=2.0.0", path = "/socket/websocket",
      query = "vsn=2.0.0", version = "1.1", headers = { host = "a:1", ["x-a"] = "1, 2" },
    }, request)
    request = core.http_request("POST /a HTTP/1.0\r\n\r\n", 1000, 10)
    assert.same({ method = "POST", target = "/a", path = "/a", version = "1.0", headers = {} },
      request)
  end)

  it("asks for more until the head is whole", function()
    for n = 0, #head - 1 do
      assert.equal(1, select("#", core.http_request(head:sub(1, n), 1000, 10)))
      assert.is_nil((core.http_request(head:sub(1, n), 1000, 10)))
    end
  end)

  it("refuses what is wrong or too large", function()
    local function refusal(...)
      local request, word, detail = core.http_request(...)
      assert.is_nil(request)
      assert.is_string(detail)
      return word
    end
    assert.equal("bad_request", refusal("GET / HTTP/1.1\n", 1000, 10))
    assert.equal("bad_request", refusal("GET / HTTP/1.1\r\nHost : a\r\n\r\n", 1000, 10))
    assert.equal("bad_request", refusal("GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", 1000, 10))
    assert.equal("head_too_large", refusal(head, #head - 1, 10))
    assert.equal("head_too_large", refusal(("x"):rep(50), 50, 10))
    assert.equal("head_too_large", refusal(head, 1000, 2))
    assert.has_error(function() core.http_request(head) end)
    assert.has_error(function() core.http_request(head, 1000, -1) end)
  end)
end)

describe("presence.core, query_decode", function()
  it("reads pairs, the last one wins", function()
    assert.same({}, core.query_decode "")
    assert.same({ a = "2", ["b c"] = "\195\169 ", d = "", [""] = "x", ["e[f]"] = "g" },
      core.query_decode "a=1&b%20c=%C3%A9+&&a=2&d&=x&e[f]=g")
  end)

  it("refuses broken escapes and what is not UTF-8", function()
    for _, query in ipairs { "a=%", "%zz=1", "a=%F", "a=%FF", "a=\255", "a=1&b=%ED%A0%80" } do
      local pairs_, word, detail = core.query_decode(query)
      assert.is_nil(pairs_)
      assert.equal("bad_query", word)
      assert.is_string(detail)
    end
  end)
end)
