/* Walks over a frozen state: iterators of topics and of a topic's entries, and pages. */
#include "lua/pure.h"

/* A walk holds its state, so that the iterators, which own nothing, stay good. */
struct walk {
  presence_state *state;
  union {
    presence_topic_iter topics;
    presence_entry_iter entries;
  } at;
};

#define WALK "presence.walk"

static int walk_gc(lua_State *L) {
  struct walk *walk = lua_touserdata(L, 1);
  presence_state_release(walk->state);
  walk->state = NULL;
  return 0;
}

/* Pushes a closure that has the walk as its last upvalue, and returns the walk to be set going. */
static struct walk *push_walk(lua_State *L, const presence_state *state, lua_CFunction step) {
  for (int i = 1; i <= PRESENCE__UP_COUNT; i++)
    lua_pushvalue(L, lua_upvalueindex(i));
  presence__lua_ensure_gc(L, WALK, walk_gc);
  struct walk *walk = presence__lua_new(L, sizeof *walk, WALK);
  walk->state = presence_state_retain(state);
  lua_pushcclosure(L, step, PRESENCE__UP_OWN);
  return walk;
}

static struct walk *current(lua_State *L) {
  struct walk *walk = lua_touserdata(L, lua_upvalueindex(PRESENCE__UP_OWN));
  if (!walk->state) luaL_error(L, "the iterator has been finalized");
  return walk;
}

static int next_entry(lua_State *L) {
  struct walk *walk = current(L);
  presence_string key;
  const presence_entry *entry = presence_entry_iter_next(&walk->at.entries, &key);
  if (!entry) {
    lua_pushnil(L);
    return 1;
  }
  lua_pushlstring(L, key.bytes, key.size);
  presence__lua_push_entry(L, entry);
  return 2;
}

static int walk_each(lua_State *L) {
  const presence_state *state = presence__lua_check_state(L, 1);
  const presence_string topic = presence__lua_check_string(L, 2);
  struct walk *walk = push_walk(L, state, next_entry);
  presence_entry_iter_init(&walk->at.entries, presence_find_topic(state, topic));
  return 1;
}

static int next_topic(lua_State *L) {
  struct walk *walk = current(L);
  const presence_topic *topic = presence_topic_iter_next(&walk->at.topics);
  if (!topic) {
    lua_pushnil(L);
    return 1;
  }
  const presence_string name = presence_topic_name(topic);
  lua_pushlstring(L, name.bytes, name.size);
  presence__lua_push_size(L, presence_topic_count(topic));
  return 2;
}

static int walk_topics(lua_State *L) {
  const presence_state *state = presence__lua_check_state(L, 1);
  struct walk *walk = push_walk(L, state, next_topic);
  presence_topic_iter_init(&walk->at.topics, state);
  return 1;
}

/* A cursor is this mark and the last key that was given. The key's place in the walk is the same
   in every state, also when the key has left. */
#define CURSOR_MARK '='

static bool start_page(lua_State *L, presence_entry_iter *iter, const presence_topic *topic) {
  if (lua_isnoneornil(L, 3)) {
    presence_entry_iter_init(iter, topic);
    return true;
  }
  presence_string cursor = presence__lua_check_string(L, 3);
  if (cursor.size == 0 || cursor.bytes[0] != CURSOR_MARK) return false;
  cursor.bytes++;
  cursor.size--;
  presence_entry_iter_seek(iter, topic, cursor);
  return true;
}

static void push_pair(lua_State *L, presence_string key, const presence_entry *entry) {
  lua_createtable(L, 2, 0);
  lua_pushlstring(L, key.bytes, key.size);
  lua_rawseti(L, -2, 1);
  presence__lua_push_entry(L, entry);
  lua_rawseti(L, -2, 2);
}

static void push_cursor(lua_State *L, presence_string key) {
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  luaL_addchar(&buffer, CURSOR_MARK);
  luaL_addlstring(&buffer, key.bytes, key.size);
  luaL_pushresult(&buffer);
}

static int walk_page(lua_State *L) {
  const presence_state *state = presence__lua_check_state(L, 1);
  const presence_topic *topic = presence_find_topic(state, presence__lua_check_string(L, 2));
  luaL_checktype(L, 4, LUA_TNUMBER);
  const size_t limit = presence__check_size(L, 4, 1, (double)PRESENCE_MAX_PID);
  presence_entry_iter iter;
  if (!start_page(L, &iter, topic))
    return presence__push_failure(L, "bad_cursor", "the cursor is not one that page returned");
  lua_newtable(L);
  presence_string key = {NULL, 0}, last = {NULL, 0};
  const presence_entry *entry;
  int count = 0;
  while ((entry = presence_entry_iter_next(&iter, &key)) && (size_t)count < limit) {
    push_pair(L, key, entry);
    lua_rawseti(L, -2, ++count);
    last = key;
  }
  if (!entry) return 1;
  push_cursor(L, last);
  return 2;
}

const luaL_Reg presence__walk_methods[] = {
    {"each", walk_each}, {"topics", walk_topics}, {"page", walk_page}, {NULL, NULL}};
