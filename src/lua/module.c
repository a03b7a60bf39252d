#define _GNU_SOURCE /* dladdr */
#include "lua/module.h"

#include <dlfcn.h>
#include <lauxlib.h>

__attribute__((visibility("default"))) int luaopen_presence_core(lua_State *L);

/* A lua_State that closes unloads its modules in the middle of its finalizers, and LuaJIT still
   calls the __gc of userdata that finalizers made after that. So the library that holds this
   function stays loaded, however it was linked. */
static void stay_loaded(void) {
  static const char here;
  Dl_info library;
  if (dladdr(&here, &library) && library.dli_fname)
    (void)dlopen(library.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
}

int luaopen_presence_core(lua_State *L) {
  stay_loaded();
  lua_newtable(L);
  presence__open_pure(L);
  presence__open_text(L);
  presence__open_net(L);
  return 1;
}
