/* presence_lua.h as a C program uses it, on Lua 5.4 and LuaJIT: states that go to Lua and back, and
   every way in which that is refused: another type on the stack, a state of another heap, no
   module, a heap that has ended, no memory at the n-th request. A refusal is a Lua error that
   leaves every reference where it was. */
#include "cmocka_all.h"
#include "lua_kit.h"

struct scene {
  struct lua_memory lua;
  struct memory core;
  lua_State *L;
};

static void new_lua(struct scene *scene) {
  memset(scene, 0, sizeof *scene);
  scene->L = lua_newstate(lua_memory_allocate, &scene->lua);
  assert_non_null(scene->L);
}

static void call(lua_State *L, int arguments, int results) {
  if (lua_pcall(L, arguments, results, 0) != 0) fail_msg("%s", lua_tostring(L, -1));
}

/* Leaves the module at index 1. */
static void open_scene(struct scene *scene) {
  new_lua(scene);
  luaL_openlibs(scene->L);
  lua_pushcfunction(scene->L, open_module);
  lua_pushlightuserdata(scene->L, &scene->core);
  call(scene->L, 1, 1);
}

static void close_scene(struct scene *scene) {
  lua_close(scene->L);
  assert_int_equal(scene->core.blocks_alive, 0);
  assert_int_equal(scene->lua.blocks_alive, 0);
}

/* ---- The functions of presence_lua.h, to be called protected ---- */

/* The state is a light userdata. */
static int push_state(lua_State *L) {
  presence_lua_push_state(L, lua_touserdata(L, 1));
  return 1;
}

static int get_heap(lua_State *L) {
  lua_pushlightuserdata(L, presence_lua_heap(L));
  return 1;
}

/* The error of such a call (NULL: none), and what it returned left on the stack. */
static const char *refusal(lua_State *L, lua_CFunction function, const presence_state *state) {
  lua_pushcfunction(L, function);
  lua_pushlightuserdata(L, (void *)(uintptr_t)state);
  return lua_pcall(L, 1, 1, 0) == 0 ? NULL : lua_tostring(L, -1);
}

static presence_state *sample(presence_heap *heap) {
  return tracked(presence_state_new(heap), "t", "k", 1, "1");
}

/* ---- There and back ---- */

static void a_state_goes_to_lua_and_back_as_itself(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene);
  lua_State *L = scene.L;
  presence_state *mine = sample(presence_lua_heap(L));
  assert_null(refusal(L, push_state, mine));
  assert_ptr_equal(presence_lua_to_state(L, -1), mine);
  assert_ptr_equal(presence_lua_to_state(L, lua_gettop(L)), mine);
  lua_setglobal(L, "s");
  if (luaL_loadstring(L, "assert(s:count 't' == 1) s = s:track('t', 'other', 2, '2') return s"))
    fail_msg("%s", lua_tostring(L, -1));
  call(L, 0, 1);
  presence_state *theirs = presence_state_retain(presence_lua_to_state(L, -1));
  lua_close(L);
  /* What C holds is good after the lua_State is gone. */
  assert_int_equal(presence_count(mine, str("t")), 1);
  assert_int_equal(presence_count(theirs, str("t")), 2);
  presence_state *more = tracked(presence_state_retain(theirs), "t", "third", 3, "3");
  presence_state_release(mine);
  presence_state_release(theirs);
  assert_null(presence__check(more, NULL));
  assert_true(scene.core.blocks_alive > 0);
  presence_state_release(more);
  assert_int_equal(scene.core.blocks_alive, 0);
  assert_int_equal(scene.lua.blocks_alive, 0);
}

/* Each push is one reference more, which goes with the Lua value. */
static void a_pushed_state_is_held_once(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene);
  lua_State *L = scene.L;
  presence_heap *heap = presence_lua_heap(L);
  presence_heap_usage before, after;
  presence_heap_stats(heap, &before);
  presence_state *mine = sample(heap);
  for (int i = 0; i < 3; i++)
    assert_null(refusal(L, push_state, mine));
  presence_state_release(mine);
  assert_int_equal(presence_count(presence_lua_to_state(L, -2), str("t")), 1);
  lua_settop(L, 1);
  lua_gc(L, LUA_GCCOLLECT, 0);
  while (presence_heap_work(heap, 1000))
    continue;
  presence_heap_stats(heap, &after);
  assert_int_equal(after.live_bytes, before.live_bytes);
  close_scene(&scene);
}

/* ---- What is refused ---- */

