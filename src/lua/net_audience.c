/* presence.audience: outboxes that are told the same, walked in C. Places count from 1. */
#include "lua/compat.h"
#include "lua/net.h"
#include "net/audience.h"

/* Upvalues: every function has the metatable of audiences first; add has that of outboxes second,
   send and tell that of messages. */
enum { own_metatable = 1, other_metatable = 2 };

static struct presence__audience *check_audience(lua_State *L) {
  return presence__check_userdata(L, 1, own_metatable, PRESENCE__AUDIENCE);
}

static size_t check_place(lua_State *L, int arg, const struct presence__audience *a) {
  luaL_argcheck(L, a->count > 0, arg, "the audience is empty");
  return presence__check_size(L, arg, 1, (double)a->count) - 1;
}

static int l_audience(lua_State *L) {
  struct presence__audience *a = lua_newuserdatauv(L, sizeof *a, 0);
  presence__audience_init(a, NULL);
  lua_pushvalue(L, lua_upvalueindex(own_metatable));
  lua_setmetatable(L, -2);
  presence__lua_made(L);
  return 1;
}

static int l_audience_gc(lua_State *L) {
  presence__audience_clear(check_audience(L));
  return 0;
}

static int l_audience_len(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)check_audience(L)->count);
  return 1;
}

static int l_audience_add(lua_State *L) {
  struct presence__audience *a = check_audience(L);
  struct presence__line *line = presence__check_outbox(L, 2, other_metatable);
  if (!presence__audience_add(a, line, lua_toboolean(L, 3))) return presence__raise_no_memory(L);
  return 0;
}

static int l_audience_remove(lua_State *L) {
  struct presence__audience *a = check_audience(L);
  size_t place = check_place(L, 2, a);
  lua_pushboolean(L, a->seats[place].was_told);
  presence__audience_remove(a, place);
  return 1;
}

static int l_audience_send(lua_State *L) {
  struct presence__audience *a = check_audience(L);
  struct presence__message *m = presence__check_message(L, 2, other_metatable);
  size_t except = lua_isnoneornil(L, 3) ? a->count : check_place(L, 3, a);
  if (!presence__audience_send(a, m, except)) return presence__raise_no_memory(L);
  return 0;
}

static int l_audience_tell(lua_State *L) {
  struct presence__audience *a = check_audience(L);
  struct presence__message *m =
      lua_isnoneornil(L, 2) ? NULL : presence__check_message(L, 2, other_metatable);
  size_t strays;
  if (!presence__audience_tell(a, m, &strays)) return presence__raise_no_memory(L);
  lua_pushinteger(L, (lua_Integer)strays);
  return 1;
}

static int l_audience_strays(lua_State *L) {
  struct presence__audience *a = check_audience(L);
  int count = 0;
  lua_newtable(L);
  for (size_t i = 0; i < a->count; i++) {
    if (a->seats[i].is_in_step) continue;
    lua_pushinteger(L, (lua_Integer)i + 1);
    lua_rawseti(L, -2, ++count);
  }
  return 1;
}

static int l_audience_set_in_step(lua_State *L) {
  struct presence__audience *a = check_audience(L);
  a->seats[check_place(L, 2, a)].is_in_step = true;
  return 0;
}

/* A method that also has the metatable called `other`; methods are on top, their metatable below.
 */
static void add_method(lua_State *L, const char *name, lua_CFunction f, const char *other) {
  lua_pushvalue(L, -2);
  luaL_getmetatable(L, other);
  lua_pushcclosure(L, f, 2);
  lua_setfield(L, -2, name);
}

void presence__open_audience(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"remove", l_audience_remove},
      {"strays", l_audience_strays},
      {"set_in_step", l_audience_set_in_step},
      {NULL, NULL},
  };
  static const luaL_Reg events[] = {
      {"__gc", l_audience_gc}, {"__len", l_audience_len}, {NULL, NULL}};
  presence__new_metatable(L, PRESENCE__AUDIENCE, methods, events);
  lua_getfield(L, -1, "__index");
  add_method(L, "add", l_audience_add, PRESENCE__OUTBOX);
  add_method(L, "send", l_audience_send, PRESENCE__MESSAGE);
  add_method(L, "tell", l_audience_tell, PRESENCE__MESSAGE);
  lua_pop(L, 1);
  lua_pushcclosure(L, l_audience, 1);
  lua_setfield(L, -2, "audience");
}
