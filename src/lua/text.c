/* UTF-8, JSON text, base64, random bytes, and the cutting of Phoenix messages. */
#include "lua/compat.h"
#include "lua/module.h"
#include "net/binary.h"
#include "net/phoenix.h"
#include "text/base64.h"
#include "text/json.h"
#include "text/random.h"
#include "text/utf8.h"

static int l_utf8_valid(lua_State *L) {
  size_t n;
  const char *s = presence__check_string(L, 1, &n);
  lua_pushboolean(L, presence__utf8_valid(s, n));
  return 1;
}

static unsigned opt_depth(lua_State *L, int arg) {
  if (lua_isnoneornil(L, arg)) return PRESENCE__JSON_DEPTH_DEFAULT;
  return (unsigned)presence__check_size(L, arg, 0, PRESENCE__JSON_DEPTH_CEILING);
}

/* Pushes "reason at byte n", n counted from 1 as Lua does. */
static void push_detail(lua_State *L, const char *reason, size_t offset) {
  lua_pushfstring(L, "%s at byte %d", reason, (int)(offset < 0x7FFFFFFE ? offset + 1 : 0x7FFFFFFF));
}

static int l_json_valid(lua_State *L) {
  struct presence__json found;
  size_t n;
  const char *text = presence__check_string(L, 1, &n);
  if (presence__json_scan(text, n, opt_depth(L, 2), &found)) {
    lua_pushboolean(L, true);
    return 1;
  }
  lua_pushnil(L);
  lua_pushstring(L, found.fault == PRESENCE__JSON_NOT_UTF8 ? "not_utf8" : "bad_json");
  push_detail(L, found.reason, found.fault_at);
  return 3;
}

static int l_json_quote(lua_State *L) {
  size_t n;
  const char *s = presence__check_string(L, 1, &n);
  if (!presence__utf8_valid(s, n))
    return presence__push_failure(L, "not_utf8", "a JSON string must be UTF-8");
  char small[256];
  size_t size = presence__json_quote_size(s, n);
  char *dst = size <= sizeof small ? small : lua_newuserdatauv(L, size, 0);
  presence__json_quote(dst, s, n);
  lua_pushlstring(L, dst, size);
  return 1;
}

static int l_base64_encode(lua_State *L) {
  size_t n;
  const char *bytes = presence__check_string(L, 1, &n);
  size_t size = presence__base64_encoded_size(n);
  char *dst = lua_newuserdatauv(L, size + 1, 0);
  presence__base64_encode(dst, bytes, n);
  lua_pushlstring(L, dst, size);
  return 1;
}

static int l_base64_decode(lua_State *L) {
  size_t n, size;
  const char *text = presence__check_string(L, 1, &n);
  bool url_safe = lua_toboolean(L, 2);
  char *dst = lua_newuserdatauv(L, presence__base64_decoded_bound(n), 0);
  if (!presence__base64_decode(dst, &size, text, n, url_safe))
    return presence__push_failure(L, "bad_base64", "not base64 in its one exact form");
  lua_pushlstring(L, dst, size);
  return 1;
}

static int l_random_bytes(lua_State *L) {
  enum { most = 256 };
  unsigned char bytes[most];
  size_t n = presence__check_size(L, 1, 1, most);
  if (!presence__random_bytes(bytes, n)) return luaL_error(L, "the system has no random source");
  lua_pushlstring(L, (const char *)bytes, n);
  return 1;
}

static void push_raw(lua_State *L, struct presence__json_span span) {
  if (span.size)
    lua_pushlstring(L, span.text, span.size);
  else
    lua_pushnil(L);
}

/* Pushes what a string token says; false when no UTF-8 can say it. */
static bool push_decoded(lua_State *L, struct presence__json_span token) {
  char small[256];
  size_t size;
  if (token.size <= sizeof small) {
    if (!presence__json_decode_string(token.text, token.size, small, &size)) return false;
    lua_pushlstring(L, small, size);
    return true;
  }
  char *dst = lua_newuserdatauv(L, token.size, 0);
  if (!presence__json_decode_string(token.text, token.size, dst, &size)) return false;
  lua_pushlstring(L, dst, size);
  lua_remove(L, -2);
  return true;
}

typedef const char *cut_function(const char *text, size_t n, unsigned max_depth,
                                 struct presence__phoenix *out, size_t *offset);

static int cut(lua_State *L, cut_function *function) {
  struct presence__phoenix parts;
  size_t n, offset;
  const char *text = presence__check_string(L, 1, &n);
  const char *reason = function(text, n, opt_depth(L, 2), &parts, &offset);
  if (reason) {
    lua_pushnil(L);
    lua_pushliteral(L, "bad_message");
    push_detail(L, reason, offset);
    return 3;
  }
  lua_settop(L, 1);
  lua_pushboolean(L, true);
  push_raw(L, parts.join_ref);
  push_raw(L, parts.ref);
  if (!push_decoded(L, parts.topic) || !push_decoded(L, parts.event))
    return presence__push_failure(L, "bad_message", "lone surrogate in topic or event");
  lua_pushlstring(L, parts.payload.text, parts.payload.size);
  return 6;
}

static int l_cut_v1(lua_State *L) {
  return cut(L, presence__v1_cut);
}

static int l_cut_v2(lua_State *L) {
  return cut(L, presence__v2_cut);
}

/* Pushes a ref of a binary message as the JSON that it is in a text message; an empty one is null.
 */
static void push_ref(lua_State *L, struct presence__json_span ref) {
  char json[PRESENCE__BINARY_FIELD_MAX * 6 + 2];
  if (ref.size) {
    size_t size = (size_t)(presence__json_quote(json, ref.text, ref.size) - json);
    lua_pushlstring(L, json, size);
  } else {
    lua_pushnil(L);
  }
}

static int l_cut_binary(lua_State *L) {
  static const char *const kinds[] = {"client_push", "push", "reply", "broadcast"};
  struct presence__binary parts;
  size_t n;
  const char *bytes = presence__check_string(L, 1, &n);
  const char *reason = presence__binary_cut(bytes, n, lua_toboolean(L, 2), &parts);
  if (reason) return presence__push_failure(L, "bad_message", reason);
  lua_pushboolean(L, true);
  push_ref(L, parts.field[PRESENCE__BINARY_JOIN_REF]);
  push_ref(L, parts.field[PRESENCE__BINARY_REF]);
  for (int i = PRESENCE__BINARY_TOPIC; i <= PRESENCE__BINARY_EVENT; i++)
    lua_pushlstring(L, parts.field[i].text ? parts.field[i].text : "", parts.field[i].size);
  lua_pushlstring(L, parts.data.text, parts.data.size);
  lua_pushstring(L, kinds[parts.kind]);
  return 7;
}

void presence__open_text(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"utf8_valid", l_utf8_valid},
      {"json_valid", l_json_valid},
      {"json_quote", l_json_quote},
      {"base64_encode", l_base64_encode},
      {"base64_decode", l_base64_decode},
      {"random_bytes", l_random_bytes},
      {"cut_v1", l_cut_v1},
      {"cut_v2", l_cut_v2},
      {"cut_binary", l_cut_binary},
      {NULL, NULL},
  };
  luaL_setfuncs(L, functions, 0);
}
