/* presence.outbox, what waits for one connection, and presence.due, the outboxes that have
   something to write. */
#include <string.h>

#include "lua/compat.h"
#include "lua/net.h"
#include "net/line.h"

/* Upvalues: functions of a type have its metatable first. */
enum { own_metatable = 1, other_metatable = 2 };

struct presence__line *presence__check_outbox(lua_State *L, int arg, int upvalue) {
  struct presence__line **box = presence__check_userdata(L, arg, upvalue, PRESENCE__OUTBOX);
  luaL_argcheck(L, *box, arg, "outbox is gone");
  return *box;
}

static struct presence__line *check_own(lua_State *L) {
  return presence__check_outbox(L, 1, own_metatable);
}

static struct presence__due *check_due(lua_State *L, int arg, int upvalue) {
  struct presence__due **box = presence__check_userdata(L, arg, upvalue, PRESENCE__DUE);
  luaL_argcheck(L, *box, arg, "it is gone");
  return *box;
}

/* A new userdata that holds a pointer, still NULL, with the running function's own metatable. */
static void **push_box(lua_State *L) {
  void **box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = NULL;
  lua_pushvalue(L, lua_upvalueindex(own_metatable));
  lua_setmetatable(L, -2);
  presence__lua_made(L);
  return box;
}

static int give(lua_State *L, void **box, void *made) {
  if (!made) return presence__raise_no_memory(L);
  *box = made;
  return 1;
}

/* --- due ------------------------------------------------------------------------------------- */

static int l_due(lua_State *L) {
  void **box = push_box(L);
  return give(L, box, presence__due_new(NULL));
}

static int l_due_gc(lua_State *L) {
  struct presence__due **box = presence__check_userdata(L, 1, own_metatable, PRESENCE__DUE);
  if (*box) presence__due_clear(*box);
  presence__due_release(*box);
  *box = NULL;
  return 0;
}

static int l_due_tell(lua_State *L) {
  lua_pushboolean(L, presence__due_tell(check_due(L, 1, own_metatable)));
  return 1;
}

static int l_due_write(lua_State *L) {
  struct presence__due *due = check_due(L, 1, own_metatable);
  size_t count = presence__due_write(due, presence__send);
  if (count == 0) return 0;
  /* When there is no memory for it, they stay due. It may run finalizers, which make others due. */
  lua_createtable(L, (int)count, 0);
  for (size_t i = 0; i < count; i++) {
    lua_pushnumber(L, (lua_Number)due->lines[i]->number);
    lua_rawseti(L, -2, (int)i + 1);
  }
  presence__due_drop(due, count);
  return 1;
}

/* --- outbox ---------------------------------------------------------------------------------- */

static int l_outbox(lua_State *L) {
  static const char *const framings[] = {"websocket", "message", NULL};
  int framing = luaL_checkoption(L, 1, NULL, framings);
  struct presence__due *due = NULL;
  size_t number = 0, max_bytes = SIZE_MAX;
  if (!lua_isnoneornil(L, 2)) {
    due = check_due(L, 2, other_metatable);
    number = presence__check_size(L, 3, 0, 9007199254740992.0);
    max_bytes = presence__check_size(L, 4, 0, 9007199254740992.0);
  }
  void **box = push_box(L);
  struct presence__line *line = presence__line_new(due, NULL);
  if (line) {
    line->has_frames = framing == 0;
    line->number = number;
    line->max_bytes = max_bytes;
  }
  return give(L, box, line);
}

static int l_outbox_gc(lua_State *L) {
  struct presence__line **box = presence__check_userdata(L, 1, own_metatable, PRESENCE__OUTBOX);
  /* Whoever else holds the line must write nothing to a connection that nobody closed. */
  if (*box) presence__line_abandon(*box);
  presence__line_release(*box);
  *box = NULL;
  return 0;
}

static int l_outbox_tostring(lua_State *L) {
  struct presence__line *line = check_own(L);
  lua_pushfstring(L, "%s: %s, %d messages, %d bytes", PRESENCE__OUTBOX,
                  line->has_frames ? "websocket" : "message", (int)line->outbox.count,
                  (int)presence__line_bytes(line));
  return 1;
}

/* Says whether somebody has to be told that there is something to write. */
static int give_news(lua_State *L, struct presence__line *line) {
  lua_pushboolean(L, presence__due_tell(line->due));
  return 1;
}

static int l_outbox_add(lua_State *L) {
  struct presence__line *line = check_own(L);
  struct presence__message *m = presence__check_message(L, 2, other_metatable);
  if (!presence__line_add(line, m)) return presence__raise_no_memory(L);
  return give_news(L, line);
}

static int l_outbox_add_frame(lua_State *L) {
  struct presence__line *line = check_own(L);
  size_t n = 0;
  luaL_argcheck(L, line->has_frames, 1, "framing \"message\" has no frames");
  unsigned opcode =
      (unsigned)presence__check_size(L, 2, PRESENCE__WS_OP_CLOSE, PRESENCE__WS_OP_PONG);
  const char *payload = lua_isnoneornil(L, 3) ? "" : presence__check_string(L, 3, &n);
  luaL_argcheck(L, n <= PRESENCE__WS_CONTROL_MAX, 3, "longer than 125 bytes");
  struct presence__message *m = presence__message_new(NULL, (enum presence__ws_opcode)opcode, n);
  if (!m) return presence__raise_no_memory(L);
  memcpy(presence__message_payload(m), payload, n);
  bool added = presence__line_add(line, m);
  presence__message_release(m);
  return added ? give_news(L, line) : presence__raise_no_memory(L);
}

