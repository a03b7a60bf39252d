/* The binding when memory fails, on Lua 5.4 and LuaJIT: the n-th request to Lua's allocator, and to
   that of the core's heap, fails once, and from then on, for every n, in every operation of
   operations.lua. A memory error is raised, what was there before is whole, nothing leaks, and the
   lua_State can be closed, also while memory goes on failing. */
#include "cmocka_all.h"
#include "lua_kit.h"

/* One lua_State with the module, operations.lua and both allocators. */
struct scene {
  struct lua_memory lua;
  struct memory core;
  lua_State *L;
  size_t operations;
};

enum { OPERATIONS = 1, CONTENT, OLD, NOW, UNCALLED, BEFORE }; /* on the stack of a scene */

static int share(lua_State *L) {
  const presence_state *state = presence_lua_to_state(L, 1);
  presence_lua_push_state(L, state);
  return 1;
}

static void new_lua(struct scene *scene) {
  memset(scene, 0, sizeof *scene);
  scene->L = lua_newstate(lua_memory_allocate, &scene->lua);
  assert_non_null(scene->L);
}

static void call(lua_State *L, int arguments, int results) {
  if (lua_pcall(L, arguments, results, 0) != 0) fail_msg("%s", lua_tostring(L, -1));
}

static void push_content(lua_State *L) {
  lua_pushvalue(L, CONTENT);
  call(L, 0, 1);
}

static void open_scene(struct scene *scene) {
  new_lua(scene);
  lua_State *L = scene->L;
  luaL_openlibs(L);
  if (luaL_loadfile(L, PRESENCE_LUA_SCRIPTS "operations.lua") != 0)
    fail_msg("%s", lua_tostring(L, -1));
  lua_pushcfunction(L, open_module);
  lua_pushlightuserdata(L, &scene->core);
  call(L, 1, 1);
  lua_pushcfunction(L, share);
  call(L, 2, 5);
  scene->operations = lua_rawlen(L, OPERATIONS);
  push_content(L);
}

static void disarm(struct scene *scene) {
  scene->lua.fail_at = scene->core.fail_at = 0;
}

/* Everything that can go is gone; the bytes that live in the heap. */
static size_t live_bytes(lua_State *L) {
  presence_heap *heap = presence_lua_heap(L);
  lua_gc(L, LUA_GCCOLLECT, 0);
  lua_gc(L, LUA_GCCOLLECT, 0);
  while (presence_heap_work(heap, 1000))
    continue;
  presence_heap_usage usage;
  presence_heap_stats(heap, &usage);
  return usage.live_bytes;
}

static void close_scene(struct scene *scene, const char *name) {
  lua_close(scene->L);
  disarm(scene);
  if (scene->lua.blocks_alive != 0 || scene->core.blocks_alive != 0)
    fail_msg("%s: left %ld blocks of Lua and %ld of the core", name, scene->lua.blocks_alive,
             scene->core.blocks_alive);
}

/* ---- One operation, one failure ---- */

struct failure {
  bool of_core;
  bool and_after;
  bool while_closing; /* memory fails on until the lua_State is gone */
  long at;
};

static void arm(struct scene *scene, const struct failure *failure) {
  scene->lua.requests = scene->core.requests = 0;
  scene->lua.failed = scene->core.failed = 0;
  scene->lua.and_after = scene->core.and_after = failure->and_after;
  *(failure->of_core ? &scene->core.fail_at : &scene->lua.fail_at) = failure->at;
}

/* Pushes the function of an operation; returns its name. */
static const char *push_operation(lua_State *L, size_t index) {
  lua_rawgeti(L, OPERATIONS, (int)index);
  lua_getfield(L, -1, "name");
  const char *name = lua_tostring(L, -1);
  lua_getfield(L, -2, "run");
  lua_replace(L, -3);
  lua_pop(L, 1); /* the operation's table keeps the name */
  return name;
}

static void check_whole(lua_State *L, const char *name) {
  push_content(L);
  if (!lua_rawequal(L, -1, BEFORE)) fail_msg("%s: failed, and changed something", name);
  lua_pop(L, 1);
  const char *fault = presence__check(presence_lua_to_state(L, OLD), NULL);
  if (!fault) fault = presence__check(presence_lua_to_state(L, NOW), NULL);
  if (fault) fail_msg("%s: %s", name, fault);
}

/* What an operation gives although it was short of memory is no empty shell. */
static void check_results(lua_State *L, int first, const char *name) {
  for (int i = first; i <= lua_gettop(L); i++) {
    const struct presence__lua_state *state = luaL_testudata(L, i, PRESENCE__STATE);
    const struct presence__lua_entry *entry = luaL_testudata(L, i, PRESENCE__ENTRY);
    const struct presence__lua_meta *meta = luaL_testudata(L, i, PRESENCE__META);
    const struct presence__lua_editor *owner = luaL_testudata(L, i, PRESENCE__OWNER);
    if ((state && (!state->state || presence__check(state->state, NULL))) ||
        (entry && !entry->entry) || (meta && !meta->meta) || (owner && !owner->editor))
      fail_msg("%s: gave something empty", name);
  }
}

