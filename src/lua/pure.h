/* What the files of the pure layer's binding share.

   Every function of it is a C closure with the upvalues below, so that a check of a type costs no
   look-up in the registry. Userdata is created empty, gets its metatable, and is filled last: no
   reference is ever held where an error of Lua could lose it. A __gc leaves its userdata empty,
   and what is empty is refused: finalizers run in any order. */
#ifndef PRESENCE_LUA_PURE_H
#define PRESENCE_LUA_PURE_H

#include "core/presence.h"
#include "lua/compat.h"
#include "text/buf.h"

enum {
  PRESENCE__UP_HEAP = 1, /* struct presence__lua_heap */
  PRESENCE__UP_STATE,    /* metatables */
  PRESENCE__UP_ENTRY,
  PRESENCE__UP_META,
  PRESENCE__UP_COUNT = PRESENCE__UP_META,
  PRESENCE__UP_OWN /* methods of builders and owners: their metatable; iterators: their userdata */
};

/* Names of the metatables in the registry. */
#define PRESENCE__STATE "PresenceState"
#define PRESENCE__ENTRY "PresenceEntry"
#define PRESENCE__META "PresenceMeta"
#define PRESENCE__BUILDER "PresenceBuilder"
#define PRESENCE__OWNER "PresenceOwner"

struct presence__lua_state {
  presence_state *state;
};
struct presence__lua_entry {
  presence_entry *entry;
};
struct presence__lua_meta {
  presence_meta *meta;
};
/* A builder and an owner: both are an editor. */
struct presence__lua_editor {
  presence_editor *editor;
  bool changed;
};

/* The one heap of a lua_State. It lives on for what outlives it when the lua_State closes; what
   finalizers would make even later is refused (closed). */
struct presence__lua_heap {
  presence_heap *heap;
  uint64_t seen_bytes; /* allocated when the collector was last paced */
  uint64_t debt_bytes; /* allocated and not yet paid for by the collector */
  bool closed;
};

/* ---- heap.c ---- */

/* Pushes the heap of this lua_State, made at the first call. Raises when out of memory. */
void presence__lua_push_heap(lua_State *L);
/* Makes and pushes the heap of a lua_State that has none yet, in another way than by default. */
void presence__lua_new_heap(lua_State *L, const presence_heap_options *options);
/* The heap to make things in; raises while the lua_State closes. */
presence_heap *presence__lua_heap(lua_State *L);
/* Lets the collector work in proportion to what was allocated in C since the last call. Finalizers
   may run: to be called last, with nothing borrowed from an editor in hand. */
void presence__lua_pace(lua_State *L);
/* Makes a metatable of the registry that has nothing but a __gc. What is there already gets its
   __gc again: memory may have failed right before it got one. */
void presence__lua_ensure_gc(lua_State *L, const char *metatable, lua_CFunction gc);
/* A userdata of that size with a metatable of the registry. */
void *presence__lua_new(lua_State *L, size_t size, const char *metatable);
/* Pushes an empty userdata, to be filled by the caller. */
struct presence__lua_state *presence__lua_new_state(lua_State *L);
struct presence__lua_entry *presence__lua_new_entry(lua_State *L);
struct presence__lua_meta *presence__lua_new_meta(lua_State *L);
/* Pushes a userdata with one more reference to what is given. */
void presence__lua_push_entry(lua_State *L, const presence_entry *entry);
void presence__lua_push_meta(lua_State *L, const presence_meta *meta);
/* Fills the metatable on top of the stack: its name, and what getmetatable shows instead of it. */
void presence__lua_name_metatable(lua_State *L, const char *name);

/* ---- check.c ---- */

