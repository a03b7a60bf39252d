/* States for the C program around Lua. It calls from outside of this module's functions, so there
   are no upvalues: what is needed comes from the registry. */
#include "lua/presence_lua.h"
#include "lua/pure.h"

/* Room on the stack for what is below. */
#define SLOTS 10

presence_heap *presence_lua_heap(lua_State *L) {
  luaL_checkstack(L, SLOTS, "presence");
  presence__lua_push_heap(L);
  const struct presence__lua_heap *box = lua_touserdata(L, -1);
  lua_pop(L, 1);
  if (box->closed) luaL_error(L, "the Lua state is closing");
  return box->heap;
}

void presence_lua_push_state(lua_State *L, const presence_state *state) {
  luaL_checkstack(L, SLOTS, "presence");
  if (presence_state_heap(state) != presence_lua_heap(L))
    luaL_error(L, "the state lives in another heap than that of this Lua state");
  luaL_getmetatable(L, PRESENCE__STATE);
  if (lua_isnil(L, -1)) luaL_error(L, "presence.core has not been loaded");
  lua_pop(L, 1);
  struct presence__lua_state *box = presence__lua_new(L, sizeof *box, PRESENCE__STATE);
  box->state = presence_state_retain(state);
}

const presence_state *presence_lua_to_state(lua_State *L, int index) {
  const struct presence__lua_state *box = luaL_testudata(L, index, PRESENCE__STATE);
  return box ? box->state : NULL;
}
