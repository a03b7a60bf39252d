/* The runtime's handle on a state: edited in place, its metas with refs for the wire. */
#include "lua/pure.h"

static presence_editor *check_owner(lua_State *L) {
  return presence__lua_check_editor(L, PRESENCE__OWNER)->editor;
}

static int owner_new(lua_State *L) {
  presence_heap *heap = presence__lua_heap(L);
  struct presence__lua_editor *box = presence__lua_new(L, sizeof *box, PRESENCE__OWNER);
  presence_state *empty = presence_state_new(heap);
  if (!empty) return presence__raise_no_memory(L);
  box->editor = presence_editor_open(empty);
  presence_state_release(empty);
  if (!box->editor) return presence__raise_no_memory(L);
  return 1;
}

static int edited(lua_State *L, enum presence_status status,
                  const struct presence__lua_edit *edit) {
  if (status != PRESENCE_OK && status != PRESENCE_UNCHANGED)
    return presence__lua_fail_edit(L, status, edit);
  lua_pushboolean(L, status == PRESENCE_OK);
  presence__lua_pace(L);
  return 1;
}

static int owner_track(lua_State *L) {
  presence_editor *editor = check_owner(L);
  const struct presence__lua_edit edit = presence__lua_check_edit(L);
  const presence_string ref = presence__lua_check_string(L, 6);
  return edited(
      L, presence_editor_track_ref(editor, edit.topic, edit.key, edit.pid, edit.meta, ref), &edit);
}

static int owner_update(lua_State *L) {
  presence_editor *editor = check_owner(L);
  const struct presence__lua_edit edit = presence__lua_check_edit(L);
  const presence_string ref = presence__lua_check_string(L, 6);
  return edited(
      L, presence_editor_update_ref(editor, edit.topic, edit.key, edit.pid, edit.meta, ref), &edit);
}

static int owner_take_over(lua_State *L) {
  presence_editor *editor = check_owner(L);
  const struct presence__lua_edit edit = presence__lua_check_edit(L);
  const presence_string ref = presence__lua_check_string(L, 6);
  const presence_pid old_pid = presence__lua_check_pid(L, 7);
  return edited(L,
                presence_editor_take_over_ref(editor, edit.topic, edit.key, old_pid, edit.pid,
                                              edit.meta, ref),
                &edit);
}

static int owner_untrack(lua_State *L) {
  presence_editor *editor = check_owner(L);
  const struct presence__lua_edit edit = presence__lua_check_place(L);
  size_t removed = 0;
  const enum presence_status status =
      presence_editor_untrack(editor, edit.topic, edit.key, edit.pid, &removed);
  if (status == PRESENCE_OUT_OF_MEMORY) return presence__raise_no_memory(L);
  presence__lua_push_size(L, removed);
  presence__lua_pace(L);
  return 1;
}

static int owner_get(lua_State *L) {
  presence_editor *editor = check_owner(L);
  const struct presence__lua_edit edit = presence__lua_check_place(L);
  /* To push a string may run a finalizer, and that may edit: hold the meta meanwhile. */
  struct presence__lua_meta *box = presence__lua_new_meta(L);
  const presence_meta *meta = presence_editor_get(editor, edit.topic, edit.key, edit.pid);
  if (!meta) {
    lua_pushnil(L);
    return 1;
  }
  box->meta = presence_meta_retain(meta);
  const presence_string data = presence_meta_data(meta);
  const presence_string ref = presence_meta_ref(meta);
  lua_pushlstring(L, data.bytes, data.size);
  lua_pushlstring(L, ref.bytes, ref.size);
  return 2;
}

static int owner_count(lua_State *L) {
  presence_editor *editor = check_owner(L);
  const presence_string topic = presence__lua_check_string(L, 2);
  presence__lua_push_size(L, presence_count(presence_editor_state(editor), topic));
  return 1;
}

static int owner_connections(lua_State *L) {
  presence_editor *editor = check_owner(L);
  const presence_string topic = presence__lua_check_string(L, 2);
  const presence_string key = presence__lua_check_string(L, 3);
  presence__lua_push_size(L, presence_connections(presence_editor_state(editor), topic, key));
  return 1;
}

static int owner_snapshot(lua_State *L) {
  presence_editor *editor = check_owner(L);
  const bool whole = lua_isnoneornil(L, 2);
  presence_string topic = {NULL, 0};
  if (!whole) topic = presence__lua_check_string(L, 2);
  struct presence__lua_state *box = presence__lua_new_state(L);
  box->state = whole ? presence_editor_snapshot(editor)
                     : presence_state_of_topic(presence_editor_state(editor), topic);
  if (!box->state) return presence__raise_no_memory(L);
  presence__lua_pace(L);
  return 1;
}

/* Made beside and then taken over: a diff that fails half way changes nothing. */
static int owner_patch(lua_State *L) {
  presence_editor *editor = check_owner(L);
  if (!lua_istable(L, 2)) return presence__lua_type_error(L, 2, "diff");
  lua_settop(L, 2);
  struct presence__lua_editor *beside = presence__lua_new(L, sizeof *beside, PRESENCE__BUILDER);
  beside->editor = presence_editor_open(presence_editor_state(editor));
  if (!beside->editor) return presence__raise_no_memory(L);
  const enum presence_status status = presence__lua_patch(L, beside->editor, &beside->changed);
  if (status != PRESENCE_OK) return presence__lua_fail(L, status, PRESENCE__PATCH_FAULT);
  presence_editor_reset(editor, presence_editor_state(beside->editor));
  presence_editor_discard(beside->editor);
  beside->editor = NULL;
  lua_pushboolean(L, 1);
  presence__lua_pace(L);
  return 1;
}

const luaL_Reg presence__owner_functions[] = {{"owner", owner_new}, {NULL, NULL}};

const luaL_Reg presence__owner_methods[] = {{"track", owner_track},
                                            {"update", owner_update},
                                            {"untrack", owner_untrack},
                                            {"take_over", owner_take_over},
                                            {"get", owner_get},
                                            {"count", owner_count},
                                            {"connections", owner_connections},
                                            {"snapshot", owner_snapshot},
                                            {"patch", owner_patch},
                                            {NULL, NULL}};

const luaL_Reg presence__owner_metamethods[] = {{"__gc", presence__builder_gc}, {NULL, NULL}};
