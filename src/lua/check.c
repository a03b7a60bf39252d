/* Arguments that are checked, and failures that are told. */
#include "lua/pure.h"

#include "text/json.h"
#include "text/utf8.h"

int presence__lua_type_error(lua_State *L, int arg, const char *expected) {
  return luaL_argerror(L, arg,
                       lua_pushfstring(L, "%s expected, got %s", expected, luaL_typename(L, arg)));
}

/* The userdata at index when its metatable is that of the upvalue. */
static void *test(lua_State *L, int index, int upvalue) {
  void *block = lua_touserdata(L, index);
  if (!block || !lua_getmetatable(L, index)) return NULL;
  const int same = lua_rawequal(L, -1, lua_upvalueindex(upvalue));
  lua_pop(L, 1);
  return same ? block : NULL;
}

presence_state *presence__lua_test_state(lua_State *L, int index) {
  struct presence__lua_state *box = test(L, index, PRESENCE__UP_STATE);
  return box ? box->state : NULL;
}

presence_entry *presence__lua_test_entry(lua_State *L, int index) {
  struct presence__lua_entry *box = test(L, index, PRESENCE__UP_ENTRY);
  return box ? box->entry : NULL;
}

presence_meta *presence__lua_test_meta(lua_State *L, int index) {
  struct presence__lua_meta *box = test(L, index, PRESENCE__UP_META);
  return box ? box->meta : NULL;
}

static const char finalized[] = "it has been finalized";

presence_state *presence__lua_check_state(lua_State *L, int arg) {
  struct presence__lua_state *box =
      presence__check_userdata(L, arg, PRESENCE__UP_STATE, PRESENCE__STATE);
  luaL_argcheck(L, box->state, arg, finalized);
  return box->state;
}

presence_entry *presence__lua_check_entry(lua_State *L, int arg) {
  struct presence__lua_entry *box =
      presence__check_userdata(L, arg, PRESENCE__UP_ENTRY, PRESENCE__ENTRY);
  luaL_argcheck(L, box->entry, arg, finalized);
  return box->entry;
}

presence_meta *presence__lua_check_meta(lua_State *L, int arg) {
  struct presence__lua_meta *box =
      presence__check_userdata(L, arg, PRESENCE__UP_META, PRESENCE__META);
  luaL_argcheck(L, box->meta, arg, finalized);
  return box->meta;
}

struct presence__lua_editor *presence__lua_check_editor(lua_State *L, const char *name) {
  struct presence__lua_editor *box = presence__check_userdata(L, 1, PRESENCE__UP_OWN, name);
  luaL_argcheck(L, box->editor, 1, "it has ended");
  return box;
}

presence_string presence__lua_check_string(lua_State *L, int arg) {
  presence_string s;
  s.bytes = presence__check_string(L, arg, &s.size);
  return s;
}

static const char bad_pid[] = "pid must be an integer within 2^53 or a string";

presence_pid presence__lua_check_pid(lua_State *L, int arg) {
  const int type = lua_type(L, arg);
  if (type == LUA_TSTRING) {
    size_t size;
    const char *bytes = lua_tolstring(L, arg, &size);
    return presence_pid_string(bytes, size);
  }
  if (type != LUA_TNUMBER) presence__lua_type_error(L, arg, "pid (integer or string)");
#if LUA_VERSION_NUM >= 503
  if (lua_isinteger(L, arg)) {
    const lua_Integer integer = lua_tointeger(L, arg);
    if (integer < -PRESENCE_MAX_PID || integer > PRESENCE_MAX_PID) luaL_argerror(L, arg, bad_pid);
    return presence_pid_integer(integer);
  }
#endif
  const double number = lua_tonumber(L, arg);
  const double most = (double)PRESENCE_MAX_PID;
  if (!(number >= -most && number <= most && number == (double)(int64_t)number))
    luaL_argerror(L, arg, bad_pid);
  return presence_pid_integer((int64_t)number);
}