/* Arguments of the right type, or an error that says what was expected. */
presence_state *presence__lua_check_state(lua_State *L, int arg);
presence_entry *presence__lua_check_entry(lua_State *L, int arg);
presence_meta *presence__lua_check_meta(lua_State *L, int arg);
presence_string presence__lua_check_string(lua_State *L, int arg);
presence_pid presence__lua_check_pid(lua_State *L, int arg);
/* A builder or an owner, by the metatable in PRESENCE__UP_OWN; raises once it has ended. */
struct presence__lua_editor *presence__lua_check_editor(lua_State *L, const char *name);
/* The same without an error: NULL for anything else. */
presence_state *presence__lua_test_state(lua_State *L, int index);
presence_entry *presence__lua_test_entry(lua_State *L, int index);
presence_meta *presence__lua_test_meta(lua_State *L, int index);
int presence__lua_type_error(lua_State *L, int arg, const char *expected);

void presence__lua_push_pid(lua_State *L, presence_pid pid);
/* A count as a Lua number. */
void presence__lua_push_size(lua_State *L, size_t size);

/* The arguments of an edit. */
struct presence__lua_edit {
  presence_string topic;
  presence_string key;
  presence_pid pid;
  presence_string meta;
};
/* Arguments 2 to 4, and for the second 5. */
struct presence__lua_edit presence__lua_check_place(lua_State *L);
struct presence__lua_edit presence__lua_check_edit(lua_State *L);

/* nil, the status's word, detail; out of memory and misuse (a pid, a ref) raise. */
int presence__lua_fail(lua_State *L, enum presence_status status, const char *detail);
/* The same, the detail found by looking at the strings of the edit (unused ones are empty). */
int presence__lua_fail_edit(lua_State *L, enum presence_status status,
                            const struct presence__lua_edit *edit);
int presence__lua_status_words(lua_State *L);

/* ---- sink.c: bytes that the core writes, as a Lua string ---- */

/* Writes something; called twice when it turns out to be large. */
typedef enum presence_status (*presence__lua_writer)(const void *what, presence_sink sink);
/* Pushes what the writer writes. On another status than PRESENCE_OK nothing is pushed; out of
   memory raises. */
enum presence_status presence__lua_push_written(lua_State *L, presence__lua_writer writer,
                                                const void *what);
/* Pushes a userdata that owns a byte buffer; empty it early by presence__buf_free. */
struct presence__buf *presence__lua_new_buf(lua_State *L);

/* ---- diff.c ---- */

/* Applies the diff that is argument 2 to the editor: leaves, then joins. Raises for what is no
   diff. *changed becomes true when something changed; on failure some may have. */
enum presence_status presence__lua_patch(lua_State *L, presence_editor *editor, bool *changed);
/* What presence__lua_fail says of it. */
#define PRESENCE__PATCH_FAULT "a topic or key of the diff is not UTF-8 or over its limit"

/* ---- Functions of the module, and methods, one table a file ---- */

extern const luaL_Reg presence__heap_functions[];
extern const luaL_Reg presence__state_functions[];
extern const luaL_Reg presence__state_methods[];
extern const luaL_Reg presence__state_metamethods[];
extern const luaL_Reg presence__read_functions[];
extern const luaL_Reg presence__read_methods[];
extern const luaL_Reg presence__walk_methods[];
extern const luaL_Reg presence__entry_functions[];
extern const luaL_Reg presence__entry_metamethods[];
extern const luaL_Reg presence__meta_functions[];
extern const luaL_Reg presence__meta_metamethods[];
extern const luaL_Reg presence__builder_methods[];
extern const luaL_Reg presence__builder_metamethods[];
extern const luaL_Reg presence__diff_functions[];
extern const luaL_Reg presence__json_functions[];
extern const luaL_Reg presence__owner_functions[];
extern const luaL_Reg presence__owner_methods[];
extern const luaL_Reg presence__owner_metamethods[];

/* s:edit(fn) */
int presence__builder_edit(lua_State *L);
/* Edits of builder and owner end alike: __gc, which drops the edits. */
int presence__builder_gc(lua_State *L);
/* list_json, the method too. */
int presence__json_list(lua_State *L);

#endif
