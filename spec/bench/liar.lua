--- A server for the specs of bench_load that is not what it should be; LIE says in which way:
--- "refuses" lets nobody in, "ghost" tracks somebody who is not there, "other" gives every meta
--- another join's number, "deaf" answers no join, "extra" adds a member to every meta.
local presence = require "presence"

local lie = os.getenv "LIE"
local Room = presence.channel()

function Room.join(_, _, params)
  if lie == "deaf" then
    return nil, "no"
  end
  return type(params) == "table"
end

function Room.track(socket, params)
  local device = params.device
  if lie == "other" then
    device = device:gsub("%d+$", "99")
  end
  return socket.assigns.user_id,
    { device = device, online_at = params.online_at, extra = lie == "extra" or nil }
end

function Room.after_join(socket)
  if lie == "ghost" then
    socket:track("ghost", { device = "0.1", online_at = 1700000000 })
  end
end

presence.serve(presence.endpoint {
  connect = function(params)
    if lie == "refuses" then
      return nil, "nobody"
    end
    return { user_id = params.user_id }
  end,
  channels = { ["room:*"] = Room },
}, {
  port = 0,
  on_listen = function(server)
    io.stdout:write(server.port, "\n")
    io.stdout:flush()
  end,
})