static void what_is_no_state_is_told(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene);
  lua_State *L = scene.L;
  static const char *const values[] = {
      "nil",
      "true",
      "1",
      "'PresenceState'",
      "{}",
      "print",
      "coroutine.create(print)",
      "io.stdout",
      "core.owner()",
      "core.make_meta(1, '1')",
      "core.make_entry {}",
      "core.outbox 'message'",
      "core.new_state():topics()",
  };
  lua_pushvalue(L, 1);
  lua_setglobal(L, "core");
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
    char chunk[64];
    snprintf(chunk, sizeof chunk, "return %s", values[i]);
    if (luaL_loadstring(L, chunk) != 0) fail_msg("%s", lua_tostring(L, -1));
    call(L, 0, 1);
    if (presence_lua_to_state(L, -1)) fail_msg("%s was taken for a state", values[i]);
    lua_pop(L, 1);
  }
  lua_pushlightuserdata(L, &scene);
  assert_null(presence_lua_to_state(L, -1));
  assert_null(presence_lua_to_state(L, lua_gettop(L) + 5));
  assert_null(presence_lua_to_state(L, LUA_REGISTRYINDEX));
  close_scene(&scene);
}

static void a_state_of_another_heap_is_refused(void **state) {
  (void)state;
  struct scene scene;
  struct memory memory;
  open_scene(&scene);
  lua_State *L = scene.L;
  presence_heap *elsewhere = memory_heap(&memory, false);
  presence_state *foreign = sample(elsewhere);
  const char *message = refusal(L, push_state, foreign);
  assert_non_null(message);
  assert_non_null(strstr(message, "another heap"));
  close_scene(&scene);
  presence_state_release(foreign);
  presence_heap_free(elsewhere);
  assert_int_equal(memory.blocks_alive, 0);
}

static void a_state_is_refused_before_the_module_is_loaded(void **state) {
  (void)state;
  struct scene scene;
  new_lua(&scene);
  lua_State *L = scene.L;
  lua_pushcfunction(L, get_heap);
  call(L, 0, 1);
  presence_heap *heap = lua_touserdata(L, -1);
  presence_state *early = sample(heap);
  const char *message = refusal(L, push_state, early);
  assert_non_null(message);
  assert_non_null(strstr(message, "presence.core has not been loaded"));
  /* The module goes on with the same heap. */
  lua_settop(L, 0);
  lua_pushcfunction(L, luaopen_presence_core);
  call(L, 0, 1);
  assert_ptr_equal(presence_lua_heap(L), heap);
  assert_null(refusal(L, push_state, early));
  assert_ptr_equal(presence_lua_to_state(L, -1), early);
  presence_state_release(early);
  close_scene(&scene);
}

/* Fills the stack until Lua gives no more of it. */
static void crowd(lua_State *L) {
  while (lua_checkstack(L, 1))
    lua_pushnil(L);
}

static int get_heap_crowded(lua_State *L) {
  crowd(L);
  return get_heap(L);
}

static int push_state_crowded(lua_State *L) {
  crowd(L);
  return push_state(L);
}

static void a_full_stack_is_told(void **state) {
  (void)state;
  struct scene scene;
  open_scene(&scene);
  lua_State *L = scene.L;
  presence_state *mine = sample(presence_lua_heap(L));
  const lua_CFunction crowded[] = {get_heap_crowded, push_state_crowded};
  for (int i = 0; i < 2; i++) {
    const char *message = refusal(L, crowded[i], mine);
    assert_non_null(message);
    assert_non_null(strstr(message, "stack overflow"));
  }
  presence_state_release(mine);
  close_scene(&scene);
}

/* ---- The end of the heap ---- */

struct farewell {
  struct scene scene;
  presence_state *held;
  char heap[64], push[64];
  bool state_is_gone;
};

static void keep_refusal(char *to, lua_State *L, lua_CFunction function,
                         const presence_state *state) {
  const char *message = refusal(L, function, state);
  snprintf(to, 64, "%s", message ? message : "not refused");
  lua_pop(L, 1);
}

/* The finalizer of a userdata that is older than the heap, so that it runs after the heap's own. */
static int say_farewell(lua_State *L) {
  struct farewell *farewell = *(struct farewell **)lua_touserdata(L, 1);
  keep_refusal(farewell->heap, L, get_heap, NULL);
  keep_refusal(farewell->push, L, push_state, farewell->held);
  lua_getfield(L, LUA_REGISTRYINDEX, "a state");
  farewell->state_is_gone = presence_lua_to_state(L, -1) == NULL;
  return 0;
}

