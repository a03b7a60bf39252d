--- The suite of raw frames over TCP: the stand-alone server, and clients on the same libuv loop.

local uv = require "luv"
local core = require "presence.core"
local luv_loop = require "presence.luv.loop"
local luv_server = require "presence.luv.server"
local client_side = require "spec.contract.raw.handshake"
local platform_kit = require "spec.contract.raw.platform_kit"

local M = { patience_s = 5, limits_bodies = true, is_real_time = true }

--- Runs libuv until `is_done()`, or until the time is up; returns what `is_done` said last.
function M.run_until(loop, timeout_s, is_done)
  local deadline = loop:now() + timeout_s
  local alarm = loop:after(timeout_s, function() end)
  local done = is_done()
  while not done and loop:now() < deadline do
    uv.run("once")
    done = is_done()
  end
  alarm:cancel()
  return done
end

--- A TCP connection to a server: `received` grows, `is_gone` tells of its end.
function M.connect(loop, port, host)
  local handle = uv.new_tcp()
  local tcp = { handle = handle, received = "", is_gone = false }
  local connected
  handle:connect(host or "127.0.0.1", port, function(err) connected = err or true end)
  M.run_until(loop, M.patience_s, function() return connected end)
  if connected ~= true then
    handle:close()
    error("cannot connect: " .. tostring(connected))
  end
  handle:read_start(function(err, bytes)
    if err or not bytes then
      tcp.is_gone = true
    else
      tcp.received = tcp.received .. bytes
    end
  end)

  function tcp.write(bytes)
    handle:write(bytes)
  end

  function tcp.close()
    if not handle:is_closing() then handle:close() end
    tcp.is_gone = true
  end

  return tcp
end

local function open(loop, port, ...)
  local tcp = M.connect(loop, port)
  tcp.write(client_side.request(...))
  local response
  M.run_until(loop, M.patience_s, function()
    response = client_side.response(tcp.received)
    return response and (response.status == 101 or tcp.is_gone) or tcp.is_gone
  end)
  if not response or response.status ~= 101 then
    tcp.close()
    return nil, response and response.status, response and response.body
  end
  assert(response.headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
  local codec = core.websocket { role = "client", max_message_bytes = 1e7, max_fragments = 100 }
  tcp.received = response.body
  local client = { protocol = response.headers["sec-websocket-protocol"], vanish = tcp.close }

  function client.send_bytes(bytes)
    if not tcp.is_gone then tcp.write(bytes) end
  end

  function client.recv(timeout_s)
    local frame
    M.run_until(loop, timeout_s, function()
      if tcp.received ~= "" then
        codec:feed(tcp.received)
        tcp.received = ""
      end
      frame = client_side.frame(codec:next())
      if not frame and tcp.is_gone then
        frame = { kind = "gone" }
      end
      return frame
    end)
    return frame
  end

  return client
end

-- One request on a connection of its own; the response is cut by its Content-Length.
local function exchange_with(loop, port, request)
  local tcp = M.connect(loop, port)
  tcp.write(request)
  local exchange = { vanish = tcp.close }

  function exchange.response(timeout_s)
    local response
    M.run_until(loop, timeout_s, function()
      response = client_side.response(tcp.received)
      local is_whole = response
        and #response.body >= tonumber(response.headers["content-length"] or 0)
      return is_whole or tcp.is_gone
    end)
    return response
  end

  return exchange
end

-- Handles that are neither closed nor being closed.
local function open_handles()
  local open_ones = {}
  uv.walk(function(handle)
    if not handle:is_closing() then
      open_ones[#open_ones + 1] = tostring(handle)
    end
  end)
  return open_ones
end

--- Everything is given back: fails when a handle of libuv is left open.
function M.expect_no_handles()
  uv.run("nowait")
  local left = open_handles()
  assert(#left == 0, "handles are left open: " .. table.concat(left, ", "))
end

--- Starts a server on any free port; `opts.runtime` and `opts.server` are options of both.
function M.start_server(endpoint, opts)
  local loop = luv_loop.new()
  local runtime, logged = platform_kit.new_runtime(loop, opts.runtime)
  local server_opts = { port = 0, runtime = runtime, linger_timeout_s = 0.2 }
  for name, value in pairs(opts.server or {}) do server_opts[name] = value end
  local server = luv_server.new(endpoint, server_opts)
  assert(server:listen())
  return server, loop, logged
end

function M.start(endpoint, opts)
  local server, loop, logged = M.start_server(endpoint, opts)
  local harness = platform_kit.new_server(
    function(...) return open(loop, server.port, ...) end,
    function(...)
      return exchange_with(loop, server.port, platform_kit.longpoll_request(...))
    end, logged)

  function harness.wait(seconds)
    M.run_until(loop, seconds, function() return false end)
  end

  function harness.stop()
    harness.hang_up()
    local is_stopped = false
    server:stop(function() is_stopped = true end)
    M.run_until(loop, M.patience_s, function() return is_stopped end)
    assert(is_stopped, "the server did not stop")
    platform_kit.expect_nothing_left(server.bound, server.options.runtime)
    loop:close()
    M.expect_no_handles()
  end

  return harness
end

return M
