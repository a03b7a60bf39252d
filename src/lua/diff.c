/* What changed between two states, as plain tables, and back. */
#include "lua/pure.h"

#include <string.h>

/* Pushes an entry of the metas of a that b lacks; false, and nothing pushed, when there are none.
 */
static bool push_difference(lua_State *L, presence_heap *heap, const presence_entry *a,
                            const presence_entry *b) {
  if (!a) return false;
  struct presence__lua_entry *box = presence__lua_new_entry(L);
  if (!b) {
    box->entry = presence_entry_retain(a);
    return true;
  }
  if (presence_entry_difference(heap, a, b, &box->entry) != PRESENCE_OK)
    presence__raise_no_memory(L);
  if (box->entry) return true;
  lua_pop(L, 1);
  return false;
}

/* Pushes the table of the change's topic, {joins = {}, leaves = {}}, made when it is not there. */
static void push_topic(lua_State *L, int diff, presence_string topic) {
  lua_pushlstring(L, topic.bytes, topic.size);
  lua_pushvalue(L, -1);
  lua_rawget(L, diff);
  if (!lua_isnil(L, -1)) {
    lua_remove(L, -2);
    return;
  }
  lua_pop(L, 1);
  lua_createtable(L, 0, 2);
  lua_newtable(L);
  lua_setfield(L, -2, "joins");
  lua_newtable(L);
  lua_setfield(L, -2, "leaves");
  lua_pushvalue(L, -1);
  lua_insert(L, -3);
  lua_rawset(L, diff);
}

/* diff[topic][side][key] = the entry on top of the stack, which is popped. */
static void put(lua_State *L, int diff, const presence_change *change, const char *side) {
  push_topic(L, diff, change->topic);
  lua_getfield(L, -1, side);
  lua_pushlstring(L, change->key.bytes, change->key.size);
  lua_pushvalue(L, -4);
  lua_rawset(L, -3);
  lua_pop(L, 3);
}

static int diff_diff(lua_State *L) {
  const presence_state *old = presence__lua_check_state(L, 1);
  const presence_state *now = presence__lua_check_state(L, 2);
  presence_heap *heap = presence_state_heap(old);
  lua_settop(L, 2);
  lua_newtable(L);
  presence_diff_iter iter;
  presence_diff_iter_init(&iter, old, now);
  presence_change change;
  while (presence_diff_iter_next(&iter, &change)) {
    if (push_difference(L, heap, change.after, change.before)) put(L, 3, &change, "joins");
    if (push_difference(L, heap, change.before, change.after)) put(L, 3, &change, "leaves");
  }
  presence__lua_pace(L);
  return 1;
}

static presence_string check_name(lua_State *L, int index, const char *what) {
  presence_string name;
  if (lua_type(L, index) != LUA_TSTRING)
    luaL_argerror(L, 2, lua_pushfstring(L, "a %s of the diff is not a string", what));
  name.bytes = lua_tolstring(L, index, &name.size);
  return name;
}

/* Applies the table key → entry on top of the stack (nil: nothing), and pops it. */
static enum presence_status apply_side(lua_State *L, presence_editor *editor, presence_string topic,
                                       bool joins, bool *changed) {
  if (!lua_isnil(L, -1) && !lua_istable(L, -1))
    luaL_argerror(L, 2, "joins and leaves must be tables");
  enum presence_status status = PRESENCE_OK;
  const int side = lua_gettop(L);
  lua_pushnil(L);
  while (lua_istable(L, side) && lua_next(L, side)) {
    const presence_string key = check_name(L, side + 1, "key");
    const presence_entry *entry = presence__lua_test_entry(L, side + 2);
    if (!entry) luaL_argerror(L, 2, "a key of the diff has no " PRESENCE__ENTRY);
    status = joins ? presence_editor_join(editor, topic, key, entry)
                   : presence_editor_leave(editor, topic, key, entry, NULL);
    if (status == PRESENCE_OK) *changed = true;
    if (status != PRESENCE_OK && status != PRESENCE_UNCHANGED) break;
    status = PRESENCE_OK;
    lua_settop(L, side + 1);
  }
  lua_settop(L, side - 1);
  return status;
}

enum presence_status presence__lua_patch(lua_State *L, presence_editor *editor, bool *changed) {
  lua_pushnil(L);
  while (lua_next(L, 2)) {
    const presence_string topic = check_name(L, -2, "topic");
    if (!lua_istable(L, -1)) luaL_argerror(L, 2, "a topic of the diff has no table");
    for (int joins = 0; joins <= 1; joins++) {
      lua_pushstring(L, joins ? "joins" : "leaves");
      lua_rawget(L, -2);
      const enum presence_status status = apply_side(L, editor, topic, joins, changed);
      if (status != PRESENCE_OK) return status;
    }
    lua_pop(L, 1);
  }
  return PRESENCE_OK;
}

static int diff_patch(lua_State *L) {
  const presence_state *state = presence__lua_check_state(L, 1);
  if (!lua_istable(L, 2)) return presence__lua_type_error(L, 2, "diff");
  lua_settop(L, 2);
  struct presence__lua_editor *box = presence__lua_new(L, sizeof *box, PRESENCE__BUILDER);
  struct presence__lua_state *result = presence__lua_new_state(L);
  box->editor = presence_editor_open(state);
  if (!box->editor) return presence__raise_no_memory(L);
  const enum presence_status status = presence__lua_patch(L, box->editor, &box->changed);
  if (status != PRESENCE_OK) return presence__lua_fail(L, status, PRESENCE__PATCH_FAULT);
  result->state = presence_editor_close(box->editor);
  box->editor = NULL;
  lua_pushvalue(L, box->changed ? 4 : 1);
  presence__lua_pace(L);
  return 1;
}

const luaL_Reg presence__diff_functions[] = {
    {"diff", diff_diff}, {"patch", diff_patch}, {NULL, NULL}};