static int l_outbox_block(lua_State *L) {
  struct presence__line *line = check_own(L);
  presence__line_block(line, lua_toboolean(L, 2));
  return give_news(L, line);
}

static int l_outbox_close(lua_State *L) {
  struct presence__line *line = check_own(L);
  presence__line_close(line);
  return give_news(L, line);
}

static int l_outbox_abandon(lua_State *L) {
  presence__line_abandon(check_own(L));
  return 0;
}

static int l_outbox_is_writable(lua_State *L) {
  lua_pushboolean(L, presence__line_is_writable(check_own(L)));
  return 1;
}

static int l_outbox_direct(lua_State *L) {
  struct presence__line *line = check_own(L);
  int descriptor = -1;
  if (!lua_isnoneornil(L, 2)) descriptor = (int)presence__check_size(L, 2, 0, 0x7FFFFFFF);
  if (!line->is_closed && line->has_frames) line->descriptor = descriptor;
  return 0;
}

static int l_outbox_bytes(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)presence__line_bytes(check_own(L)));
  return 1;
}

static int l_outbox_len(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)check_own(L)->outbox.count);
  return 1;
}

/* Taking: the string is made before anything is dropped, so that nothing is lost when that fails.
   What makes it may run finalizers, which may queue more, or end the connection: of what was seen
   before, only the count of what was copied holds after it. */

static struct presence__message *hold(struct presence__line *line, struct presence__message *m) {
  struct presence__message *old = line->held;
  line->held = m ? presence__message_retain(m) : NULL;
  presence__message_release(old);
  return m;
}

static void drop_taken(struct presence__line *line, size_t count) {
  for (; count > 0 && line->outbox.count > 0; count--)
    presence__outbox_drop_front(&line->outbox);
  line->sent = 0;
  hold(line, NULL);
}

static int take_message(lua_State *L, struct presence__line *line) {
  struct presence__message *m = hold(line, presence__outbox_front(&line->outbox));
  lua_pushlstring(L, presence__message_payload(m), m->size);
  lua_pushboolean(L, m->opcode == PRESENCE__WS_OP_BINARY);
  drop_taken(line, 1);
  return 2;
}

static int take_frames(lua_State *L, struct presence__line *line) {
  size_t size = presence__line_bytes(line), count = line->outbox.count;
  if (count == 1) {
    struct presence__message *m = hold(line, presence__outbox_front(&line->outbox));
    lua_pushlstring(L, presence__message_frame(m) + line->sent, size);
  } else {
    char *bytes = lua_newuserdatauv(L, size, 0);
    count = presence__outbox_copy_frames(&line->outbox, line->sent, bytes, size, &size);
    if (count == 0) return 0; /* it was abandoned */
    lua_pushlstring(L, bytes, size);
  }
  drop_taken(line, count);
  return 1;
}

static int l_outbox_take(lua_State *L) {
  struct presence__line *line = check_own(L);
  if (line->outbox.count == 0) {
    lua_pushnil(L);
    return 1;
  }
  return line->has_frames ? take_frames(L, line) : take_message(L, line);
}

static int l_outbox_clear(lua_State *L) {
  presence__line_clear(check_own(L));
  return 0;
}

/* Adds the function `name` to the table below the two topmost values, which stay and become its
   upvalues. */
static void add_function(lua_State *L, const char *name, lua_CFunction f) {
  lua_pushvalue(L, -2);
  lua_pushvalue(L, -2);
  lua_pushcclosure(L, f, 2);
  lua_setfield(L, -4, name);
}

void presence__open_outbox(lua_State *L) {
  static const luaL_Reg due_methods[] = {
      {"tell", l_due_tell}, {"write", l_due_write}, {NULL, NULL}};
  static const luaL_Reg due_events[] = {{"__gc", l_due_gc}, {NULL, NULL}};
  static const luaL_Reg methods[] = {
      {"add_frame", l_outbox_add_frame},
      {"block", l_outbox_block},
      {"close", l_outbox_close},
      {"abandon", l_outbox_abandon},
      {"is_writable", l_outbox_is_writable},
      {"direct", l_outbox_direct},
      {"bytes", l_outbox_bytes},
      {"take", l_outbox_take},
      {"clear", l_outbox_clear},
      {NULL, NULL},
  };
  static const luaL_Reg events[] = {{"__gc", l_outbox_gc},
                                    {"__len", l_outbox_len},
                                    {"__tostring", l_outbox_tostring},
                                    {NULL, NULL}};
  presence__new_metatable(L, PRESENCE__OUTBOX, methods, events);
  presence__new_metatable(L, PRESENCE__DUE, due_methods, due_events);
  add_function(L, "outbox", l_outbox);
  lua_pushcclosure(L, l_due, 1);
  lua_setfield(L, -3, "due");
  lua_getfield(L, -1, "__index");
  lua_insert(L, -2);
  luaL_getmetatable(L, PRESENCE__MESSAGE);
  add_function(L, "add", l_outbox_add);
  lua_pop(L, 3);
}
