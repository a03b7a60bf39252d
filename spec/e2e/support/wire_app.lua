-- An application for tests of the wire: rooms whose events carry text and bytes.
local presence = require "presence"

local Room = presence.channel {
  track = function(socket, params)
    return socket.assigns.user_id, { device = params.device }
  end,
}

function Room.handle_in.shout(socket, payload)
  socket:broadcast("shout", payload)
  return "ok"
end

function Room.handle_in.update(socket, payload)
  local ref, word = socket:update(socket.assigns.user_id, payload)
  if not ref then
    return "error", { reason = word }
  end
  return "ok"
end

-- Bytes come back as a reply, a push and a broadcast.
function Room.handle_in_raw.bytes(socket, payload)
  socket:push("pushed", payload)
  socket:broadcast("shared", payload)
  return "ok", payload
end

-- What came, told in text: for transports whose clients cannot read bytes.
function Room.handle_in_raw.measure(_, payload)
  return "ok", { size = #payload.bytes, last = payload.bytes:byte(-1) }
end

function Room.handle_in.whoami(socket)
  return "ok", { token = socket.assigns.token }
end

return presence.endpoint {
  connect = function(params, request)
    if not params.user_id then
      return nil, "no user"
    end
    return { user_id = params.user_id, token = request.auth_token or "none" }
  end,
  longpoll_wait_s = 1,
  channels = { ["room:*"] = Room },
}
