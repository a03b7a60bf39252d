--- The stand-alone server's files and requests, over real sockets.

local uv = require "luv"
local app = require "spec.contract.raw.app"
local http_client = require "spec.contract.raw.http_client"
local platform = require "spec.contract.raw.luv_platform"
local request = http_client.request

describe("the stand-alone server", function()
  local root, server, loop, client

  local function write(path, text)
    local file = assert(io.open(root .. "/" .. path, "wb"))
    file:write(text)
    file:close()
  end

  local function remove_all(path)
    for name, kind in uv.fs_scandir_next, assert(uv.fs_scandir(path)) do
      if kind == "directory" then
        remove_all(path .. "/" .. name)
      else
        assert(uv.fs_unlink(path .. "/" .. name))
      end
    end
    assert(uv.fs_rmdir(path))
  end

  local big = ("0123456789abcdef"):rep(200000) -- 3.2 MB

  setup(function()
    root = assert(uv.fs_mkdtemp((os.getenv "TMPDIR" or "/tmp") .. "/presence-XXXXXX"))
    for _, name in ipairs { "public", "public/sub", "public/empty", "vendor", "public/.git" } do
      assert(uv.fs_mkdir(root .. "/" .. name, 448))
    end
    write("secret.txt", "secret")
    write("public/index.html", "<p>home</p>")
    write("public/page.html", "<p>page</p>")
    write("public/app.mjs", "export {}")
    write("public/with space.txt", "space")
    write("public/empty.txt", "")
    write("public/big.bin", big)
    write("public/.env", "secret")
    write("public/.git/config", "secret")
    write("public/sub/index.html", "<p>sub</p>")
    write("vendor/phoenix.js", "phoenix")
    assert(uv.fs_symlink(root .. "/secret.txt", root .. "/public/link.txt"))
    assert(uv.fs_symlink(root, root .. "/public/up"))
    assert(uv.fs_symlink("page.html", root .. "/public/inner.html"))
    assert(os.execute("mkfifo '" .. root .. "/public/pipe'"))
  end)

  teardown(function() remove_all(root) end)

  local function start(opts)
    opts = opts or {}
    if opts.static == nil then
      opts.static = { ["/"] = root .. "/public", ["/vendor"] = root .. "/vendor/" }
    end
    server, loop = platform.start_server(app.endpoint(), { server = opts })
    client = http_client.open(loop, server.port)
  end

  after_each(function()
    client:close()
    local is_stopped = false
    server:stop(function() is_stopped = true end)
    assert(platform.run_until(loop, 5, function() return is_stopped end))
    loop:close()
    platform.expect_no_handles()
  end)

  describe("files", function()
    it("come with type, length and validators", function()
      start()
      local answer = client:ask("GET", "/page.html")
      assert.equal(200, answer.status)
      assert.equal("<p>page</p>", answer.body)
      assert.equal("text/html; charset=utf-8", answer.headers["content-type"])
      assert.equal("11", answer.headers["content-length"])
      assert.equal("nosniff", answer.headers["x-content-type-options"])
      assert.matches('^".+"$', answer.headers.etag)
      assert.matches("^%a%a%a, %d%d %a%a%a %d%d%d%d %d%d:%d%d:%d%d GMT$",
        answer.headers["last-modified"])
      assert.equal("keep-alive", answer.headers.connection)
    end)

    it("are told apart by their names", function()
      start()
      for path, kind in pairs {
        ["/"] = "text/html; charset=utf-8", ["/app.mjs"] = "text/javascript; charset=utf-8",
        ["/vendor/phoenix.js"] = "text/javascript; charset=utf-8",
        ["/empty.txt"] = "text/plain; charset=utf-8", ["/sub/"] = "text/html; charset=utf-8",
      } do
        local answer = client:ask("GET", path)
        assert.equal(200, answer.status, path)
        assert.equal(kind, answer.headers["content-type"], path)
      end
    end)

    it("HEAD gives the head of GET alone", function()
      start()
      local head, get = client:ask("HEAD", "/page.html"), client:ask("GET", "/page.html")
      assert.equal(200, head.status)
      assert.equal("11", head.headers["content-length"])
      assert.equal(get.headers.etag, head.headers.etag)
      assert.equal(404, client:ask("HEAD", "/nothing").status)
      assert.equal(200, client:ask("GET", "/page.html").status)
    end)

    it("that the browser has are not sent again", function()
      start()
      local first = client:ask("GET", "/page.html").headers
      for _, headers in ipairs {
        { ["If-None-Match"] = first.etag }, { ["If-None-Match"] = '"other", W/' .. first.etag },
        { ["If-None-Match"] = "*" }, { ["If-Modified-Since"] = first["last-modified"] },
      } do
        local again = client:ask("GET", "/page.html", headers)
        assert.equal(304, again.status)
        assert.equal(first.etag, again.headers.etag)
        assert.equal("", again.body)
      end
      for _, headers in ipairs {
        { ["If-None-Match"] = '"other"' },
        { ["If-None-Match"] = '"other"', ["If-Modified-Since"] = first["last-modified"] },
        { ["If-Modified-Since"] = "Thu, 01 Jan 1970 00:00:00 GMT" },
      } do
        assert.equal(200, client:ask("GET", "/page.html", headers).status)
      end
    end)

    it("have names with escapes, and a query that is nothing to them", function()
      start()
      assert.equal("space", client:ask("GET", "/with%20space.txt").body)
      assert.equal("<p>page</p>", client:ask("GET", "/%70age.html?v=1").body)
      assert.equal("<p>page</p>", client:ask("GET", "//page.html").body)
    end)

    it("of a folder are its index; its name without the slash leads there", function()
      start()
      assert.equal("<p>home</p>", client:ask("GET", "/").body)
      local answer = client:ask("GET", "/sub")
      assert.equal(301, answer.status)
      assert.equal("/sub/", answer.headers.location)
      assert.equal("/sub/", client:ask("GET", "//sub").headers.location)
      assert.equal("/vendor/", client:ask("GET", "/vendor").headers.location)
      assert.equal(404, client:ask("GET", "/empty/").status)
      assert.equal(404, client:ask("GET", "/page.html/").status)
    end)

    it("never lie outside of the folder", function()
      start()
      for _, path in ipairs {
        "/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/%2e%2e%2fsecret.txt",
        "/sub/../../secret.txt", "/sub/%2e./../secret.txt", "/vendor/../secret.txt",
        "/link.txt", "/up/secret.txt", "/up/vendor/phoenix.js", "/./page.html",
        "/.env", "/.git/config", "/%2eenv", "/page.html%00.png", "/%zz", "/%", "/pipe",
        "/..\\secret.txt", "/vendorphoenix.js", "/nothing.html", "/page.html/x",
      } do
        local answer = client:ask("GET", path)
        assert.equal(404, answer.status, path)
        assert.is_nil(answer.body:find("secret", 1, true))
      end
      assert.equal("<p>page</p>", client:ask("GET", "/inner.html").body)
    end)

    it("of any size come whole, also to a slow reader", function()
      start()
      client.tcp.handle:read_stop()
      client:send(request("GET", "/big.bin"))
      platform.run_until(loop, 0.05, function() return false end)
      client.tcp.handle:read_start(function(_, bytes)
        client.tcp.received = client.tcp.received .. (bytes or "")
      end)
      local answer = client:response()
      assert.equal(#big, #answer.body)
      assert.is_true(big == answer.body)
      assert.equal("<p>page</p>", client:ask("GET", "/page.html").body)
    end)

    it("whose reader takes nothing are given up", function()
      start { send_timeout_s = 0.05 }
      client.tcp.handle:read_stop()
      client:send(request("GET", "/big.bin") .. request("GET", "/big.bin"))
      assert.truthy(platform.run_until(loop, 5, function() return server:connections() == 0 end))
    end)

    it("whose reader hangs up are forgotten", function()
      start()
      client:send(request("GET", "/big.bin"))
      platform.run_until(loop, 5, function() return #client.tcp.received > 0 end)
      client:close()
      assert.truthy(platform.run_until(loop, 5, function() return server:connections() == 0 end))
    end)

    it("are not served when no folder is given", function()
      start { static = false }
      assert.equal(404, client:ask("GET", "/page.html").status)
    end)
  end)

  describe("requests", function()
    it("of one connection may all be sent at once", function()
      start()
      client:send(request("GET", "/page.html"):rep(3) .. request("GET", "/nothing"):rep(200)
        .. request("GET", "/empty.txt"))
      for _ = 1, 3 do assert.equal("<p>page</p>", client:response().body) end
      for _ = 1, 200 do assert.equal(404, client:response().status) end
      assert.equal(200, client:response().status)
    end)

    it("may come byte by byte", function()
      start()
      for byte in request("GET", "/page.html"):gmatch "." do client:send(byte) end
      assert.equal(200, client:response().status)
    end)

    it("end the connection when they ask for it", function()
      start()
      local answer = client:ask("GET", "/page.html", { Connection = "close" })
      assert.equal("close", answer.headers.connection)
      assert.is_true(client:is_gone())
    end)

    it("of HTTP/1.0 are answered, and end the connection", function()
      start()
      client:send "GET /page.html HTTP/1.0\r\n\r\n"
      assert.equal(200, client:response().status)
      assert.is_true(client:is_gone())
    end)

    it("with other methods are refused, 405", function()
      start()
      client:send(request("POST", "/page.html", { ["Content-Length"] = "5" }) .. "hello")
      local answer = client:response()
      assert.equal(405, answer.status)
      assert.equal("GET, HEAD", answer.headers.allow)
      assert.is_true(client:is_gone())
    end)

    it("whose body could hide another request end the connection", function()
      start()
      client:send(request("GET", "/page.html", { ["Content-Length"] = "5" })
        .. request("GET", "/empty.txt"))
      assert.equal(200, client:response().status)
      assert.is_true(client:is_gone())
      assert.equal("", client.tcp.received)
    end)

    for what, bytes in pairs {
      ["that are none"] = "hello\r\n\r\n", ["of TLS"] = "\22\3\1\2\0\1\0\1\252\3\3\n\n",
      ["without a Host"] = "GET / HTTP/1.1\r\n\r\n",
      ["with a broken header"] = "GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n",
      ["with a space before the colon"] = "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
      ["of another HTTP"] = "GET / HTTP/9.9\r\nHost: a\r\n\r\n",
    } do
      it(what .. " are refused, 400", function()
        start()
        client:send(bytes)
        assert.equal(400, client:response().status)
        assert.is_true(client:is_gone())
      end)
    end

    it("with a head over the limit are refused, 431", function()
      start { max_head_bytes = 1000, max_headers = 10 }
      client:send("GET / HTTP/1.1\r\nHost: a\r\nX-Long: " .. ("x"):rep(1000))
      assert.equal(431, client:response().status)
      assert.is_true(client:is_gone())
      local other = http_client.open(loop, server.port)
      other:send("GET / HTTP/1.1\r\n" .. ("A: b\r\n"):rep(11) .. "\r\n")
      assert.equal(431, other:response().status)
      other:close()
    end)

    it("whose head does not come are refused, 408; a silent one is hung up on", function()
      start { head_timeout_s = 0.05 }
      local silent = http_client.open(loop, server.port)
      client:send "GET / HTTP/1.1\r\n"
      assert.equal(408, client:response().status)
      assert.is_true(client:is_gone())
      assert.is_true(silent:is_gone())
      assert.equal("", silent.tcp.received)
      silent:close()
    end)

    it("that trickle do not put the time off", function()
      start { head_timeout_s = 0.1 }
      local sent = 0
      client:send "GET / HTTP/1.1\r\n"
      platform.run_until(loop, 5, function()
        if not client.tcp.is_gone and client.tcp.received == "" then
          client:send "A: b\r\n"
          sent = sent + 1
        end
        uv.sleep(1)
        return client.tcp.received ~= ""
      end)
      assert.is_true(sent < 2000)
      assert.matches("^HTTP/1.1 4[03][81]", client.tcp.received)
    end)

    it("may be waited for between responses for a while", function()
      start { keep_alive_timeout_s = 0.05 }
      assert.equal(200, client:ask("GET", "/page.html").status)
      assert.is_true(client:is_gone())
    end)
  end)
end)