void presence__lua_push_pid(lua_State *L, presence_pid pid) {
  if (pid.bytes) {
    lua_pushlstring(L, pid.bytes, pid.size);
    return;
  }
#if LUA_VERSION_NUM >= 503
  lua_pushinteger(L, pid.integer);
#else
  lua_pushnumber(L, (lua_Number)pid.integer);
#endif
}

void presence__lua_push_size(lua_State *L, size_t size) {
  presence__lua_push_pid(L, presence_pid_integer((int64_t)size));
}

struct presence__lua_edit presence__lua_check_place(lua_State *L) {
  struct presence__lua_edit edit = {{NULL, 0}, {NULL, 0}, {0, NULL, 0}, {NULL, 0}};
  edit.topic = presence__lua_check_string(L, 2);
  edit.key = presence__lua_check_string(L, 3);
  edit.pid = presence__lua_check_pid(L, 4);
  return edit;
}

struct presence__lua_edit presence__lua_check_edit(lua_State *L) {
  struct presence__lua_edit edit = presence__lua_check_place(L);
  edit.meta = presence__lua_check_string(L, 5);
  return edit;
}

int presence__lua_fail(lua_State *L, enum presence_status status, const char *detail) {
  switch (status) {
  case PRESENCE_OUT_OF_MEMORY:
  case PRESENCE_WRITE_FAILED: /* our sinks fail for want of memory only */
    return presence__raise_no_memory(L);
  case PRESENCE_BAD_PID:
  case PRESENCE_BAD_REF:
    return luaL_error(L, "%s", detail);
  default:
    return presence__push_failure(L, presence_status_word(status), detail);
  }
}

static const char *not_utf8_detail(const struct presence__lua_edit *edit) {
  if (!presence__utf8_valid(edit->topic.bytes, edit->topic.size)) return "the topic is not UTF-8";
  if (!presence__utf8_valid(edit->key.bytes, edit->key.size)) return "the key is not UTF-8";
  return "the meta is not UTF-8";
}

int presence__lua_fail_edit(lua_State *L, enum presence_status status,
                            const struct presence__lua_edit *edit) {
  struct presence__json scanned;
  switch (status) {
  case PRESENCE_NOT_UTF8:
    return presence__lua_fail(L, status, not_utf8_detail(edit));
  case PRESENCE_BAD_JSON:
    presence__json_scan(edit->meta.bytes, edit->meta.size, PRESENCE__JSON_DEPTH_DEFAULT, &scanned);
    return presence__lua_fail(L, status,
                              lua_pushfstring(L, "the meta is not one JSON value: %s at byte %d",
                                              scanned.reason ? scanned.reason : "fault",
                                              (int)scanned.fault_at + 1));
  case PRESENCE_NO_PRESENCE:
    return presence__lua_fail(L, status, "the pid is not tracked under this topic and key");
  case PRESENCE_ALREADY_TRACKED:
    return presence__lua_fail(L, status, "the pid is tracked under this topic and key");
  case PRESENCE_NOT_OBJECT:
    return luaL_error(L, "meta must be a JSON object as meta_object returns it");
  case PRESENCE_BAD_REF:
    return luaL_error(L, "ref must be printable ASCII without quote and backslash");
  default:
    return presence__lua_fail(L, status, "a string is over its limit in bytes");
  }
}

int presence__lua_status_words(lua_State *L) {
  static const enum presence_status returned[] = {
      PRESENCE_NOT_UTF8,        PRESENCE_BAD_JSON,  PRESENCE_NOT_OBJECT, PRESENCE_NO_PRESENCE,
      PRESENCE_ALREADY_TRACKED, PRESENCE_TOO_LARGE, PRESENCE_DAMAGED};
  const int count = (int)(sizeof returned / sizeof *returned);
  lua_createtable(L, count + 1, 0);
  for (int i = 0; i < count; i++) {
    lua_pushstring(L, presence_status_word(returned[i]));
    lua_rawseti(L, -2, i + 1);
  }
  lua_pushliteral(L, "bad_cursor");
  lua_rawseti(L, -2, count + 1);
  return 1;
}
