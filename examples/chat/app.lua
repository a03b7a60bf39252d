--- The application of the chat: rooms in which people see each other come and go.
-- A description only: main.lua serves it stand-alone, any other server may bind it as well.
local presence = require "presence"

local max_user_id_bytes = 256
local max_topic_bytes = 256
local max_members = 12 -- of a meta
local max_name_bytes = 32 -- of a member
local max_text_bytes = 512 -- of a member that is text

-- What a join may say about a device. Other params are none of the meta's business.
local joinable = { "device", "online_at", "status", "status_text", "status_at" }

local plain = { string = true, number = true, boolean = true }

local function is_null(value)
  return type(value) == "userdata"
end

--- A meta with some members replaced, or removed where the new value is null. What comes from a
--- client is checked: everybody in the room gets it.
---@param meta table
---@param members any
---@return table|nil changed
---@return string|nil reason
local function merged(meta, members)
  if type(members) ~= "table" then
    return nil, "an object is expected"
  end
  local changed, count = {}, 0
  for name, value in pairs(meta) do
    changed[name] = value
  end
  for name, value in pairs(members) do
    if type(name) ~= "string" or #name > max_name_bytes then
      return nil, "a member's name is not text or too long"
    elseif is_null(value) then
      changed[name] = nil
    elseif not plain[type(value)] then
      return nil, "a member is neither text nor a number, true or false"
    elseif type(value) == "string" and #value > max_text_bytes then
      return nil, "a text is too long"
    else
      changed[name] = value
    end
  end
  for _ in pairs(changed) do
    count = count + 1
  end
  if count > max_members then
    return nil, "too many members"
  end
  return changed
end

local function default_meta()
  return { device = "unknown", online_at = os.time() }
end

local Room = presence.channel()

-- The meta of each socket, as a table; the tracker holds it as text.
local metas = setmetatable({}, { __mode = "k" })

function Room.join(socket, topic, params)
  if #topic > max_topic_bytes then
    return nil, "the room's name is too long"
  end
  local given = {}
  for _, name in ipairs(joinable) do
    given[name] = type(params) == "table" and params[name] or nil
  end
  local kind = type(given.online_at)
  if kind ~= "nil" and kind ~= "number" and kind ~= "string" then
    return nil, "online_at must be a number or text"
  elseif given.device ~= nil and type(given.device) ~= "string" then
    return nil, "device must be text"
  end
  local meta, reason = merged(default_meta(), given)
  metas[socket] = meta
  if not meta then
    return nil, reason
  end
  return true
end

function Room.track(socket)
  return socket.assigns.user_id, metas[socket]
end

--- Said to everybody in the room, byte for byte as it came.
function Room.handle_in_raw.shout(socket, message)
  socket:broadcast("shout", message)
  return "ok"
end

--- Members of our meta: a status, a few words. Equal ones are no news to anybody.
function Room.handle_in.status(socket, members)
  local meta, reason = merged(metas[socket], members)
  if not meta then
    return "error", { reason = reason }
  end
  local ref, word = socket:update(socket.assigns.user_id, meta)
  if not ref then
    return "error", { reason = word }
  end
  metas[socket] = meta
  return "ok"
end

--- Told to the others and kept nowhere. The server says who it is.
function Room.handle_in.typing(socket, payload)
  local is_typing = type(payload) ~= "table" or payload.typing ~= false
  socket:broadcast_from("typing", { user = socket.assigns.user_id, typing = is_typing })
end

--- Whoever names a user is that user: a demo has no passwords.
local function connect(params)
  local user_id = params.user_id
  if type(user_id) ~= "string" or user_id == "" then
    return nil, "user_id is missing"
  elseif #user_id > max_user_id_bytes then
    return nil, "user_id is too long"
  end
  return { user_id = user_id }
end

local options = {
  mount = "/socket",
  connect = connect,
  channels = { ["room:*"] = Room },
}
if os.getenv "LIMITS" == "off" then
  options.max_messages_per_s = false
  options.longpoll_max_sessions_per_address = false
end

return presence.endpoint(options)
