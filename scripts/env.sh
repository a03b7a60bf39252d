# shellcheck shell=sh
# Sourced from the root of the tree: lets both interpreters find the modules of this tree first.
# Lua 5.4 prefers the variables that carry its version; LuaJIT reads the plain ones.
# BUILD names the build tree whose C modules are used.
presence_build=${BUILD:-$PWD/build}
LUA_PATH_5_4="$PWD/lua/?.lua;$PWD/lua/?/init.lua;${LUA_PATH_5_4:-${LUA_PATH:-;}}"
LUA_CPATH_5_4="$presence_build/lib/lua/5.4/?.so;${LUA_CPATH_5_4:-${LUA_CPATH:-;}}"
LUA_PATH="$PWD/lua/?.lua;$PWD/lua/?/init.lua;${LUA_PATH:-;}"
LUA_CPATH="$presence_build/lib/lua/5.1/?.so;${LUA_CPATH:-;}"
export LUA_PATH LUA_CPATH LUA_PATH_5_4 LUA_CPATH_5_4
