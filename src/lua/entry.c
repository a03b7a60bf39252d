/* PresenceEntry: the metas of one key, oldest first. */
#include "lua/pure.h"

/* Number of metas in the array at index 1; raises for what is no array of metas. */
static size_t check_metas(lua_State *L) {
  if (lua_type(L, 1) != LUA_TTABLE) presence__lua_type_error(L, 1, "array of " PRESENCE__META);
  size_t count = 0;
  for (;; count++) {
    lua_rawgeti(L, 1, (int)count + 1);
    const bool end = lua_isnil(L, -1);
    if (!end && !presence__lua_test_meta(L, -1))
      luaL_argerror(L, 1,
                    lua_pushfstring(L, PRESENCE__META " expected at [%d], got %s", (int)count + 1,
                                    luaL_typename(L, -1)));
    lua_pop(L, 1);
    if (end) return count;
  }
}

static int entry_make(lua_State *L) {
  presence_heap *heap = presence__lua_heap(L);
  const size_t count = check_metas(L);
  struct presence__lua_entry *box = presence__lua_new_entry(L);
  /* The pointers are borrowed from the array's userdata; nothing of Lua allocates from the first
     of them to the last use. */
  const presence_meta **metas = lua_newuserdatauv(L, (count + 1) * sizeof *metas, 0);
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, 1, (int)i + 1);
    metas[i] = presence__lua_check_meta(L, -1);
    lua_pop(L, 1);
  }
  const enum presence_status status = presence_entry_new(heap, metas, count, &box->entry);
  if (status != PRESENCE_OK) return presence__lua_fail(L, status, "more metas than 2^32 - 1");
  lua_pop(L, 1);
  presence__lua_pace(L);
  return 1;
}

static int entry_metas(lua_State *L) {
  const presence_entry *entry = presence__lua_check_entry(L, 1);
  const size_t count = presence_entry_count(entry);
  lua_createtable(L, count < 1 << 24 ? (int)count : 1 << 24, 0);
  presence_meta_iter iter;
  presence_meta_iter_init(&iter, entry);
  const presence_meta *meta;
  for (int i = 1; (meta = presence_meta_iter_next(&iter)); i++) {
    presence__lua_push_meta(L, meta);
    lua_rawseti(L, -2, i);
  }
  return 1;
}

static int entry_count(lua_State *L) {
  presence__lua_push_size(L, presence_entry_count(presence__lua_check_entry(L, 1)));
  return 1;
}

static int entry_index(lua_State *L) {
  const presence_entry *entry = presence__lua_check_entry(L, 1);
  const double count = (double)presence_entry_count(entry);
  const double index = lua_type(L, 2) == LUA_TNUMBER ? lua_tonumber(L, 2) : 0;
  if (index >= 1 && index <= count && index == (double)(size_t)index)
    presence__lua_push_meta(L, presence_entry_at(entry, (size_t)index - 1));
  else
    lua_pushnil(L);
  return 1;
}

static int entry_gc(lua_State *L) {
  struct presence__lua_entry *box = lua_touserdata(L, 1);
  const struct presence__lua_heap *heap = lua_touserdata(L, lua_upvalueindex(PRESENCE__UP_HEAP));
  presence_entry_release(heap->heap, box->entry);
  box->entry = NULL;
  return 0;
}

static int entry_eq(lua_State *L) {
  const struct presence__lua_heap *heap = lua_touserdata(L, lua_upvalueindex(PRESENCE__UP_HEAP));
  const presence_entry *a = presence__lua_test_entry(L, 1);
  const presence_entry *b = presence__lua_test_entry(L, 2);
  lua_pushboolean(L, a && b && presence_entry_equal(heap->heap, a, b));
  return 1;
}

static int entry_tostring(lua_State *L) {
  const presence_entry *entry = presence__lua_check_entry(L, 1);
  lua_pushfstring(L, PRESENCE__ENTRY ": %d metas", (int)presence_entry_count(entry));
  return 1;
}

const luaL_Reg presence__entry_functions[] = {{"make_entry", entry_make},
                                              {"entry_metas", entry_metas},
                                              {"entry_count", entry_count},
                                              {NULL, NULL}};

const luaL_Reg presence__entry_metamethods[] = {
    {"__index", entry_index}, {"__len", entry_count},         {"__gc", entry_gc},
    {"__eq", entry_eq},       {"__tostring", entry_tostring}, {NULL, NULL}};
