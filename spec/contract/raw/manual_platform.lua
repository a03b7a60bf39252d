--- The suite of raw frames without sockets: the endpoint on the manual loop, its transport a table.

local core = require "presence.core"
local handshake = require "presence.channels.handshake"
local manual_loop = require "presence.manual.loop"
local digest = require "openssl.digest"
local client_side = require "spec.contract.raw.handshake"
local platform_kit = require "spec.contract.raw.platform_kit"

-- `writes` counts what connections send, for specs to look at.
local M = { patience_s = 1, writes = 0 }

local step_s = 0.005

local function sha1(bytes) return digest.new("sha1"):final(bytes) end

local function open(bound, loop, request, accepted)
  local codec = core.websocket { role = "client", max_message_bytes = 1e7, max_fragments = 100 }
  local is_gone = false
  local connection, status, reason = bound:connect(request, {
    framing = "websocket",
    send = function(bytes)
      assert(not is_gone, "sent after the close")
      M.writes = M.writes + 1
      codec:feed(bytes)
    end,
    close = function() is_gone = true end,
  })
  if not connection then
    return nil, status, reason
  end
  local client = { protocol = accepted.protocol }

  function client.send_bytes(bytes)
    connection:feed(bytes)
    loop:turn()
  end

  function client.recv(timeout_s)
    loop:turn()
    local waited_s = 0
    repeat
      local frame = client_side.frame(codec:next())
      if frame then return frame end
      if is_gone then return { kind = "gone" } end
      loop:advance(step_s)
      waited_s = waited_s + step_s
    until waited_s > timeout_s
  end

  function client.vanish()
    is_gone = true
    connection:closed(1006)
    loop:turn()
  end

  return client
end

local function connect(bound, loop, ...)
  local head = assert(core.http_request(client_side.request(...), 16384, 100))
  if bound:matches(head.path) ~= "websocket" then return nil, 404 end
  local accepted, status, reason = handshake.check(head, sha1)
  if not accepted then return nil, status, reason end
  return open(bound, loop, {
    path = head.path, query = assert(core.query_decode(head.query)), headers = head.headers,
    remote_address = "127.0.0.1", secure = false, auth_token = accepted.auth_token,
  }, accepted)
end

local function exchange_with(bound, loop, method, query, headers, body)
  local exchange, lower, response = {}, {}, nil
  for name, value in pairs(headers) do lower[name:lower()] = value end
  local function respond(status, response_headers, response_body)
    assert(not response, "answered twice")
    response = { status = status, headers = {}, body = response_body }
    for name, value in pairs(response_headers) do response.headers[name:lower()] = value end
  end
  local poll = bound.longpoll:handle({
    method = method, path = "/socket/longpoll", query = query, headers = lower, body = body,
    remote_address = "127.0.0.1", secure = false,
  }, respond)
  loop:turn()

  function exchange.response(timeout_s)
    local waited_s = 0
    while not response and waited_s <= timeout_s do
      loop:advance(step_s)
      waited_s = waited_s + step_s
    end
    return response
  end

  function exchange.vanish()
    if poll and not response then poll:cancel() end
  end

  return exchange
end

function M.start(endpoint, opts)
  local loop = manual_loop.new()
  local runtime, logged = platform_kit.new_runtime(loop, opts.runtime)
  local bound = endpoint:bind(runtime)
  local server = platform_kit.new_server(
    function(...) return connect(bound, loop, ...) end,
    function(...) return exchange_with(bound, loop, ...) end, logged)

  function server.wait(seconds) loop:advance(seconds) end

  function server.stop()
    server.hang_up()
    bound:drain()
    loop:advance(1)
    platform_kit.expect_nothing_left(bound, runtime)
    assert(loop:pending() == 0, "timers are left over")
  end

  return server
end

return M
