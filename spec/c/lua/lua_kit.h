/* What the tests of the binding share: a lua_State whose allocator counts and fails, the module
   with its heap on an allocator of the test. */
#ifndef PRESENCE_SPEC_LUA_KIT_H
#define PRESENCE_SPEC_LUA_KIT_H

#include <lualib.h>

#include "core_kit.h"
#include "lua/module.h"
#include "lua/presence_lua.h"
#include "lua/pure.h"

struct lua_memory {
  long requests; /* for more memory */
  long fail_at;
  bool and_after;
  long failed;
  long blocks_alive;
};

/* For lua_newstate. Lua takes it for granted that a block can be made smaller. */
static inline void *lua_memory_allocate(void *context, void *block, size_t old_size,
                                        size_t new_size) {
  struct lua_memory *m = context;
  if (new_size == 0) {
    m->blocks_alive -= block != NULL;
    free(block);
    return NULL;
  }
  if (!block || new_size > old_size) {
    m->requests++;
    if (m->fail_at && (m->and_after ? m->requests >= m->fail_at : m->requests == m->fail_at)) {
      m->failed++;
      return NULL;
    }
  }
  void *made = realloc(block, new_size);
  m->blocks_alive += block == NULL;
  return made;
}

/* A function of Lua: opens the module, its heap on the struct memory that it is given as a light
   userdata, and returns it. */
static inline int open_module(lua_State *L) {
  presence_heap_options options = {{memory_allocate, memory_release, lua_touserdata(L, 1)}, true};
  lua_getfield(L, LUA_REGISTRYINDEX, "kit.heap");
  if (lua_isnil(L, -1)) {
    presence__lua_new_heap(L, &options);
    lua_pushboolean(L, true);
    lua_setfield(L, LUA_REGISTRYINDEX, "kit.heap");
  }
  lua_settop(L, 0);
  return luaopen_presence_core(L);
}

/* Is what a call that failed left on the stack Lua's own way to say that memory is out? */
static inline bool is_memory_error(lua_State *L, int status) {
  const char *message = lua_tostring(L, -1);
  return status == LUA_ERRMEM ||
         (status == LUA_ERRRUN && message && strcmp(message, "not enough memory") == 0);
}

#endif
