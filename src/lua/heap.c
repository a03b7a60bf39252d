/* The heap of a lua_State, the collector's pace, and userdata that is made empty. */
#include "lua/pure.h"

#include <string.h>

#define HEAP "presence.heap"

/* Below this much the collector is not asked at all. */
#define PACE_BYTES ((uint64_t)64 * 1024)
/* Garbage of this order is never worth a cycle of the collector. */
#define SLACK_BYTES ((double)(2 * 1024 * 1024))

/* Under AddressSanitizer, and for memory checkers that the compiler does not know of, every object
   has its own block, so that they see each one's end. */
#if defined(__SANITIZE_ADDRESS__) || defined(PRESENCE_UNPOOLED)
#define CHECKED_MEMORY true
#else
#define CHECKED_MEMORY false
#endif

/* ---- What finalizers make ---- */

#if LUA_VERSION_NUM >= 504

/* In a finalizer the collector answers nothing; before 5.4.4 it says that it is stopped. */
static bool is_in_finalizer(lua_State *L) {
  const int running = lua_gc(L, LUA_GCISRUNNING, 0);
#if LUA_VERSION_NUM > 504 || LUA_VERSION_RELEASE_NUM >= 50404
  return running < 0;
#else
  return running <= 0;
#endif
}

/* They are the keys of a weak table, the user value of the heap's userdata. */
static void open_made(lua_State *L) {
  lua_newtable(L);
  lua_newtable(L);
  lua_pushliteral(L, "k");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_setiuservalue(L, -2, 1);
}

