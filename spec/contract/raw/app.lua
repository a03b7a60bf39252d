--- The application that the suite of raw frames is played against.

local presence = require "presence"

local M = {}

local function answer(value, word)
  if value then
    return "ok"
  end
  return "error", { reason = word }
end

local function decide_join(_, _, params)
  if params.wait_s then
    presence.process.receive(params.wait_s)
  end
  if params.raise then
    error "join raises, as it was asked to"
  elseif params.reject then
    return nil, params.reject
  end
  return true, params.reply
end

local function add_handlers(channel)
  local handlers = channel.handle_in

  function handlers.echo(_, payload) return "ok", payload end
  function handlers.fail(_, payload) return "error", payload end
  function handlers.silent() end
  function handlers.raise() error "a handler raises, as it was asked to" end
  function handlers.stop() return "stop" end

  function handlers.answer_and_stop(socket)
    socket:reply(socket.ref, "ok", {})
    return "stop"
  end

  function handlers.shout(socket, payload)
    socket:broadcast("shout", payload)
    return "ok"
  end

  function handlers.whisper(socket, payload)
    socket:broadcast_from("whisper", payload)
    return "ok"
  end

  function handlers.push_back(socket, payload)
    socket:push("pushed", payload)
  end

  function handlers.flood(socket, payload)
    for n = 1, payload.messages do
      presence.process.send(socket.pid, n)
    end
    return "ok"
  end

  -- Keeps everybody waiting.
  function handlers.burn(socket, payload)
    local loop = socket.runtime.loop
    local until_s = loop:now() + payload.seconds
    while loop:now() < until_s do end -- luacheck: ignore 542
    return "ok"
  end

  function handlers.shout_bytes(socket, payload)
    socket:broadcast(payload.event or "bytes", presence.binary(payload.text))
    return "ok"
  end

  function handlers.push_bytes(socket, payload)
    socket:push("pushed", presence.binary(payload.text))
  end

  function handlers.reply_bytes(_, payload)
    return payload.status or "ok", presence.binary(payload.text)
  end

  -- Bytes or text, back as they came.
  local raw = channel.handle_in_raw

  function raw.raw_echo(_, payload) return "ok", payload end
  function raw.raw_error(_, payload) return "error", payload end
  function raw.raw_silent() end
  function raw.raw_push(socket, payload) socket:push("raw_pushed", payload) end
  function raw.raw_shout(socket, payload) socket:broadcast("raw_shouted", payload) end
end

local function add_presence_handlers(channel)
  local handlers = channel.handle_in

  function handlers.track(socket, payload)
    return answer(socket:track(payload.key, payload.meta_json or payload.meta))
  end

  function handlers.update(socket, payload)
    return answer(socket:update(payload.key, payload.meta_json or payload.meta))
  end

  function handlers.untrack(socket, payload)
    socket:untrack(payload.key)
    return "ok"
  end

  function handlers.track_many(socket, payload)
    for i = 1, payload.count do
      assert(socket:track(payload.prefix .. i, {}))
    end
    return "ok"
  end

  function handlers.come_and_go(socket, payload)
    assert(socket:track(payload.key, {}))
    socket:untrack(payload.key)
    return "ok"
  end

  function handlers.update_all(socket, payload)
    for _, meta in ipairs(payload.metas) do
      assert(socket:update(payload.key, meta))
    end
    return "ok"
  end
end

--- An endpoint with `plain:*` (no presence is sent), `room:*` (present under the params' `key`),
--- `held:*` (tracked in join), `late:*` (tracked in after_join) and the exact topic `lobby`.
---@param opts table|nil more options of the endpoint
function M.endpoint(opts)
  local plain = presence.channel { join = decide_join, presence = "none" }
  add_handlers(plain)

  local room = presence.channel {
    join = decide_join,
    track = function(_, params)
      if params.key then
        return params.key, params.meta_json or params.meta or {}
      end
    end,
  }
  add_handlers(room)
  add_presence_handlers(room)

  local held = presence.channel {
    join = function(socket, topic, params)
      if params.key then
        assert(socket:track(params.key, {}))
      end
      return decide_join(socket, topic, params)
    end,
  }
  local late = presence.channel {
    join = decide_join,
    after_join = function(socket, params)
      socket:push("welcome", {})
      if params.after_s then
        presence.process.receive(params.after_s)
      end
      assert(socket:track(params.key, {}))
    end,
  }
  add_handlers(late)

  local options = {
    channels = {
      ["plain:*"] = plain, ["room:*"] = room, ["held:*"] = held, ["late:*"] = late,
      ["lobby"] = plain,
    },
  }
  for name, value in pairs(opts or {}) do
    options[name] = value
  end
  return presence.endpoint(options)
end

return M
