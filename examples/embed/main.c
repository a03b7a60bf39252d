/* A C program that embeds Lua 5.4: it makes a state, a script edits it, and the program prints what
   changed. Nothing is copied on the way.

     embed visit.lua

   Built by: cc main.c $(pkg-config --cflags --libs presence-lua5.4) */
#include <lauxlib.h>
#include <lualib.h>
#include <presence_lua.h>
#include <stdio.h>
#include <stdlib.h>

static const char room[] = "room:lobby";

static void must(enum presence_status status) {
  if (status == PRESENCE_OK) return;
  fprintf(stderr, "presence: %s\n", presence_status_word(status));
  exit(1);
}

/* Two people, tracked by C. */
static presence_state *make_state(presence_heap *heap) {
  presence_state *empty = presence_state_new(heap), *one, *two;
  if (!empty) must(PRESENCE_OUT_OF_MEMORY);
  must(presence_track(empty, presence_string_of(room), presence_string_of("ann"),
                      presence_pid_integer(1), presence_string_of("{\"device\":\"phone\"}"), &one));
  must(presence_track(one, presence_string_of(room), presence_string_of("bob"),
                      presence_pid_integer(2), presence_string_of("{\"device\":\"desk\"}"), &two));
  presence_state_release(empty);
  presence_state_release(one);
  return two;
}

/* Calls the function that the script returned, which is on top of the stack, with a state. Runs
   protected: it may raise. Leaves the state that it returned on the stack. */
static int call_script(lua_State *L) {
  const presence_state *state = lua_touserdata(L, 2);
  lua_settop(L, 1);
  presence_lua_push_state(L, state);
  lua_call(L, 1, 1);
  if (!presence_lua_to_state(L, -1)) luaL_error(L, "the script returned no state");
  return 1;
}

static bool write_out(void *context, const char *bytes, size_t size) {
  return fwrite(bytes, 1, size, context) == size;
}

static void print_diff(const presence_state *before, const presence_state *after) {
  presence_diff_iter iter;
  presence_change change;
  size_t changes = 0;
  presence_diff_iter_init(&iter, before, after);
  while (presence_diff_iter_next(&iter, &change))
    changes++;
  printf("%zu keys changed, %zu are here now\n", changes,
         presence_count(after, presence_string_of(room)));
  const presence_sink sink = {write_out, stdout};
  must(presence_diff_json(before, after, presence_string_of(room), PRESENCE_PLAIN, sink));
  printf("\n");
}

static int fail(lua_State *L) {
  fprintf(stderr, "lua: %s\n", lua_tostring(L, -1));
  lua_close(L);
  return 1;
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  /* The order of keys in what is printed follows from the hash key; this run is to be repeatable.
   */
  const unsigned char seed[16] = {0};
  presence_hash_seed(seed);

  lua_State *L = luaL_newstate();
  if (!L) return 1;
  luaL_openlibs(L);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, luaopen_presence_core);
  lua_setfield(L, -2, "presence.core");
  lua_pop(L, 1);
  lua_pushcfunction(L, call_script);
  if (luaL_loadfile(L, argv[1]) != LUA_OK || lua_pcall(L, 0, 1, 0) != LUA_OK) return fail(L);

  presence_state *before = make_state(presence_lua_heap(L));
  lua_pushlightuserdata(L, before);
  if (lua_pcall(L, 2, 1, 0) != LUA_OK) return fail(L);
  presence_state *after = presence_state_retain(presence_lua_to_state(L, -1));
  lua_close(L); /* the heap lives on for what C holds */

  print_diff(before, after);
  presence_state_release(before);
  presence_state_release(after);
  return 0;
}
