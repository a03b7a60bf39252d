/* What the interpreters differ in (Lua 5.4, 5.5, LuaJIT), and what all bindings share. */
#ifndef PRESENCE_LUA_COMPAT_H
#define PRESENCE_LUA_COMPAT_H

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#if LUA_VERSION_NUM == 501 && !defined(LUA_GCISRUNNING)
#error "These are the headers of Lua 5.1: give LuaJIT's, LUA_INCDIR=/usr/include/luajit-2.1"
#endif
#if LUA_VERSION_NUM == 501
#define lua_rawlen lua_objlen
static inline int lua_absindex(lua_State *L, int index) {
  return index > 0 || index <= LUA_REGISTRYINDEX ? index : lua_gettop(L) + index + 1;
}
static inline void *lua_newuserdatauv(lua_State *L, size_t size, int user_values) {
  (void)user_values;
  return lua_newuserdata(L, size);
}
#endif

/* Lua 5.4 and later call no __gc of what finalizers make while the lua_State closes (LuaJIT does).
   To be called with a new userdata that will hold memory of C on top of the stack, its metatable
   set, itself still empty: where a finalizer makes it, its __gc is called when the heap of the
   lua_State ends. Raises once that has ended. In heap.c. */
#if LUA_VERSION_NUM >= 504
void presence__lua_made(lua_State *L);
#else
static inline void presence__lua_made(lua_State *L) {
  (void)L;
}
#endif

/* Pushes nil, a word and a detail: what the world can cause. Returns 3. */
static inline int presence__push_failure(lua_State *L, const char *word, const char *detail) {
  lua_pushnil(L);
  lua_pushstring(L, word);
  lua_pushstring(L, detail);
  return 3;
}

/* Raises the value that Lua raises itself when memory is out. */
static inline int presence__raise_no_memory(lua_State *L) {
  lua_pushliteral(L, "not enough memory");
  return lua_error(L);
}

/* A whole number from least to most (at most 2^53), or an error about the argument. */
static inline size_t presence__check_size(lua_State *L, int arg, double least, double most) {
  lua_Number n = luaL_checknumber(L, arg);
  if (!(n >= least && n <= most && n == (lua_Number)(long long)n))
    luaL_argerror(L, arg, "whole number expected, in its range");
  return (size_t)n;
}

/* The same for a field of the table at index. */
static inline size_t presence__check_size_field(lua_State *L, int index, const char *name,
                                                double least, double most) {
  lua_getfield(L, index, name);
  lua_Number n = lua_tonumber(L, -1);
  if (lua_type(L, -1) != LUA_TNUMBER || !(n >= least && n <= most && n == (lua_Number)(long long)n))
    luaL_error(L, "%s: whole number expected, in its range", name);
  lua_pop(L, 1);
  return (size_t)n;
}

/* A string argument: numbers are not taken for strings. */
static inline const char *presence__check_string(lua_State *L, int arg, size_t *size) {
  luaL_checktype(L, arg, LUA_TSTRING);
  return lua_tolstring(L, arg, size);
}

/* Pushes a new metatable: its name, the events (__gc and the like), __index with the methods, and
   __metatable against tampering. Both arrays end with {NULL, NULL}; each function gets the
   metatable as upvalue 1. */
static inline void presence__new_metatable(lua_State *L, const char *name, const luaL_Reg *methods,
                                           const luaL_Reg *events) {
  luaL_newmetatable(L, name);
  lua_pushstring(L, name);
  lua_setfield(L, -2, "__name");
  lua_pushstring(L, name);
  lua_setfield(L, -2, "__metatable");
  for (; events->name; events++) {
    lua_pushvalue(L, -1);
    lua_pushcclosure(L, events->func, 1);
    lua_setfield(L, -2, events->name);
  }
  lua_newtable(L);
  for (; methods->name; methods++) {
    lua_pushvalue(L, -2);
    lua_pushcclosure(L, methods->func, 1);
    lua_setfield(L, -2, methods->name);
  }
  lua_setfield(L, -2, "__index");
}

/* The userdata at arg when its metatable is the one in that upvalue of the running function (a look
   there beats luaL_checkudata), else an error that names what was expected. */
static inline void *presence__check_userdata(lua_State *L, int arg, int upvalue, const char *name) {
  void *block = lua_touserdata(L, arg);
  if (block && lua_getmetatable(L, arg)) {
    bool same = lua_rawequal(L, -1, lua_upvalueindex(upvalue));
    lua_pop(L, 1);
    if (same) return block;
  }
  const char *message = lua_pushfstring(L, "%s expected, got %s", name, luaL_typename(L, arg));
  luaL_argerror(L, arg, message);
  return NULL;
}

/* The collector cannot see C memory that userdata hold: tell it what was taken, and it steps in
   proportion. *debt gathers small amounts; one for each lua_State. May run finalisers: call it when
   everything is in order. Does nothing while the collector is stopped. */
static inline void presence__gc_charge(lua_State *L, size_t *debt, size_t bytes) {
  enum { step_bytes = 32 * 1024 };
  *debt += bytes;
  if (*debt < step_bytes) return;
  size_t step = *debt;
  *debt = 0;
  if (!lua_gc(L, LUA_GCISRUNNING, 0)) return;
#if LUA_VERSION_NUM >= 505
  lua_gc(L, LUA_GCSTEP, step);
#else
  if (step > (size_t)1 << 30) step = (size_t)1 << 30;
  lua_gc(L, LUA_GCSTEP, (int)(step / 1024));
#endif
}

#endif
