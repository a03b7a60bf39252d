/* presence_lua.h: states shared between a C program and the Lua that it embeds.

   Link with libpresence-lua5.4 (it holds libpresence, too: not with both, for each copy has a hash
   key of its own) and let the module be found:

     luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
     lua_pushcfunction(L, luaopen_presence_core);
     lua_setfield(L, -2, "presence.core");
     lua_pop(L, 1);

   A state goes to Lua and back without a copy: both sides hold references to the same one. They
   must live in the same heap, that of the lua_State; it belongs to the thread that runs Lua. What
   C holds may be released after lua_close.

   As functions of Lua's own API do, these need a slot of the stack for what they push, and
   presence_lua_to_state two to look at a value. */
#ifndef PRESENCE_LUA_H
#define PRESENCE_LUA_H

#include <lua.h>

#include "presence.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Opens the module presence.core, as `require` calls it. */
PRESENCE_API int luaopen_presence_core(lua_State *L);

/* The heap in which the states of this lua_State live, *borrowed*: make states in it that Lua is to
   see. Raises a Lua error when out of memory and while the lua_State closes. O(1). */
PRESENCE_API presence_heap *presence_lua_heap(lua_State *L);

/* Pushes state as a PresenceState, which holds one more reference. Raises a Lua error when state is
   of another heap, when presence.core has not been loaded, and when out of memory. O(1). */
PRESENCE_API void presence_lua_push_state(lua_State *L, const presence_state *state);

/* The state of the PresenceState at index, *borrowed* from it: retain what is to outlive that Lua
   value. NULL for every other value. O(1). */
PRESENCE_API const presence_state *presence_lua_to_state(lua_State *L, int index);

#ifdef __cplusplus
}
#endif

#endif
