/* PresenceBuilder: what the function of s:edit gets, many edits in place. */
#include "lua/pure.h"

static struct presence__lua_editor *check_builder(lua_State *L) {
  return presence__lua_check_editor(L, PRESENCE__BUILDER);
}

int presence__builder_gc(lua_State *L) {
  struct presence__lua_editor *box = lua_touserdata(L, 1);
  presence_editor_discard(box->editor);
  box->editor = NULL;
  return 0;
}

/* Notes that something changed; pushes what an edit in place returns. */
static int edited(lua_State *L, struct presence__lua_editor *box, enum presence_status status,
                  const struct presence__lua_edit *edit) {
  if (status != PRESENCE_OK && status != PRESENCE_UNCHANGED)
    return presence__lua_fail_edit(L, status, edit);
  if (status == PRESENCE_OK) box->changed = true;
  lua_pushboolean(L, status == PRESENCE_OK);
  presence__lua_pace(L);
  return 1;
}

static int builder_track(lua_State *L) {
  struct presence__lua_editor *box = check_builder(L);
  const struct presence__lua_edit edit = presence__lua_check_edit(L);
  return edited(
      L, box, presence_editor_track(box->editor, edit.topic, edit.key, edit.pid, edit.meta), &edit);
}

static int builder_update(lua_State *L) {
  struct presence__lua_editor *box = check_builder(L);
  const struct presence__lua_edit edit = presence__lua_check_edit(L);
  return edited(L, box,
                presence_editor_update(box->editor, edit.topic, edit.key, edit.pid, edit.meta),
                &edit);
}

static int builder_untrack(lua_State *L) {
  struct presence__lua_editor *box = check_builder(L);
  const struct presence__lua_edit edit = presence__lua_check_place(L);
  size_t removed = 0;
  const enum presence_status status =
      presence_editor_untrack(box->editor, edit.topic, edit.key, edit.pid, &removed);
  if (status == PRESENCE_OUT_OF_MEMORY) return presence__raise_no_memory(L);
  if (removed > 0) box->changed = true;
  presence__lua_push_size(L, removed);
  return 1;
}

int presence__builder_edit(lua_State *L) {
  const presence_state *state = presence__lua_check_state(L, 1);
  if (lua_type(L, 2) != LUA_TFUNCTION) return presence__lua_type_error(L, 2, "function");
  lua_settop(L, 2);
  struct presence__lua_editor *box = presence__lua_new(L, sizeof *box, PRESENCE__BUILDER);
  box->editor = presence_editor_open(state);
  if (!box->editor) return presence__raise_no_memory(L);
  lua_pushvalue(L, 2);
  lua_pushvalue(L, 3);
  /* An error passes through with its traceback; the collector then drops the builder. */
  lua_call(L, 1, 0);
  struct presence__lua_state *result = presence__lua_new_state(L);
  /* Only a finalizer of the closing lua_State may have taken it meanwhile. */
  if (!box->editor) return luaL_error(L, "the Lua state is closing");
  result->state = presence_editor_close(box->editor);
  box->editor = NULL;
  if (!box->changed) lua_pushvalue(L, 1);
  presence__lua_pace(L);
  return 1;
}

const luaL_Reg presence__builder_methods[] = {{"track", builder_track},
                                              {"update", builder_update},
                                              {"untrack", builder_untrack},
                                              {NULL, NULL}};

const luaL_Reg presence__builder_metamethods[] = {{"__gc", presence__builder_gc}, {NULL, NULL}};
