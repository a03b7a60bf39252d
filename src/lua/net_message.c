/* presence.message: an encoded message, shared by all who get it. */
#include <string.h>

#include "lua/compat.h"
#include "lua/net.h"
#include "net/binary.h"
#include "net/message.h"
#include "net/phoenix.h"
#include "text/utf8.h"

/* Upvalues: methods have the metatable first; constructors the collector's debt second. */
enum { own_metatable = 1, gc_debt = 2 };

struct message_box {
  struct presence__message *message;
};

struct presence__message *presence__check_message(lua_State *L, int arg, int upvalue) {
  struct message_box *box = presence__check_userdata(L, arg, upvalue, PRESENCE__MESSAGE);
  luaL_argcheck(L, box->message, arg, "message is gone");
  return box->message;
}

/* The box at arg, to be used again, or a new one; on top of the stack. */
static struct message_box *push_message_box(lua_State *L, int arg) {
  if (!lua_isnoneornil(L, arg)) {
    lua_pushvalue(L, arg);
    return presence__check_userdata(L, arg, own_metatable, PRESENCE__MESSAGE);
  }
  struct message_box *box = lua_newuserdatauv(L, sizeof *box, 0);
  box->message = NULL;
  lua_pushvalue(L, lua_upvalueindex(own_metatable));
  lua_setmetatable(L, -2);
  presence__lua_made(L);
  return box;
}

/* Fills the box on top of the stack and returns it to Lua. What a box held before it lets go: no
   garbage comes of that. */
static int give_message(lua_State *L, struct message_box *box, struct presence__message *m) {
  if (!m) return presence__raise_no_memory(L);
  if (box->message) {
    presence__message_release(box->message);
    box->message = m;
    return 1;
  }
  box->message = m;
  presence__gc_charge(L, lua_touserdata(L, lua_upvalueindex(gc_debt)), sizeof *m + m->size);
  return 1;
}

static struct presence__json_span opt_json(lua_State *L, int arg) {
  struct presence__json_span span = {NULL, 0};
  if (!lua_isnoneornil(L, arg)) {
    span.text = presence__check_string(L, arg, &span.size);
    luaL_argcheck(L, span.size > 0, arg, "JSON expected, or nil");
  }
  return span;
}

static struct presence__json_span check_utf8(lua_State *L, int arg) {
  struct presence__json_span span;
  span.text = presence__check_string(L, arg, &span.size);
  luaL_argcheck(L, presence__utf8_valid(span.text, span.size), arg, "not UTF-8");
  return span;
}

static int l_message_v2(lua_State *L) {
  struct presence__json_span join_ref = opt_json(L, 1);
  struct presence__json_span ref = opt_json(L, 2);
  struct presence__json_span topic = check_utf8(L, 3);
  struct presence__json_span event = check_utf8(L, 4);
  luaL_checktype(L, 5, LUA_TSTRING);
  struct presence__json_span payload = opt_json(L, 5);
  struct message_box *box = push_message_box(L, 6);
  return give_message(L, box, presence__v2_encode(NULL, join_ref, ref, topic, event, payload));
}

static int l_message_v1(lua_State *L) {
  struct presence__json_span ref = opt_json(L, 1);
  struct presence__json_span topic = check_utf8(L, 2);
  struct presence__json_span event = check_utf8(L, 3);
  luaL_checktype(L, 4, LUA_TSTRING);
  struct presence__json_span payload = opt_json(L, 4);
  struct message_box *box = push_message_box(L, 5);
  return give_message(L, box, presence__v1_encode(NULL, ref, topic, event, payload));
}

/* What a ref says, for the head of a binary message: a string's bytes (read into room), a number's
   text, nothing for nil. */
static struct presence__json_span opt_ref(lua_State *L, int arg, char *room) {
  struct presence__json_span ref = opt_json(L, arg);
  luaL_argcheck(L, ref.size <= PRESENCE__BINARY_FIELD_MAX * 6 + 2, arg, "longer than 255 bytes");
  if (ref.size && *ref.text == '"') {
    luaL_argcheck(L, presence__json_decode_string(ref.text, ref.size, room, &ref.size), arg,
                  "lone surrogate");
    ref.text = room;
  }
  luaL_argcheck(L, ref.size <= PRESENCE__BINARY_FIELD_MAX, arg, "longer than 255 bytes");
  return ref;
}