void presence__lua_made(lua_State *L) {
  if (!is_in_finalizer(L)) return;
  lua_getfield(L, LUA_REGISTRYINDEX, HEAP ".instance");
  const struct presence__lua_heap *box = lua_touserdata(L, -1);
  if (box && box->closed) luaL_error(L, "the Lua state is closing");
  if (box) {
    lua_getiuservalue(L, -1, 1);
    lua_pushvalue(L, -3);
    lua_pushboolean(L, 1);
    lua_rawset(L, -3);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

/* Calls the __gc of each; of those whose own came by now, for the second time. */
static void end_made(lua_State *L) {
  if (lua_getiuservalue(L, 1, 1) != LUA_TTABLE) return;
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    luaL_getmetafield(L, -2, "__gc");
    lua_pushvalue(L, -3);
    lua_call(L, 1, 0);
    lua_pop(L, 1);
  }
}

#else

static void open_made(lua_State *L) {
  (void)L;
}

static void end_made(lua_State *L) {
  (void)L;
}

#endif

/* ---- The heap ---- */

/* Runs after the __gc of all that was made from then on, but for what finalizers make. */
static int heap_gc(lua_State *L) {
  struct presence__lua_heap *box = lua_touserdata(L, 1);
  end_made(L);
  if (box->heap && !box->closed) presence_heap_free(box->heap);
  box->closed = true;
  return 0;
}

void *presence__lua_new(lua_State *L, size_t size, const char *metatable) {
  void *block = lua_newuserdatauv(L, size, 0);
  memset(block, 0, size);
  luaL_getmetatable(L, metatable);
  lua_setmetatable(L, -2);
  presence__lua_made(L);
  return block;
}

void presence__lua_ensure_gc(lua_State *L, const char *metatable, lua_CFunction gc) {
  luaL_newmetatable(L, metatable);
  lua_pushcfunction(L, gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}

void presence__lua_new_heap(lua_State *L, const presence_heap_options *options) {
  presence__lua_ensure_gc(L, HEAP, heap_gc);
  struct presence__lua_heap *box = lua_newuserdatauv(L, sizeof *box, 1);
  memset(box, 0, sizeof *box);
  luaL_getmetatable(L, HEAP);
  lua_setmetatable(L, -2);
  open_made(L);
  box->heap = presence_heap_new(options);
  if (!box->heap) presence__raise_no_memory(L);
  lua_pushvalue(L, -1);
  lua_setfield(L, LUA_REGISTRYINDEX, HEAP ".instance");
}

void presence__lua_push_heap(lua_State *L) {
  /* The registry keeps it: it ends with the lua_State, after what was made later. */
  lua_getfield(L, LUA_REGISTRYINDEX, HEAP ".instance");
  if (!lua_isnil(L, -1)) return;
  lua_pop(L, 1);
  const presence_heap_options options = {.unpooled = CHECKED_MEMORY};
  presence__lua_new_heap(L, &options);
}

presence_heap *presence__lua_heap(lua_State *L) {
  struct presence__lua_heap *box = lua_touserdata(L, lua_upvalueindex(PRESENCE__UP_HEAP));
  if (box->closed) luaL_error(L, "the Lua state is closing");
  return box->heap;
}

/* Sets how much garbage gathers beside what is alive: about as much at most. A step of Lua 5.4
   counts towards its pause; one of LuaJIT ignores the pause and does twice the work it is told, so
   less is asked of it (with 100,000 keys alive: 3 us for an edit at 0.25, 9 us at 2, of which 1.4
   are the edit). */
#if LUA_VERSION_NUM == 501
#define STEP_FACTOR 0.25
#else
#define STEP_FACTOR 2.0
#endif

/* However much is alive (or dead and waiting to be freed), no more garbage than this gathers in a
   small Lua: at the end of each cycle a collector walks all boxes of dead states in one go. */
#define MOST_GARBAGE_BYTES ((size_t)16 << 20)

/* Lua's own pause waits until its memory has doubled. The share below makes it wait until the sum
   of its memory and ours has: what is allocated here counts as if it were Lua's, scaled by Lua's
   part of the whole. */
void presence__lua_pace(lua_State *L) {
  struct presence__lua_heap *box = lua_touserdata(L, lua_upvalueindex(PRESENCE__UP_HEAP));
  if (box->closed) return;
  presence_heap_usage usage;
  presence_heap_stats(box->heap, &usage);
  box->debt_bytes += usage.allocated_bytes - box->seen_bytes;
  box->seen_bytes = usage.allocated_bytes;
  if (box->debt_bytes < PACE_BYTES || !lua_gc(L, LUA_GCISRUNNING, 0)) return;
  const double lua_kib = (double)lua_gc(L, LUA_GCCOUNT, 0) + 1;
  const double live_bytes =
      (double)(usage.live_bytes < MOST_GARBAGE_BYTES ? usage.live_bytes : MOST_GARBAGE_BYTES) +
      SLACK_BYTES;
  const double share = lua_kib * 1024 / (lua_kib * 1024 + live_bytes);
  const double step_kib = STEP_FACTOR * (double)box->debt_bytes / 1024 * share;
  if (step_kib < 1) return;
  box->debt_bytes = 0;
  lua_gc(L, LUA_GCSTEP, step_kib < 1 << 20 ? (int)step_kib : 1 << 20);
}

static void *new_with_upvalue(lua_State *L, size_t size, int upvalue) {
  void *block = lua_newuserdatauv(L, size, 0);
  memset(block, 0, size);
  lua_pushvalue(L, lua_upvalueindex(upvalue));
  lua_setmetatable(L, -2);
  presence__lua_made(L);
  return block;
}

struct presence__lua_state *presence__lua_new_state(lua_State *L) {
  return new_with_upvalue(L, sizeof(struct presence__lua_state), PRESENCE__UP_STATE);
}

struct presence__lua_entry *presence__lua_new_entry(lua_State *L) {
  return new_with_upvalue(L, sizeof(struct presence__lua_entry), PRESENCE__UP_ENTRY);
}

struct presence__lua_meta *presence__lua_new_meta(lua_State *L) {
  return new_with_upvalue(L, sizeof(struct presence__lua_meta), PRESENCE__UP_META);
}

void presence__lua_push_entry(lua_State *L, const presence_entry *entry) {
  struct presence__lua_entry *box = presence__lua_new_entry(L);
  box->entry = presence_entry_retain(entry);
}

void presence__lua_push_meta(lua_State *L, const presence_meta *meta) {
  struct presence__lua_meta *box = presence__lua_new_meta(L);
  box->meta = presence_meta_retain(meta);
}

void presence__lua_name_metatable(lua_State *L, const char *name) {
  lua_pushstring(L, name);
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, "__name");
  lua_setfield(L, -2, "__metatable");
}

/* What the collector of Lua does not count: core.heap_usage(). */
static int heap_usage(lua_State *L) {
  presence_heap_usage usage;
  presence_heap_stats(presence__lua_heap(L), &usage);
  lua_createtable(L, 0, 4);
  presence__lua_push_size(L, usage.live_bytes);
  lua_setfield(L, -2, "live_bytes");
  presence__lua_push_size(L, usage.held_bytes);
  lua_setfield(L, -2, "held_bytes");
  presence__lua_push_size(L, (size_t)usage.freed_objects);
  lua_setfield(L, -2, "freed_objects");
  lua_pushboolean(L, usage.work_waits);
  lua_setfield(L, -2, "work_waits");
  return 1;
}

const luaL_Reg presence__heap_functions[] = {{"heap_usage", heap_usage}, {NULL, NULL}};
