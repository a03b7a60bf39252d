--- Which room may use which: the table of docs/architecture.md, checked.
local source = require "spec.house.source"

local M = {}

-- A room of Lua: where its files are, and the prefixes of what it may require. "presence.x" stands
-- for that module and all below it; "presence" for the facade alone; "top" for the modules right
-- under lua/presence except the doors.
local lua_rooms = {
  { "lua/presence/luv/", { "top", "presence.channels", "presence.luv", "luv", "openssl" } },
  { "lua/presence/nginx/", { "top", "presence.channels", "presence.http", "presence.nginx",
    "resty", "ngx", "ffi" } },
  { "lua/presence/manual/", { "top" } },
  { "lua/presence/http/", { "top", "presence.channels" } },
  { "lua/presence/cluster/", { "top" } },
  -- Signatures: a well-kept library, on either platform.
  { "lua/presence/channels/guard/token.lua", { "top", "openssl" } },
  { "lua/presence/channels/", { "top", "presence.channels" } },
  { "lua/presence/json.lua", { "top", "cjson" } },
  -- The doors of the house: they put rooms together for those who come from outside.
  { "lua/presence/init.lua", { "top", "presence.channels", "presence.luv", "presence.nginx",
    "a computed name" } },
  { "lua/presence/default.lua", { "top", "a computed name" } },
  { "lua/presence/testing", { "top", "presence", "presence.channels", "presence.manual",
    "presence.testing", "luassert", "say" } },
  { "lua/presence/", { "top" } },
  { "examples/", { "presence", "presence.testing", "presence.client", "app" } },
  { "bench/", { "any" } },
  { "spec/", { "any" } },
}
M.lua_rooms = lua_rooms

-- Modules right under lua/presence that "top" does not open: they lead to other rooms.
local doors = { ["presence.testing"] = true, ["presence.init"] = true }

local function within(name, prefix)
  return name == prefix or name:sub(1, #prefix + 1) == prefix .. "."
end

local function allowed(name, prefixes)
  for _, prefix in ipairs(prefixes) do
    if prefix == "any" then
      return true
    elseif prefix == "top" then
      if name:find("^presence%.[%w_]+$") and not doors[name] then
        return true
      end
    elseif prefix == "presence" then
      if name == prefix then
        return true
      end
    elseif within(name, prefix) then
      return true
    end
  end
  return false
end

local function room_of(path, rooms)
  for _, room in ipairs(rooms) do
    if path:sub(1, #room[1]) == room[1] then
      return room
    end
  end
end

--- Complaints about what a Lua file requires.
---@param path string from the root of the tree
---@param text string
---@return string[]
function M.check_lua(path, text)
  local complaints = {}
  local room = room_of(path, lua_rooms)
  if not room then
    return { path .. ": belongs to no room" }
  end
  for _, required in ipairs(source.requires(text)) do
    local where = ("%s:%d: "):format(path, required.line)
    if not required.name then
      if not allowed("a computed name", room[2]) then
        complaints[#complaints + 1] = where .. "requires what is not a literal name"
      end
    elseif not allowed(required.name, room[2]) then
      complaints[#complaints + 1] = where .. "may not require " .. required.name
    end
  end
  return complaints
end

local c_rooms = {
  { "src/text/", { "text" }, lua = false },
  { "src/core/", { "core", "text" }, lua = false },
  { "src/net/", { "net", "text" }, lua = false },
  { "src/lua/", { "lua", "net", "core", "text" }, lua = true },
  { "spec/c/lua/", { "lua", "net", "core", "text", "spec" }, lua = true },
  { "spec/c/", { "net", "core", "text", "spec" }, lua = false },
  { "spec/install/", {}, lua = false }, -- what users write, against what is installed
  { "spec/fuzz/", { "net", "core", "text", "spec" }, lua = false },
  { "bench/", { "net", "core", "text", "bench" }, lua = false },
}

-- What the C library of Debian brings. Rooms without sockets have no use for their headers.
local libc = {}
for name in ([[assert ctype errno fcntl float inttypes limits math signal stdalign stdarg stdatomic
  stdbool stddef stdint stdio stdlib stdnoreturn string time unistd sys/random sys/types sys/mman
  dlfcn sys/wait sys/resource sys/time pthread threads sanitizer/asan_interface]]):gmatch("%S+") do
  libc[name .. ".h"] = true
end
local lua_headers = { ["lua.h"] = true, ["lauxlib.h"] = true, ["lualib.h"] = true }
local test_headers = { ["cmocka.h"] = true, ["setjmp.h"] = true }
local bench_headers = {
  ["valgrind/callgrind.h"] = true, ["mimalloc.h"] = true,
  -- The clients of bench/server, and its floor.
  ["arpa/inet.h"] = true, ["netinet/in.h"] = true, ["netinet/tcp.h"] = true,
  ["sys/epoll.h"] = true, ["sys/socket.h"] = true, ["sys/prctl.h"] = true, ["sched.h"] = true,
}

-- The one file that writes to sockets, which libuv owns.
local socket_writer = "src/lua/net_send.c"
local socket_headers = { ["sys/socket.h"] = true, ["sys/uio.h"] = true }

local function angled_allowed(path, room, name)
  return libc[name] or (path == socket_writer and socket_headers[name])
    or (room.lua and lua_headers[name])
    or (path:find("^spec/") and test_headers[name])
    or (path:find("^bench/") and bench_headers[name]) or false
end

--- Complaints about what a C file includes.
---@param path string from the root of the tree
---@param text string
---@return string[]
function M.check_c(path, text)
  local complaints = {}
  local room = room_of(path, c_rooms)
  if not room then
    return { path .. ": belongs to no room" }
  end
  for _, include in ipairs(source.includes(text)) do
    local where = ("%s:%d: "):format(path, include.line)
    local target = include.name:match("^(%a+)/")
    if include.name:find("%.c$") then
      complaints[#complaints + 1] = where .. "includes a .c file: " .. include.name
    elseif include.angled then
      if not angled_allowed(path, room, include.name) then
        complaints[#complaints + 1] = where .. "may not include <" .. include.name .. ">"
      end
    elseif target then
      local open = false
      for _, name in ipairs(room[2]) do
        open = open or name == target
      end
      if not open then
        complaints[#complaints + 1] = where .. 'may not include "' .. include.name .. '"'
      end
    end
  end
  return complaints
end

local function module_name(path)
  local name = path:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/init$", "")
  return (name:gsub("/", "."))
end

--- Lua modules that no entry reaches.
---@param texts table<string, string> path → source, of every file under lua/
---@param entries string[] modules that users require themselves
---@return string[]
function M.dead_modules(texts, entries)
  local path_of, reached, queue = {}, {}, {}
  for path in pairs(texts) do
    path_of[module_name(path)] = path
  end
  for _, name in ipairs(entries) do
    queue[#queue + 1] = name
  end
  while #queue > 0 do
    local name = table.remove(queue)
    local path = path_of[name]
    if path and not reached[path] then
      reached[path] = true
      for _, required in ipairs(source.requires(texts[path])) do
        queue[#queue + 1] = required.name
      end
    end
  end
  local dead = {}
  for path in pairs(texts) do
    if not reached[path] then
      dead[#dead + 1] = path .. ": no entry reaches it"
    end
  end
  table.sort(dead)
  return dead
end

return M