static void after_the_end_of_the_heap_all_is_refused(void **state) {
  (void)state;
  struct farewell farewell = {0};
  struct scene *scene = &farewell.scene;
  new_lua(scene);
  lua_State *L = scene->L;
  *(struct farewell **)lua_newuserdata(L, sizeof(struct farewell *)) = &farewell;
  lua_newtable(L);
  lua_pushcfunction(L, say_farewell);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  lua_setfield(L, LUA_REGISTRYINDEX, "older");
  lua_pushcfunction(L, open_module);
  lua_pushlightuserdata(L, &scene->core);
  call(L, 1, 1);
  farewell.held = sample(presence_lua_heap(L));
  assert_null(refusal(L, push_state, farewell.held));
  lua_setfield(L, LUA_REGISTRYINDEX, "a state");
  lua_close(L);
  assert_string_equal(farewell.heap, "the Lua state is closing");
  assert_string_equal(farewell.push, "the Lua state is closing");
  assert_true(farewell.state_is_gone);
  assert_int_equal(presence_count(farewell.held, str("t")), 1);
  presence_state_release(farewell.held);
  assert_int_equal(scene->core.blocks_alive, 0);
  assert_int_equal(scene->lua.blocks_alive, 0);
}

/* ---- No memory ---- */

/* Pushes a state while the n-th request to Lua fails; true when none did. Nothing of it asks the
   heap for memory. */
static bool try_to_push(long n, bool and_after) {
  struct scene scene;
  open_scene(&scene);
  lua_State *L = scene.L;
  presence_heap *heap = presence_lua_heap(L);
  presence_state *mine = sample(heap);
  lua_gc(L, LUA_GCCOLLECT, 0);
  lua_pushcfunction(L, push_state);
  lua_pushlightuserdata(L, mine);
  const long core_requests = scene.core.requests;
  scene.lua.requests = 0;
  scene.lua.fail_at = n;
  scene.lua.and_after = and_after;
  const int status = lua_pcall(L, 1, 1, 0);
  scene.lua.fail_at = 0;
  const bool untouched = scene.lua.failed == 0;
  if (status != 0) {
    assert_true(!untouched && is_memory_error(L, status));
    /* The state is as it was, and can be pushed with memory. */
    assert_int_equal(presence_count(mine, str("t")), 1);
    assert_null(refusal(L, push_state, mine));
  }
  assert_ptr_equal(presence_lua_to_state(L, -1), mine);
  assert_int_equal(scene.core.requests, core_requests);
  presence_state_release(mine);
  close_scene(&scene);
  return untouched;
}

static void pushing_fails_at_every_request(void **state) {
  (void)state;
  for (int and_after = 0; and_after < 2; and_after++) {
    long n = 1;
    while (!try_to_push(n, and_after))
      n++;
    assert_true(n > 1);
  }
}

/* The first call makes the heap. */
static bool try_to_get_heap(long n, bool and_after) {
  struct scene scene;
  new_lua(&scene);
  lua_State *L = scene.L;
  lua_pushcfunction(L, get_heap);
  scene.lua.requests = 0;
  scene.lua.fail_at = n;
  scene.lua.and_after = and_after;
  int status = lua_pcall(L, 0, 1, 0);
  scene.lua.fail_at = 0;
  const bool untouched = scene.lua.failed == 0;
  if (status != 0) {
    assert_true(!untouched && is_memory_error(L, status));
    lua_pop(L, 1);
    lua_pushcfunction(L, get_heap);
    call(L, 0, 1);
  }
  presence_heap *heap = lua_touserdata(L, -1);
  assert_ptr_equal(presence_lua_heap(L), heap);
  presence_state_release(sample(heap));
  close_scene(&scene);
  return untouched;
}

static void getting_the_heap_fails_at_every_request(void **state) {
  (void)state;
  for (int and_after = 0; and_after < 2; and_after++) {
    long n = 1;
    while (!try_to_get_heap(n, and_after))
      n++;
    assert_true(n > 3);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_state_goes_to_lua_and_back_as_itself),
      cmocka_unit_test(a_pushed_state_is_held_once),
      cmocka_unit_test(what_is_no_state_is_told),
      cmocka_unit_test(a_state_of_another_heap_is_refused),
      cmocka_unit_test(a_state_is_refused_before_the_module_is_loaded),
      cmocka_unit_test(a_full_stack_is_told),
      cmocka_unit_test(after_the_end_of_the_heap_all_is_refused),
      cmocka_unit_test(pushing_fails_at_every_request),
      cmocka_unit_test(getting_the_heap_fails_at_every_request),
  };
  return cmocka_run_group_tests_name("binding: presence_lua.h, " LUA_VERSION, tests, NULL, NULL);
}