static struct presence__json_span check_field(lua_State *L, int arg) {
  struct presence__json_span field = check_utf8(L, arg);
  luaL_argcheck(L, field.size <= PRESENCE__BINARY_FIELD_MAX, arg, "longer than 255 bytes");
  return field;
}

static int l_message_binary(lua_State *L) {
  static const char *const kinds[] = {"client_push", "push", "reply", "broadcast", NULL};
  char join_ref[PRESENCE__BINARY_FIELD_MAX * 6 + 2], ref[PRESENCE__BINARY_FIELD_MAX * 6 + 2];
  struct presence__binary parts = {
      .kind = (enum presence__binary_kind)luaL_checkoption(L, 1, NULL, kinds),
      .field = {opt_ref(L, 2, join_ref), opt_ref(L, 3, ref), check_field(L, 4), check_field(L, 5)},
  };
  parts.data.text = presence__check_string(L, 6, &parts.data.size);
  struct message_box *box = push_message_box(L, 7);
  return give_message(L, box, presence__binary_encode(NULL, &parts));
}

static int l_message(lua_State *L) {
  size_t n;
  const char *bytes = presence__check_string(L, 1, &n);
  bool binary = lua_toboolean(L, 2);
  luaL_argcheck(L, binary || presence__utf8_valid(bytes, n), 1, "not UTF-8");
  struct message_box *box = push_message_box(L, 3);
  struct presence__message *m =
      presence__message_new(NULL, binary ? PRESENCE__WS_OP_BINARY : PRESENCE__WS_OP_TEXT, n);
  if (m) memcpy(presence__message_payload(m), bytes, n);
  return give_message(L, box, m);
}

static int l_message_gc(lua_State *L) {
  struct message_box *box = presence__check_userdata(L, 1, own_metatable, PRESENCE__MESSAGE);
  presence__message_release(box->message);
  box->message = NULL;
  return 0;
}

static int l_message_len(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)presence__check_message(L, 1, own_metatable)->size);
  return 1;
}

static int l_message_text(lua_State *L) {
  struct presence__message *m = presence__check_message(L, 1, own_metatable);
  lua_pushlstring(L, presence__message_payload(m), m->size);
  return 1;
}

static int l_message_is_binary(lua_State *L) {
  lua_pushboolean(L,
                  presence__check_message(L, 1, own_metatable)->opcode == PRESENCE__WS_OP_BINARY);
  return 1;
}

static int l_message_tostring(lua_State *L) {
  struct presence__message *m = presence__check_message(L, 1, own_metatable);
  lua_pushfstring(L, "%s: %d bytes", PRESENCE__MESSAGE, (int)m->size);
  return 1;
}

/* A constructor of messages; the module table is at 1 from the top, metatable and debt above it. */
static void add_constructor(lua_State *L, const char *name, lua_CFunction f) {
  lua_pushvalue(L, -2);
  lua_pushvalue(L, -2);
  lua_pushcclosure(L, f, 2);
  lua_setfield(L, -4, name);
}

void presence__open_message(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"text", l_message_text}, {"is_binary", l_message_is_binary}, {NULL, NULL}};
  static const luaL_Reg events[] = {{"__gc", l_message_gc},
                                    {"__len", l_message_len},
                                    {"__tostring", l_message_tostring},
                                    {NULL, NULL}};
  presence__new_metatable(L, PRESENCE__MESSAGE, methods, events);
  size_t *debt = lua_newuserdatauv(L, sizeof *debt, 0);
  *debt = 0;
  add_constructor(L, "message_v1", l_message_v1);
  add_constructor(L, "message_v2", l_message_v2);
  add_constructor(L, "message_binary", l_message_binary);
  add_constructor(L, "message", l_message);
  lua_pop(L, 2);
}
