-- Globals by room: the code runs on Lua 5.4 and LuaJIT, so only what both have is known.
std = "min"
max_line_length = 100
include_files = {
  "lua/**/*.lua", "spec/**/*.lua", "examples/**/*.lua", "bench/**/*.lua", "types/*.lua",
  "scripts/*.lua", "rockspec/*.rockspec", ".luacheckrc",
}

-- What only one of the two has, for code that asks whether it is there.
read_globals = {
  "unpack",
  "jit",
  table = { fields = { "unpack" } },
  math = { fields = { "type", "tointeger" } },
  coroutine = { fields = { "isyieldable", "close" } },
}

files["lua/presence/nginx"] = { globals = { "ngx" } }
files[".luacheckrc"] = { std = "min+luacheckrc" }
files["examples/nginx"] = { read_globals = { "ngx" } }
files["spec"] = { std = "min+busted" }
files["spec/nginx"] = { read_globals = { "ngx" } }
files["rockspec"] = { std = "min+rockspec" }
-- Declarations for language servers: their functions have no bodies.
files["types"] = { ignore = { "211", "212", "241" } }
