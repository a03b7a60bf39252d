#include "lua/module.h"

#include <lauxlib.h>

__attribute__((visibility("default"))) int luaopen_presence_core(lua_State *L);

int luaopen_presence_core(lua_State *L) {
  lua_newtable(L);
  presence__open_pure(L);
  presence__open_text(L);
  presence__open_net(L);
  return 1;
}
