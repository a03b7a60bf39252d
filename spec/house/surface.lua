--- What the project offers, read from the build and from the running modules.
local source = require "spec.house.source"

local M = {}

--- Symbol tables of the object files of the library, the Lua modules and the C tests.
---@return table<string, string[]> object → lines of `nm`
function M.objects()
  local objects = {}
  for _, path in ipairs(source.files("build/CMakeFiles", "c.o")) do
    objects[path:gsub("^build/CMakeFiles/", "")] = source.output("nm " .. path)
  end
  return objects
end

--- Names that lists of exports hold, one a line; # begins a comment.
---@param ... string lists, src/core/exports.txt when none is named
---@return string[]
function M.exports(...)
  local names = {}
  for _, path in ipairs(... and { ... } or { "src/core/exports.txt" }) do
    for line in source.read(path):gmatch("[^\n]+") do
      names[#names + 1] = line:match("^%s*([%w_]+)")
    end
  end
  return names
end

-- By this name Lua enters its module.
M.lua_entry = "luaopen_presence_core"

---@param path string of a shared object
---@return string[] lines of `nm`
function M.dynamic_symbols(path)
  return source.output("nm -D --defined-only " .. path)
end

---@param name string
---@return string path of a shared library
function M.library(name)
  local found = source.output("ls build/" .. name .. ".so 2>/dev/null")
  return assert(found[1], name .. ".so is not in build/")
end

---@return string[] paths of the Lua modules
function M.lua_modules()
  return source.output("ls build/lib/lua/5.1/presence/core.so build/lib/lua/5.4/presence/core.so")
end

local function functions_of(table_of_names)
  local names = {}
  for name, value in pairs(table_of_names) do
    local call = type(value) == "table" and (debug.getmetatable(value) or {}).__call
    if (type(value) == "function" or call) and type(name) == "string" and not name:find("^_") then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return names
end

--- Methods that a Lua file defines on a class, private ones (ending in _) left out.
---@param text string
---@param class string
---@param internal table<string, boolean>
---@return string[]
function M.methods(text, class, internal)
  local names, tokens = {}, source.lua_tokens(text)
  for i, token in ipairs(tokens) do
    local name = tokens[i + 3]
    if token.text == "function" and token.kind == "name" and tokens[i + 1].text == class
      and (tokens[i + 2].text == ":" or tokens[i + 2].text == ".") and not name.text:find("_$")
      and not internal[name.text] then
      names[#names + 1] = name.text
    end
  end
  return names
end

-- Objects that users hold: the class in its file, and methods that are for other rooms only.
local public_classes = {
  { "lua/presence/pubsub.lua", "PubSub",
    internal = { add = true, remove = true, drop = true, dispatch = true } },
  { "lua/presence/channels/endpoint.lua", "Endpoint", internal = {} },
  { "lua/presence/channels/socket.lua", "Socket", internal = {} },
  { "lua/presence/testing.lua", "Testing", internal = {} },
  { "lua/presence/testing.lua", "TestClient", internal = {} },
}

--- Every public function: owner → names.
---@return table<string, string[]>
function M.public_names()
  local presence = require "presence"
  local state = presence.track_state(presence.new_state(), "topic", "key", 1, "{}")
  local owners = {
    presence = functions_of(presence),
    process = functions_of(presence.process),
    PresenceState = functions_of(debug.getmetatable(state).__index),
  }
  for _, class in ipairs(public_classes) do
    owners[class[2]] = M.methods(source.read(class[1]), class[2], class.internal)
  end
  return owners
end

--- Options with their defaults: group → name → default.
---@return table<string, table<string, any>>
function M.options()
  local groups = {}
  for group, options in pairs(require "presence.config") do
    if type(options) == "table" then
      groups[group] = options
    end
  end
  return groups
end

--- Error words that C can return: the statuses of the core, as it lists them itself, and what the
--- bindings of text and net push by name.
---@return {word: string, where: string}[]
function M.c_words()
  local used = {}
  for _, word in ipairs(require("presence.core").status_words()) do
    used[#used + 1] = { word = word, where = "presence.core" }
  end
  for _, path in ipairs(source.files("src/lua", "c")) do
    local text = source.read(path)
    for word in text:gmatch('presence__push_failure%(%s*L,%s*"([^"]*)"') do
      used[#used + 1] = { word = word, where = path }
    end
  end
  return used
end

---@return table<string, string> word → meaning
function M.word_registry()
  return require "presence.words"
end

return M
