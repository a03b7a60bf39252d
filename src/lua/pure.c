/* The pure layer of presence.core: metatables, methods and functions, put together. */
#include "lua/pure.h"

#include "lua/module.h"

/* Adds functions to the table on top of the stack, with the upvalues that lie at 1..count of the
   frame that presence__open_pure sets up. */
static void add(lua_State *L, const luaL_Reg *functions, int first, int count) {
  for (int i = 0; i < count; i++)
    lua_pushvalue(L, first + i);
  luaL_setfuncs(L, functions, count);
}

/* Pushes a new or known metatable of the registry. */
static void push_metatable(lua_State *L, const char *name) {
  luaL_newmetatable(L, name);
  presence__lua_name_metatable(L, name);
}

static void add_methods(lua_State *L, int metatable, int first, int count,
                        const luaL_Reg *const *tables) {
  lua_newtable(L);
  for (; *tables; tables++)
    add(L, *tables, first, count);
  lua_setfield(L, metatable, "__index");
}

/* Builders and owners: their methods have their metatable as a further upvalue. */
static void open_editor(lua_State *L, int first, const char *name, const luaL_Reg *methods,
                        const luaL_Reg *metamethods) {
  push_metatable(L, name); /* lies right behind the other upvalues */
  const luaL_Reg *const tables[] = {methods, NULL};
  add_methods(L, lua_gettop(L), first, PRESENCE__UP_OWN, tables);
  add(L, metamethods, first, PRESENCE__UP_OWN);
  lua_pop(L, 1);
}

void presence__open_pure(lua_State *L) {
  static const luaL_Reg own[] = {{"status_words", presence__lua_status_words}, {NULL, NULL}};
  const int module = lua_gettop(L);
  luaL_checkstack(L, 30, "presence.core");
  const int first = module + 1;
  presence__lua_push_heap(L);
  push_metatable(L, PRESENCE__STATE);
  push_metatable(L, PRESENCE__ENTRY);
  push_metatable(L, PRESENCE__META);

  const luaL_Reg *const methods[] = {presence__state_methods, presence__read_methods,
                                     presence__walk_methods, NULL};
  add_methods(L, first + PRESENCE__UP_STATE - 1, first, PRESENCE__UP_COUNT, methods);
  const luaL_Reg *const metamethods[] = {presence__state_metamethods, presence__entry_metamethods,
                                         presence__meta_metamethods};
  for (int i = 0; i < 3; i++) {
    lua_pushvalue(L, first + PRESENCE__UP_STATE - 1 + i);
    add(L, metamethods[i], first, PRESENCE__UP_COUNT);
    lua_pop(L, 1);
  }
  open_editor(L, first, PRESENCE__BUILDER, presence__builder_methods,
              presence__builder_metamethods);
  open_editor(L, first, PRESENCE__OWNER, presence__owner_methods, presence__owner_metamethods);

  const luaL_Reg *const functions[] = {own,
                                       presence__heap_functions,
                                       presence__state_functions,
                                       presence__read_functions,
                                       presence__entry_functions,
                                       presence__meta_functions,
                                       presence__diff_functions,
                                       presence__json_functions,
                                       presence__owner_functions};
  lua_pushvalue(L, module);
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
    add(L, functions[i], first, PRESENCE__UP_COUNT);
  lua_settop(L, module);
}
