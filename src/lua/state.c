/* PresenceState: its edits, each a new state, and what it is as a Lua value. */
#include "lua/pure.h"

static int state_new(lua_State *L) {
  presence_heap *heap = presence__lua_heap(L);
  struct presence__lua_state *box = presence__lua_new_state(L);
  box->state = presence_state_new(heap);
  if (!box->state) return presence__raise_no_memory(L);
  presence__lua_pace(L);
  return 1;
}

/* The end of every edit: the new state is on top of the stack, the old one at index 1. */
static int edited(lua_State *L, enum presence_status status,
                  const struct presence__lua_edit *edit) {
  if (status == PRESENCE_OK) {
    presence__lua_pace(L);
    return 1;
  }
  if (status == PRESENCE_UNCHANGED) {
    lua_pushvalue(L, 1);
    return 1;
  }
  return presence__lua_fail_edit(L, status, edit);
}

static int state_track(lua_State *L) {
  const presence_state *state = presence__lua_check_state(L, 1);
  const struct presence__lua_edit edit = presence__lua_check_edit(L);
  struct presence__lua_state *box = presence__lua_new_state(L);
  return edited(L, presence_track(state, edit.topic, edit.key, edit.pid, edit.meta, &box->state),
                &edit);
}

static int state_untrack(lua_State *L) {
  const presence_state *state = presence__lua_check_state(L, 1);
  const struct presence__lua_edit edit = presence__lua_check_place(L);
  struct presence__lua_state *box = presence__lua_new_state(L);
  return edited(L, presence_untrack(state, edit.topic, edit.key, edit.pid, &box->state), &edit);
}

static int state_update(lua_State *L) {
  const presence_state *state = presence__lua_check_state(L, 1);
  const struct presence__lua_edit edit = presence__lua_check_edit(L);
  struct presence__lua_state *box = presence__lua_new_state(L);
  return edited(L, presence_update(state, edit.topic, edit.key, edit.pid, edit.meta, &box->state),
                &edit);
}

static int state_gc(lua_State *L) {
  struct presence__lua_state *box = lua_touserdata(L, 1);
  presence_state_release(box->state);
  box->state = NULL;
  return 0;
}

static int state_eq(lua_State *L) {
  const presence_state *a = presence__lua_test_state(L, 1);
  const presence_state *b = presence__lua_test_state(L, 2);
  lua_pushboolean(L, a && b && presence_equal(a, b));
  return 1;
}

static int state_tostring(lua_State *L) {
  presence_counts counts;
  presence_stats(presence__lua_check_state(L, 1), &counts);
  lua_pushfstring(L, PRESENCE__STATE ": %d metas of %d keys in %d topics", (int)counts.metas,
                  (int)counts.keys, (int)counts.topics);
  return 1;
}

static void set_count(lua_State *L, const char *name, size_t count) {
  presence__lua_push_size(L, count);
  lua_setfield(L, -2, name);
}

static int state_stats(lua_State *L) {
  presence_counts counts;
  presence_stats(presence__lua_check_state(L, 1), &counts);
  lua_createtable(L, 0, 4);
  set_count(L, "topics", counts.topics);
  set_count(L, "keys", counts.keys);
  set_count(L, "metas", counts.metas);
  set_count(L, "bytes", counts.bytes);
  return 1;
}

const luaL_Reg presence__state_functions[] = {{"new_state", state_new},
                                              {"track_state", state_track},
                                              {"untrack_state", state_untrack},
                                              {"update_state", state_update},
                                              {NULL, NULL}};

const luaL_Reg presence__state_methods[] = {{"track", state_track},
                                            {"untrack", state_untrack},
                                            {"update", state_update},
                                            {"edit", presence__builder_edit},
                                            {"stats", state_stats},
                                            {"list_json", presence__json_list},
                                            {NULL, NULL}};

const luaL_Reg presence__state_metamethods[] = {
    {"__gc", state_gc}, {"__eq", state_eq}, {"__tostring", state_tostring}, {NULL, NULL}};
