/* PresenceMeta: a pid and one JSON value. */
#include "lua/pure.h"

#include <string.h>

static int meta_make(lua_State *L) {
  struct presence__lua_edit edit = {{NULL, 0}, {NULL, 0}, {0, NULL, 0}, {NULL, 0}};
  edit.pid = presence__lua_check_pid(L, 1);
  edit.meta = presence__lua_check_string(L, 2);
  presence_heap *heap = presence__lua_heap(L);
  struct presence__lua_meta *box = presence__lua_new_meta(L);
  const enum presence_status status = presence_meta_new(heap, edit.pid, edit.meta, &box->meta);
  if (status != PRESENCE_OK) return presence__lua_fail_edit(L, status, &edit);
  presence__lua_pace(L);
  return 1;
}

static int meta_pid(lua_State *L) {
  presence__lua_push_pid(L, presence_meta_pid(presence__lua_check_meta(L, 1)));
  return 1;
}

static int meta_data(lua_State *L) {
  const presence_string data = presence_meta_data(presence__lua_check_meta(L, 1));
  lua_pushlstring(L, data.bytes, data.size);
  return 1;
}

static int meta_index(lua_State *L) {
  const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
  if (strcmp(name, "pid") == 0) return meta_pid(L);
  if (strcmp(name, "data") == 0) return meta_data(L);
  lua_pushnil(L);
  return 1;
}

static int meta_gc(lua_State *L) {
  struct presence__lua_meta *box = lua_touserdata(L, 1);
  const struct presence__lua_heap *heap = lua_touserdata(L, lua_upvalueindex(PRESENCE__UP_HEAP));
  presence_meta_release(heap->heap, box->meta);
  box->meta = NULL;
  return 0;
}

static int meta_eq(lua_State *L) {
  const presence_meta *a = presence__lua_test_meta(L, 1);
  const presence_meta *b = presence__lua_test_meta(L, 2);
  lua_pushboolean(L, a && b && presence_meta_equal(a, b));
  return 1;
}

#define SHOWN_BYTES 60

static void push_shortened(lua_State *L, const char *bytes, size_t size) {
  lua_pushlstring(L, bytes, size < SHOWN_BYTES ? size : SHOWN_BYTES);
  lua_pushstring(L, size > SHOWN_BYTES ? "..." : "");
  lua_concat(L, 2);
}

static int meta_tostring(lua_State *L) {
  const presence_meta *meta = presence__lua_check_meta(L, 1);
  const presence_pid pid = presence_meta_pid(meta);
  const presence_string data = presence_meta_data(meta);
  lua_pushliteral(L, PRESENCE__META ": ");
  presence__lua_push_pid(L, pid);
  size_t size;
  const char *text = lua_tolstring(L, -1, &size);
  push_shortened(L, text, size);
  lua_remove(L, -2);
  lua_pushliteral(L, " ");
  push_shortened(L, data.bytes, data.size);
  lua_concat(L, 4);
  return 1;
}

const luaL_Reg presence__meta_functions[] = {
    {"make_meta", meta_make}, {"meta_pid", meta_pid}, {"meta_data", meta_data}, {NULL, NULL}};

const luaL_Reg presence__meta_metamethods[] = {{"__index", meta_index},
                                               {"__gc", meta_gc},
                                               {"__eq", meta_eq},
                                               {"__tostring", meta_tostring},
                                               {NULL, NULL}};
