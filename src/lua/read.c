/* Looking things up in a PresenceState. */
#include "lua/pure.h"

static int read_list(lua_State *L) {
  const presence_state *state = presence__lua_check_state(L, 1);
  const presence_topic *topic = presence_find_topic(state, presence__lua_check_string(L, 2));
  const size_t count = presence_topic_count(topic);
  lua_createtable(L, 0, count < 1 << 24 ? (int)count : 1 << 24);
  presence_entry_iter iter;
  presence_entry_iter_init(&iter, topic);
  presence_string key;
  const presence_entry *entry;
  while ((entry = presence_entry_iter_next(&iter, &key))) {
    lua_pushlstring(L, key.bytes, key.size);
    presence__lua_push_entry(L, entry);
    lua_rawset(L, -3);
  }
  return 1;
}

static int read_get(lua_State *L) {
  const presence_state *state = presence__lua_check_state(L, 1);
  const presence_string topic = presence__lua_check_string(L, 2);
  const presence_entry *entry = presence_get(state, topic, presence__lua_check_string(L, 3));
  if (entry)
    presence__lua_push_entry(L, entry);
  else
    lua_pushnil(L);
  return 1;
}

static int read_count(lua_State *L) {
  const presence_state *state = presence__lua_check_state(L, 1);
  presence__lua_push_size(L, presence_count(state, presence__lua_check_string(L, 2)));
  return 1;
}

static size_t connections(lua_State *L) {
  const presence_state *state = presence__lua_check_state(L, 1);
  const presence_string topic = presence__lua_check_string(L, 2);
  return presence_connections(state, topic, presence__lua_check_string(L, 3));
}

static int read_connections(lua_State *L) {
  presence__lua_push_size(L, connections(L));
  return 1;
}

static int read_has(lua_State *L) {
  lua_pushboolean(L, connections(L) > 0);
  return 1;
}

static int read_online(lua_State *L) {
  const presence_state *state = presence__lua_check_state(L, 1);
  const presence_topic *topic = presence_find_topic(state, presence__lua_check_string(L, 2));
  if (lua_type(L, 3) != LUA_TTABLE) return presence__lua_type_error(L, 3, "array of keys");
  lua_settop(L, 3);
  lua_newtable(L);
  for (int i = 1;; i++) {
    lua_rawgeti(L, 3, i);
    if (lua_isnil(L, 5)) break;
    if (lua_type(L, 5) != LUA_TSTRING)
      return luaL_argerror(L, 3, "array of strings expected, something else is in it");
    presence_string key;
    key.bytes = lua_tolstring(L, 5, &key.size);
    presence__lua_push_size(L, presence_entry_count(presence_topic_get(topic, key)));
    lua_rawset(L, 4);
  }
  lua_pop(L, 1);
  return 1;
}

const luaL_Reg presence__read_functions[] = {{"list_state", read_list},
                                             {"count_presences", read_count},
                                             {"is_present", read_has},
                                             {"connection_count", read_connections},
                                             {NULL, NULL}};

const luaL_Reg presence__read_methods[] = {
    {"list", read_list}, {"get", read_get},       {"count", read_count},
    {"has", read_has},   {"online", read_online}, {"connections", read_connections},
    {NULL, NULL}};