/* Does an operation while memory fails. True when it was not short of memory at all. */
static bool try_operation(size_t index, const struct failure *failure) {
  struct scene scene;
  open_scene(&scene);
  lua_State *L = scene.L;
  const int top = lua_gettop(L);
  const char *name = push_operation(L, index);
  const size_t live_before = live_bytes(L);
  arm(&scene, failure);
  const int status = lua_pcall(L, 0, LUA_MULTRET, 0);
  const bool untouched = scene.lua.failed == 0 && scene.core.failed == 0;
  if (failure->while_closing) {
    close_scene(&scene, name);
    return untouched;
  }
  disarm(&scene);
  if (status == 0) {
    check_results(L, top + 1, name);
  } else {
    if (untouched || !is_memory_error(L, status))
      fail_msg("%s, at request %ld: %s", name, failure->at, lua_tostring(L, -1));
    lua_settop(L, top);
    check_whole(L, name);
    const size_t live_after = live_bytes(L);
    if (live_after != live_before)
      fail_msg("%s, at request %ld: %zu bytes became %zu", name, failure->at, live_before,
               live_after);
    /* With memory it can be done again. */
    push_operation(L, index);
    if (lua_pcall(L, 0, LUA_MULTRET, 0) != 0) fail_msg("%s, again: %s", name, lua_tostring(L, -1));
  }
  close_scene(&scene, name);
  return untouched;
}

static size_t operations(void) {
  struct scene scene;
  open_scene(&scene);
  const size_t count = scene.operations;
  close_scene(&scene, "nothing");
  return count;
}

/* No function of the module, no method, no metamethod is left out. */
static void every_function_is_called_by_an_operation(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene);
  lua_State *L = scene.L;
  for (size_t i = 1; i <= scene.operations; i++) {
    const int top = lua_gettop(L);
    const char *name = push_operation(L, i);
    /* One may find what another left; all that counts here is what it calls. */
    if (lua_pcall(L, 0, LUA_MULTRET, 0) == LUA_ERRMEM) fail_msg("%s: no memory", name);
    lua_settop(L, top);
  }
  lua_pushvalue(L, UNCALLED);
  call(L, 0, 1);
  assert_string_equal(lua_tostring(L, -1), "");
  close_scene(&scene, "all of them");
}

static void fail_every_request(struct failure failure) {
  const size_t count = operations();
  assert_true(count > 50);
  long failures = 0;
  for (size_t i = 1; i <= count; i++) {
    failure.at = 1;
    while (!try_operation(i, &failure))
      failure.at++;
    failures += failure.at - 1;
  }
  printf("%zu operations, %ld failures\n", count, failures);
  assert_true(failures > (long)count / 2);
}

static void a_request_of_lua_fails_once(void **state) {
  (void)state;
  fail_every_request((struct failure){false, false, false, 0});
}

static void requests_of_lua_fail_from_then_on(void **state) {
  (void)state;
  fail_every_request((struct failure){false, true, false, 0});
}

static void a_request_of_the_core_fails_once(void **state) {
  (void)state;
  fail_every_request((struct failure){true, false, false, 0});
}

static void requests_of_the_core_fail_from_then_on(void **state) {
  (void)state;
  fail_every_request((struct failure){true, true, false, 0});
}

static void lua_closes_while_its_memory_fails(void **state) {
  (void)state;
  fail_every_request((struct failure){false, true, true, 0});
}

static void lua_closes_while_memory_of_the_core_fails(void **state) {
  (void)state;
  fail_every_request((struct failure){true, true, true, 0});
}

/* ---- Opening ---- */

/* True when it was not short of memory at all. */
static bool try_to_open(const struct failure *failure) {
  struct scene scene;
  new_lua(&scene);
  lua_State *L = scene.L;
  lua_checkstack(L, 20);
  lua_pushcfunction(L, open_module);
  lua_pushlightuserdata(L, &scene.core);
  arm(&scene, failure);
  const int status = lua_pcall(L, 1, 1, 0);
  const bool untouched = scene.lua.failed == 0 && scene.core.failed == 0;
  if (!failure->while_closing) disarm(&scene);
  if (status != 0) assert_true(!untouched && is_memory_error(L, status));
  if (status != 0 && !failure->while_closing) {
    lua_settop(L, 0);
    lua_pushcfunction(L, open_module);
    lua_pushlightuserdata(L, &scene.core);
    call(L, 1, 1);
    /* What a half-opened module left behind is complete now: this one's memory comes back. */
    const size_t live_before = live_bytes(L);
    lua_getfield(L, 1, "owner");
    call(L, 0, 1);
    lua_settop(L, 1);
    assert_int_equal(live_bytes(L), live_before);
  }
  close_scene(&scene, "opening");
  return untouched;
}

static void opening_fails_at_every_request(void **state) {
  (void)state;
  for (int i = 0; i < 8; i++) {
    struct failure failure = {i & 1, i & 2, i & 4, 1};
    while (!try_to_open(&failure))
      failure.at++;
    assert_true(failure.at > (failure.of_core ? 1 : 20));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_function_is_called_by_an_operation),
      cmocka_unit_test(opening_fails_at_every_request),
      cmocka_unit_test(a_request_of_lua_fails_once),
      cmocka_unit_test(requests_of_lua_fail_from_then_on),
      cmocka_unit_test(a_request_of_the_core_fails_once),
      cmocka_unit_test(requests_of_the_core_fail_from_then_on),
      cmocka_unit_test(lua_closes_while_its_memory_fails),
      cmocka_unit_test(lua_closes_while_memory_of_the_core_fails),
  };
  return cmocka_run_group_tests_name("binding: memory, " LUA_VERSION, tests, NULL, NULL);
}
