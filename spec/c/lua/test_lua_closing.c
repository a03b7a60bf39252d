/* What finalizers make while a lua_State closes, on Lua 5.4 and LuaJIT: Lua 5.4 never calls the
   __gc of such a value, and the heap's own comes at some point in between. Nothing leaks; what is
   made after the heap's end is refused. The sanitizers see what the counters do not. */
#include "cmocka_all.h"
#include "lua_kit.h"

struct scene {
  struct lua_memory lua;
  struct memory core;
  lua_State *L;
  long made;
  long refused;
};

static int tell(lua_State *L) {
  struct scene *scene = lua_touserdata(L, lua_upvalueindex(1));
  const bool made = lua_toboolean(L, 2);
  made ? scene->made++ : scene->refused++;
  if (!made && !strstr(lua_tostring(L, 3), "the Lua state is closing"))
    printf("%s: %s\n", lua_tostring(L, 1), lua_tostring(L, 3));
  return 0;
}

static void call(lua_State *L, int arguments, int results) {
  if (lua_pcall(L, arguments, results, 0) != 0) fail_msg("%s", lua_tostring(L, -1));
}

static void new_lua(struct scene *scene) {
  memset(scene, 0, sizeof *scene);
  lua_State *L = scene->L = lua_newstate(lua_memory_allocate, &scene->lua);
  assert_non_null(L);
  luaL_openlibs(L);
}

/* Pushes the module. */
static void push_module(struct scene *scene) {
  lua_pushcfunction(scene->L, open_module);
  lua_pushlightuserdata(scene->L, &scene->core);
  call(scene->L, 1, 1);
}

/* Runs the script with the module on top of the stack and pushes what it returns: a function that
   sets the finalizers up. */
static void push_script(struct scene *scene) {
  lua_State *L = scene->L;
  if (luaL_loadfile(L, PRESENCE_LUA_SCRIPTS "closing.lua") != 0)
    fail_msg("%s", lua_tostring(L, -1));
  lua_insert(L, -2);
  lua_newtable(L);
  lua_pushvalue(L, -1);
  lua_setfield(L, LUA_REGISTRYINDEX, "kept");
  lua_pushlightuserdata(L, scene);
  lua_pushcclosure(L, tell, 1);
  call(L, 3, 1);
}

/* Sets finalizers up; returns their number. */
static long set_up(lua_State *L) {
  lua_pushvalue(L, -1);
  call(L, 0, 1);
  const long count = (long)lua_tonumber(L, -1);
  lua_pop(L, 1);
  return count;
}

static void close_scene(struct scene *scene) {
  lua_close(scene->L);
  assert_int_equal(scene->core.blocks_alive, 0);
  assert_int_equal(scene->lua.blocks_alive, 0);
}

/* Those that were set up last come first: the heap is whole. */
static void what_finalizers_make_before_the_heap_ends_goes_with_it(void **state) {
  (void)state;
  struct scene scene;
  new_lua(&scene);
  push_module(&scene);
  push_script(&scene);
  const long count = set_up(scene.L);
  close_scene(&scene);
  assert_int_equal(scene.made, count);
  assert_int_equal(scene.refused, 0);
}

/* A value of Lua whose finalizer is older than the module, so that it comes after the heap's end.
 */
static int older(lua_State *L) {
  lua_getfield(L, LUA_REGISTRYINDEX, "late");
  lua_call(L, 0, 0);
  return 0;
}

static void set_up_older(lua_State *L) {
  lua_newuserdata(L, 1);
  lua_newtable(L);
  lua_pushcfunction(L, older);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  lua_setfield(L, LUA_REGISTRYINDEX, "older");
}

static const char make_now[] = "local core, tell = ...\n"
                               "local function try(name, ...)\n"
                               "  local made, value = pcall(core[name], ...)\n"
                               "  tell(name, made, tostring(value))\n"
                               "end\n"
                               "return function()\n"
                               "  try('new_state')\n"
                               "  try('owner')\n"
                               "  try('make_meta', 1, '1')\n"
                               "  try('message', 'x')\n"
                               "  try('outbox', 'message')\n"
                               "  try('websocket', {max_message_bytes = 9, max_fragments = 9})\n"
                               "end\n";

static void what_finalizers_make_after_the_heap_has_ended_is_refused(void **state) {
  (void)state;
  struct scene scene;
  new_lua(&scene);
  lua_State *L = scene.L;
  set_up_older(L);
  push_module(&scene);
  if (luaL_loadstring(L, make_now) != 0) fail_msg("%s", lua_tostring(L, -1));
  lua_insert(L, -2);
  lua_pushlightuserdata(L, &scene);
  lua_pushcclosure(L, tell, 1);
  call(L, 2, 1);
  lua_setfield(L, LUA_REGISTRYINDEX, "late");
  close_scene(&scene);
  /* LuaJIT goes on to call finalizers, so what needs no heap may still be made. */
  assert_int_equal(scene.made, LUA_VERSION_NUM == 501 ? 3 : 0);
  assert_int_equal(scene.refused, 6 - scene.made);
}

/* Finalizers of an ordinary cycle make what is collected in its turn. */
static void what_finalizers_make_in_an_ordinary_cycle_goes_in_the_next(void **state) {
  (void)state;
  struct scene scene;
  new_lua(&scene);
  push_module(&scene);
  push_script(&scene);
  lua_State *L = scene.L;
  const presence_heap *heap = presence_lua_heap(L);
  presence_heap_usage before, after;
  presence_heap_stats(heap, &before);
  const long count = set_up(L);
  for (int round = 0; round < 3; round++) {
    lua_getfield(L, LUA_REGISTRYINDEX, "kept");
    for (size_t i = lua_rawlen(L, -1); i > 0; i--) {
      lua_pushnil(L);
      lua_rawseti(L, -2, (int)i);
    }
    lua_pop(L, 1);
    lua_gc(L, LUA_GCCOLLECT, 0);
    lua_gc(L, LUA_GCCOLLECT, 0);
  }
  assert_int_equal(scene.made, count);
  while (presence_heap_work(presence_lua_heap(L), 1000))
    continue;
  presence_heap_stats(heap, &after);
  assert_int_equal(after.live_bytes, before.live_bytes);
  close_scene(&scene);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_finalizers_make_before_the_heap_ends_goes_with_it),
      cmocka_unit_test(what_finalizers_make_after_the_heap_has_ended_is_refused),
      cmocka_unit_test(what_finalizers_make_in_an_ordinary_cycle_goes_in_the_next),
  };
  return cmocka_run_group_tests_name("binding: closing, " LUA_VERSION, tests, NULL, NULL);
}
