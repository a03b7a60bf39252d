/* States as text: JSON for people's browsers, the binary form, and metas made ready. */
#include "core/suffix.h"
#include "lua/pure.h"

/* What a writer writes: which fields are used depends on the writer. */
struct text_of {
  const presence_state *state;
  const presence_state *now;
  presence_string topic;
  presence_string key;
  presence_string meta;
  enum presence_view view;
};

static enum presence_status write_list(const void *what, presence_sink sink) {
  const struct text_of *text = what;
  return presence_list_json(text->state, text->topic, text->view, sink);
}

static enum presence_status write_diff(const void *what, presence_sink sink) {
  const struct text_of *text = what;
  return presence_diff_json(text->state, text->now, text->topic, text->view, sink);
}

static enum presence_status write_join(const void *what, presence_sink sink) {
  const struct text_of *text = what;
  return presence_join_diff_json(text->key, text->meta, sink);
}

static enum presence_status write_leave(const void *what, presence_sink sink) {
  const struct text_of *text = what;
  return presence_leave_diff_json(text->key, text->meta, sink);
}

static enum presence_status write_binary(const void *what, presence_sink sink) {
  const struct text_of *text = what;
  return presence_encode(text->state, sink);
}

static int push_list(lua_State *L, enum presence_view view) {
  struct text_of text = {0};
  text.state = presence__lua_check_state(L, 1);
  text.topic = presence__lua_check_string(L, 2);
  text.view = view;
  presence__lua_push_written(L, write_list, &text);
  return 1;
}

int presence__json_list(lua_State *L) {
  return push_list(L, PRESENCE_PLAIN);
}

static int json_wire_state(lua_State *L) {
  return push_list(L, PRESENCE_WIRE);
}

static int push_diff(lua_State *L, enum presence_view view) {
  struct text_of text = {0};
  text.state = presence__lua_check_state(L, 1);
  text.now = presence__lua_check_state(L, 2);
  text.topic = presence__lua_check_string(L, 3);
  text.view = view;
  if (presence__lua_push_written(L, write_diff, &text) == PRESENCE_UNCHANGED) lua_pushnil(L);
  return 1;
}

static int json_diff(lua_State *L) {
  return push_diff(L, PRESENCE_PLAIN);
}

static int json_wire_diff(lua_State *L) {
  return push_diff(L, PRESENCE_WIRE);
}

static int push_event(lua_State *L, presence__lua_writer writer) {
  struct text_of text = {0};
  text.key = presence__lua_check_string(L, 1);
  text.meta = presence__lua_check_string(L, 2);
  const enum presence_status status = presence__lua_push_written(L, writer, &text);
  if (status == PRESENCE_OK) return 1;
  struct presence__lua_edit edit = {{NULL, 0}, text.key, {0, NULL, 0}, text.meta};
  return presence__lua_fail_edit(L, status, &edit);
}

static int json_join(lua_State *L) {
  return push_event(L, write_join);
}

static int json_leave(lua_State *L) {
  return push_event(L, write_leave);
}

static int json_encode(lua_State *L) {
  struct text_of text = {0};
  text.state = presence__lua_check_state(L, 1);
  if (!lua_isnoneornil(L, 2)) {
    const presence_string topic = presence__lua_check_string(L, 2);
    struct presence__lua_state *part = presence__lua_new_state(L);
    part->state = presence_state_of_topic(text.state, topic);
    if (!part->state) return presence__raise_no_memory(L);
    text.state = part->state;
  }
  presence__lua_push_written(L, write_binary, &text);
  return 1;
}

static int json_decode(lua_State *L) {
  const presence_string bytes = presence__lua_check_string(L, 1);
  presence_heap *heap = presence__lua_heap(L);
  struct presence__lua_state *box = presence__lua_new_state(L);
  const enum presence_status status = presence_decode(heap, bytes, &box->state);
  if (status != PRESENCE_OK)
    return presence__lua_fail(L, status, "the bytes are not what encode wrote");
  presence__lua_pace(L);
  return 1;
}

/* ---- meta_object ---- */

/* Nearly no meta holds a ref. */
static int push_without_refs(lua_State *L, const struct presence__json *object) {
  if (presence__suffix_is_free((presence_string){object->text, object->size})) {
    lua_pushlstring(L, object->text, object->size);
    return 1;
  }
  struct presence__buf *buf = presence__lua_new_buf(L);
  presence__json_cut_members(object->text, object->size, presence__ref_names, PRESENCE__REF_NAMES,
                             buf);
  if (buf->failed) return presence__raise_no_memory(L);
  lua_pushlstring(L, buf->data, buf->size);
  presence__buf_free(buf);
  return 1;
}

static int meta_object(lua_State *L) {
  const presence_string meta = presence__lua_check_string(L, 1);
  size_t depth = PRESENCE__JSON_DEPTH_DEFAULT;
  if (!lua_isnoneornil(L, 2)) depth = presence__check_size(L, 2, 0, PRESENCE__JSON_DEPTH_CEILING);
  struct presence__json scanned;
  if (!presence__json_scan(meta.bytes, meta.size, (unsigned)depth, &scanned))
    return presence__lua_fail(
        L, scanned.fault == PRESENCE__JSON_NOT_UTF8 ? PRESENCE_NOT_UTF8 : PRESENCE_BAD_JSON,
        lua_pushfstring(L, "%s at byte %d", scanned.reason, (int)scanned.fault_at + 1));
  if (scanned.kind != PRESENCE__JSON_OBJECT)
    return presence__lua_fail(L, PRESENCE_NOT_OBJECT, "the meta is JSON but not an object");
  return push_without_refs(L, &scanned);
}

const luaL_Reg presence__json_functions[] = {{"list_json", presence__json_list},
                                             {"diff_json", json_diff},
                                             {"wire_state_json", json_wire_state},
                                             {"wire_diff_json", json_wire_diff},
                                             {"join_diff_json", json_join},
                                             {"leave_diff_json", json_leave},
                                             {"encode", json_encode},
                                             {"decode", json_decode},
                                             {"meta_object", meta_object},
                                             {NULL, NULL}};
