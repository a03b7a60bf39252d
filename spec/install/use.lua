-- What somebody does with an installed module: run by both interpreters, which must find it.
-- The argument is the folder that it must have come from.
local folder = assert(arg[1])

local presence = require "presence"
local s = presence.new_state():track("room:1", "ann", 1, '{"device":"phone"}')
assert(s:count("room:1") == 1 and s:get("room:1", "ann")[1].data == '{"device":"phone"}')
require "presence.luv.server"

local Room = presence.channel {
  track = function(socket)
    return socket.assigns.user_id, {}
  end,
}
local t = presence.testing.new(presence.endpoint {
  connect = function(params)
    return { user_id = params.user_id }
  end,
  channels = { ["room:*"] = Room },
})
local ann = t:client { user_id = "ann" }
ann:join "room:1"
t:advance(0.1)
assert(ann:presences("room:1").ann)
t:finish()

local function found(name, path)
  name = name:gsub("%.", "/")
  for template in path:gmatch "[^;]+" do
    local file_name = template:gsub("%?", name)
    local file = io.open(file_name, "rb")
    if file then
      file:close()
      return file_name
    end
  end
end

local lua_file, c_file = found("presence", package.path), found("presence.core", package.cpath)
for _, file_name in ipairs { lua_file, c_file } do
  assert(file_name:sub(1, #folder + 1) == folder .. "/", "found elsewhere: " .. file_name)
  print(file_name)
end
