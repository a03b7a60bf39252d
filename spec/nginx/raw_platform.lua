--- The suite of raw frames inside of an nginx worker: its connections go through the worker's own
-- port, their clients are cosockets of the test's request.

local core = require "presence.core"
local nginx_loop = require "presence.nginx.loop"
local nginx_server = require "presence.nginx.server"
local client_side = require "spec.contract.raw.handshake"
local platform_kit = require "spec.contract.raw.platform_kit"

local M = { patience_s = 5, limits_bodies = true, is_real_time = true }

-- What the location /socket serves.
local serving

--- For `content_by_lua_block` of the location that the clients ask for.
function M.serve()
  return serving:serve()
end

local function ready_loop()
  local loop = nginx_loop.new()
  while not loop.ready do
    ngx.sleep(0.001)
  end
  return loop
end

local function is_whole(response)
  return response and (response.status == 101
    or #response.body >= (tonumber(response.headers["content-length"]) or math.huge))
end

local function read_response(sock)
  local received = ""
  while true do
    local bytes = sock:receiveany(65536)
    received = received .. (bytes or "")
    local response = client_side.response(received)
    if not bytes or is_whole(response) then
      return response
    end
  end
end

local function open(...)
  local sock = ngx.socket.tcp()
  sock:settimeouts(1000, 1000, M.patience_s * 1000)
  assert(sock:connect("127.0.0.1", tonumber(ngx.var.server_port)))
  assert(sock:send(client_side.request(...)))
  local response = read_response(sock)
  if not response or response.status ~= 101 then
    sock:close()
    return nil, response and response.status, response and response.body
  end
  assert(response.headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
  local codec = core.websocket { role = "client", max_message_bytes = 1e7, max_fragments = 100 }
  codec:feed(response.body)
  local client, is_gone = { protocol = response.headers["sec-websocket-protocol"] }, false

  function client.send_bytes(bytes)
    if not is_gone then
      sock:send(bytes)
    end
  end

  function client.recv(timeout_s)
    while true do
      local frame = client_side.frame(codec:next())
      if frame then
        return frame
      elseif is_gone then
        return { kind = "gone" }
      end
      sock:settimeouts(1000, 1000, math.max(1, timeout_s * 1000))
      local bytes, err = sock:receiveany(65536)
      if bytes then
        codec:feed(bytes)
      elseif err == "timeout" then
        return nil
      else
        is_gone = true
      end
    end
  end

  function client.vanish()
    sock:close()
    is_gone = true
  end

  return client
end

-- One request on a connection of its own; the response is cut by its Content-Length.
local function exchange_with(bytes)
  local sock = ngx.socket.tcp()
  sock:settimeouts(1000, 1000, 1000)
  assert(sock:connect("127.0.0.1", tonumber(ngx.var.server_port)))
  assert(sock:send(bytes))
  local exchange = {}

  function exchange.response(timeout_s)
    sock:settimeouts(1000, 1000, timeout_s * 1000)
    return read_response(sock)
  end

  function exchange.vanish()
    sock:close()
  end

  return exchange
end

local function wait_until(is_done)
  for _ = 1, M.patience_s * 200 do
    if is_done() then
      return true
    end
    ngx.sleep(0.005)
  end
  return false
end

function M.start(endpoint, opts)
  local loop = ready_loop()
  local runtime, logged = platform_kit.new_runtime(loop, opts.runtime)
  local server = nginx_server.new(endpoint,
    { runtime = runtime, linger_timeout_s = 0.2, drain_spread_s = 0.1 })
  serving = server
  local harness = platform_kit.new_server(open,
    function(...) return exchange_with(platform_kit.longpoll_request(...)) end, logged)

  function harness.wait(seconds)
    ngx.update_time()
    ngx.sleep(seconds)
  end

  function harness.stop()
    harness.hang_up()
    local is_stopped = false
    server:stop(function() is_stopped = true end)
    assert(wait_until(function() return is_stopped end), "the server did not stop")
    platform_kit.expect_nothing_left(server.bound, runtime)
    loop:close()
    assert(wait_until(function() return not loop.ready end), "the loop did not end")
  end

  return harness
end

return M
