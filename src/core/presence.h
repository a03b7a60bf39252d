/* presence.h: who is present, on which topics, with which connections.

   A state is an immutable map: topic -> key -> entry, an entry being a list of metas, oldest first.
   A meta is a pid and one JSON value, kept byte for byte. An edit gives a new state that shares all
   that did not change with the one before, which stays whole for as long as somebody holds it.

     presence_heap *heap = presence_heap_new(NULL);
     presence_state *empty = presence_state_new(heap), *one;
     presence_track(empty, presence_string_of("room:1"), presence_string_of("ann"),
                    presence_pid_integer(7), presence_string_of("{\"device\":\"phone\"}"), &one);
     presence_count(one, presence_string_of("room:1"));    // 1; of empty it is still 0
     presence_state_release(one);
     presence_state_release(empty);
     presence_heap_free(heap);

   The structure is a hash trie with compressed nodes after "Optimizing Hash-Array Mapped Tries for
   Fast and Lean Immutable JVM Collections" (Steindorfer and Vinju, OOPSLA 2015), 16-way, reference
   counted, its keys hashed by SipHash-1-3 (Aumasson and Bernstein) under a secret key.

   Ownership, in three words. *new*: the caller holds a reference and must release it. *borrowed*:
   valid while the state (or entry) it came from is held, and for an editor until its next edit; may
   be retained. *taken*: the callee holds it from now on. What is not marked is only read.

   Errors. Edits return an enum presence_status and touch *out only on PRESENCE_OK and
   PRESENCE_UNCHANGED; a call that fails has changed nothing. NULL from a function that makes
   something means out of memory and nothing else.

   Threads. A heap, and all that lives in it, belongs to one thread at a time; heaps of their own
   may be used by several threads at once. Built with PRESENCE_ATOMIC (`cmake -DPRESENCE_ATOMIC=ON`;
   `pkg-config --variable=atomic presence` tells) the versions of one heap may be shared: any number
   of threads may at once retain, read, walk, compare, encode, edit by value and release states,
   entries and metas that they hold, also while another edits by an editor. An editor still belongs
   to one thread at a time; the others get its snapshots. What one thread makes reaches another by
   something that orders memory: a lock, a queue, the start of a thread. The allocator is called by
   one thread at a time. A heap is freed once, while nobody else makes something new in it; what
   others hold they may go on using and release, and the last of them takes the heap along.

   n stands for the keys of a topic and t for the topics of a state in notes on cost; "O(log n)" has
   base 16. A look-up or edit costs O(log t + log n) unless something else is said, and an edit of a
   key with m metas O(log m) more. */
#ifndef PRESENCE_H
#define PRESENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Set while libpresence itself is built as a shared library. */
#ifdef PRESENCE_EXPORTS
#define PRESENCE_API __attribute__((visibility("default")))
#else
#define PRESENCE_API
#endif

/* ---- Words, strings, pids ---- */

enum presence_status {
  PRESENCE_OK = 0,
  PRESENCE_UNCHANGED,       /* nothing to do: the result is what was there before */
  PRESENCE_OUT_OF_MEMORY,   /* the allocator gave nothing, and freeing what waited did not help */
  PRESENCE_NOT_UTF8,        /* a topic, key or meta is not UTF-8 */
  PRESENCE_BAD_JSON,        /* a meta is not one JSON value, or nested deeper than 64 */
  PRESENCE_NOT_OBJECT,      /* a meta that takes a phx_ref is not a JSON object */
  PRESENCE_BAD_PID,         /* an integer pid beyond +-2^53 */
  PRESENCE_BAD_REF,         /* a ref is empty, or holds more than printable ASCII without " and \ */
  PRESENCE_NO_PRESENCE,     /* update: pid is not tracked under this topic and key */
  PRESENCE_ALREADY_TRACKED, /* pid is tracked under this topic and key */
  PRESENCE_TOO_LARGE,       /* a string over its PRESENCE_MAX_..., or a count over 2^32 - 1 */
  PRESENCE_DAMAGED,         /* bytes to decode are not what encode wrote */
  PRESENCE_WRITE_FAILED     /* a sink refused bytes */
};

#define PRESENCE_MAX_NAME_BYTES ((size_t)0x0FFFFFFF) /* of a topic, a key, a string pid */
#define PRESENCE_MAX_META_BYTES ((size_t)0x7FFFFFFF)
#define PRESENCE_MAX_REF_BYTES ((size_t)1024)
#define PRESENCE_MAX_PID ((int64_t)1 << 53)

/* The short word of a status, as the Lua API returns it: "not_utf8", "bad_json", "nopresence" ...
   Static; "unknown" for a number that is no status. */
PRESENCE_API const char *presence_status_word(enum presence_status status);

/* The version of the library, "major.minor.patch". Static. */
PRESENCE_API const char *presence_version(void);

/* Bytes and their number; not terminated. bytes may be NULL when size is 0. Results of type
   presence_string are *borrowed*. */
typedef struct presence_string {
  const char *bytes;
  size_t size;
} presence_string;

/* The string of a terminated text, without its NUL. O(length). */
PRESENCE_API presence_string presence_string_of(const char *text);

/* Tells the connections of one key apart. Either an integer within +-2^53 (bytes is NULL) or a
   string of any bytes (bytes is not NULL, even when size is 0). The integer 1 and the string "1"
   are different. */
typedef struct presence_pid {
  int64_t integer;
  const char *bytes;
  size_t size;
} presence_pid;

/* A pid that is an integer. Its range is checked where it is used. */
PRESENCE_API presence_pid presence_pid_integer(int64_t integer);

/* A pid that is a string; bytes are *borrowed* from the caller, NULL stands for the empty string.
 */
PRESENCE_API presence_pid presence_pid_string(const char *bytes, size_t size);

/* ---- Heaps ---- */

/* All memory of a set of states: small objects lie in chunks of 16 KB by size class, a chunk that
   becomes empty is given back. What is released is freed by and by: each later call on the heap
   frees a bounded number of objects, so that dropping a state of a million presences stalls nobody.
   States, entries, metas and editors can only be combined within one heap. */
typedef struct presence_heap presence_heap;

/* Where a heap's memory comes from. allocate returns size bytes at a multiple of alignment (a power
   of two, 8 up to 16384) or NULL; release gets back what allocate returned, with its size. Neither
   may call into the heap. */
typedef struct presence_allocator {
  void *(*allocate)(void *context, size_t size, size_t alignment);
  void (*release)(void *context, void *block, size_t size);
  void *context;
} presence_allocator;

typedef struct presence_heap_options {
  presence_allocator allocator; /* allocate NULL: aligned_alloc and free */
  bool unpooled; /* ask the allocator for every object: for memory checkers and fault injection */
} presence_heap_options;

/* A *new* heap; options NULL: defaults. Fixes the process's hash key if that has not been done.
   NULL: out of memory. */
PRESENCE_API presence_heap *presence_heap_new(const presence_heap_options *options);

/* Frees what waits to be freed, all at once, and gives back the heap. While states, entries, metas
   or editors of it are held it lives on for them, without putting off any more freeing, and goes
   with the last one. *Taken*. NULL is allowed. O(what waits). */
PRESENCE_API void presence_heap_free(presence_heap *heap);

/* Frees up to about budget objects that wait; true when more wait. An event loop may call it when
   idle. */
PRESENCE_API bool presence_heap_work(presence_heap *heap, size_t budget);

typedef struct presence_heap_usage {
  size_t live_bytes;        /* in objects, those that wait to be freed included */
  size_t held_bytes;        /* held from the allocator */
  uint64_t allocated_bytes; /* handed out since the heap was made: paces a collector */
  uint64_t freed_objects;   /* freed since the heap was made */
  bool work_waits;          /* presence_heap_work has something to do */
} presence_heap_usage;

/* Fills *usage. O(1). */
PRESENCE_API void presence_heap_stats(const presence_heap *heap, presence_heap_usage *usage);

/* Sets the process's secret hash key, for a run that is to be repeated exactly: the order of
   topics and keys follows from it. Otherwise the first heap draws one from the system. False, and
   nothing changed, once the key is fixed. Not to be called by two threads at once. */
PRESENCE_API bool presence_hash_seed(const unsigned char seed[16]);

/* ---- Metas ---- */

/* A pid and one JSON value (and in an editor's runtime edits, a phx_ref beside it). Immutable,
   shared by all states that hold it. */
typedef struct presence_meta presence_meta;

/* A meta of no topic and key, *new* in *out. PRESENCE_BAD_PID, PRESENCE_NOT_UTF8,
   PRESENCE_BAD_JSON, PRESENCE_TOO_LARGE, PRESENCE_OUT_OF_MEMORY. O(size). */
PRESENCE_API enum presence_status presence_meta_new(presence_heap *heap, presence_pid pid,
                                                    presence_string data, presence_meta **out);

/* One more reference; returns meta. */
PRESENCE_API presence_meta *presence_meta_retain(const presence_meta *meta);

/* Gives up a reference. heap is the one it came from. NULL is allowed. */
PRESENCE_API void presence_meta_release(presence_heap *heap, const presence_meta *meta);

/* Its pid, as it was given; a string is *borrowed*. */
PRESENCE_API presence_pid presence_meta_pid(const presence_meta *meta);

/* Its JSON, byte for byte as it was given, without phx_ref. *Borrowed*. */
PRESENCE_API presence_string presence_meta_data(const presence_meta *meta);

/* Its phx_ref; empty (size 0) when it has none. *Borrowed*. */
PRESENCE_API presence_string presence_meta_ref(const presence_meta *meta);

/* Same pid, same bytes, same refs. The key and topic they stand under do not count. */
PRESENCE_API bool presence_meta_equal(const presence_meta *a, const presence_meta *b);

/* ---- Entries ---- */

/* The metas of one key, oldest first. Immutable. Never dereference the pointer: its low bits tell
   what it is. */
typedef struct presence_entry presence_entry;

/* An entry of metas[0..count) in that order, *new* in *out; count may be 0. The metas are retained.
   PRESENCE_OUT_OF_MEMORY, PRESENCE_TOO_LARGE. O(count). */
PRESENCE_API enum presence_status presence_entry_new(presence_heap *heap,
                                                     const presence_meta *const *metas,
                                                     size_t count, presence_entry **out);

/* One more reference; returns entry. */
PRESENCE_API presence_entry *presence_entry_retain(const presence_entry *entry);

/* Gives up a reference. heap is the one it came from. NULL is allowed. */
PRESENCE_API void presence_entry_release(presence_heap *heap, const presence_entry *entry);

/* Number of its metas; 0 for NULL. O(1). */
PRESENCE_API size_t presence_entry_count(const presence_entry *entry);

/* The meta at index (0: the oldest), *borrowed*; NULL past the end. O(log m). */
PRESENCE_API const presence_meta *presence_entry_at(const presence_entry *entry, size_t index);

/* The newest meta of pid, *borrowed*, or NULL. O(log m). */
PRESENCE_API const presence_meta *presence_entry_find(const presence_entry *entry,
                                                      presence_pid pid);

/* Equal as multisets of metas: order does not count. heap is a's; memory from it only makes large
   cases fast, so the answer cannot fail. O(1) where they share, else O(m log m). */
PRESENCE_API bool presence_entry_equal(presence_heap *heap, const presence_entry *a,
                                       const presence_entry *b);

/* The metas of a that b lacks (as multisets, in a's order), *new* in *out; NULL there when b lacks
   none. Either may be NULL for no metas. PRESENCE_OK, PRESENCE_OUT_OF_MEMORY. The cost follows what
   a and b do not share. */
PRESENCE_API enum presence_status presence_entry_difference(presence_heap *heap,
                                                            const presence_entry *a,
                                                            const presence_entry *b,
                                                            presence_entry **out);

/* A walk over the metas of an entry, oldest first. The entry must be held meanwhile. Iterators own
   nothing and may be dropped at any point. */
typedef struct presence_meta_iter {
  uintptr_t opaque[2];
} presence_meta_iter;

/* Sets iter before the first meta; entry NULL has none. */
PRESENCE_API void presence_meta_iter_init(presence_meta_iter *iter, const presence_entry *entry);

/* The next meta, *borrowed*; NULL at the end. O(1), for a key of many metas O(log m). */
PRESENCE_API const presence_meta *presence_meta_iter_next(presence_meta_iter *iter);

/* ---- States ---- */

typedef struct presence_state presence_state;

/* An empty state, *new*. NULL: out of memory. */
PRESENCE_API presence_state *presence_state_new(presence_heap *heap);

/* One more reference; returns state. */
PRESENCE_API presence_state *presence_state_retain(const presence_state *state);

/* Gives up a reference. What only this state held is freed by and by. NULL is allowed. O(1). */
PRESENCE_API void presence_state_release(const presence_state *state);

/* The heap the state lives in, *borrowed*. */
PRESENCE_API presence_heap *presence_state_heap(const presence_state *state);

/* A state with one more meta, the newest, under (topic, key): *new* in *out. Several pids, or one
   pid several times, give several metas. PRESENCE_NOT_UTF8, PRESENCE_BAD_PID, PRESENCE_BAD_JSON,
   PRESENCE_TOO_LARGE, PRESENCE_OUT_OF_MEMORY. */
PRESENCE_API enum presence_status presence_track(const presence_state *state, presence_string topic,
                                                 presence_string key, presence_pid pid,
                                                 presence_string meta, presence_state **out);

/* A state without every meta of pid under (topic, key): *new* in *out. An entry that becomes empty
   leaves its topic, an empty topic leaves the state. Nothing there: PRESENCE_UNCHANGED, and *out is
   state itself with one more reference. Names that are not UTF-8 are simply not there.
   PRESENCE_OUT_OF_MEMORY. */
PRESENCE_API enum presence_status presence_untrack(const presence_state *state,
                                                   presence_string topic, presence_string key,
                                                   presence_pid pid, presence_state **out);

/* A state where pid's newest meta is replaced, its place in the order kept: *new* in *out. The same
   bytes: PRESENCE_UNCHANGED, as above. PRESENCE_NO_PRESENCE, PRESENCE_BAD_JSON, PRESENCE_NOT_UTF8,
   PRESENCE_TOO_LARGE, PRESENCE_OUT_OF_MEMORY. */
PRESENCE_API enum presence_status presence_update(const presence_state *state,
                                                  presence_string topic, presence_string key,
                                                  presence_pid pid, presence_string meta,
                                                  presence_state **out);

/* A state that holds that topic only, *new*: it shares the topic's nodes and keeps nothing else
   alive. Empty when nobody is there. NULL: out of memory. O(log t). */
PRESENCE_API presence_state *presence_state_of_topic(const presence_state *state,
                                                     presence_string topic);

/* Equal content: the same topics, keys and multisets of metas. Stops at what a and b share.
   The two may live in different heaps. */
PRESENCE_API bool presence_equal(const presence_state *a, const presence_state *b);

typedef struct presence_counts {
  size_t topics;
  size_t keys; /* summed over topics */
  size_t metas;
  size_t bytes; /* of the records: header, key (of over 64 bytes, which are shared: 8), pid, meta */
} presence_counts;

/* Fills *counts. O(t). */
PRESENCE_API void presence_stats(const presence_state *state, presence_counts *counts);

/* ---- Looking up ---- */

/* One topic of a state, *borrowed* from it: who holds one skips the first of two look-ups. */
typedef struct presence_topic presence_topic;

/* The topic of that name, *borrowed*, or NULL when nobody is there. O(log t). */
PRESENCE_API const presence_topic *presence_find_topic(const presence_state *state,
                                                       presence_string name);

/* Its name, *borrowed*. */
PRESENCE_API presence_string presence_topic_name(const presence_topic *topic);

/* Number of its distinct keys; 0 for NULL. O(1). */
PRESENCE_API size_t presence_topic_count(const presence_topic *topic);

/* Number of its metas; 0 for NULL. O(1). */
PRESENCE_API size_t presence_topic_connections(const presence_topic *topic);

/* The entry of key, *borrowed*, or NULL; topic may be NULL. O(log n). */
PRESENCE_API const presence_entry *presence_topic_get(const presence_topic *topic,
                                                      presence_string key);

/* The entry of (topic, key), *borrowed*, or NULL. */
PRESENCE_API const presence_entry *presence_get(const presence_state *state, presence_string topic,
                                                presence_string key);

/* Number of distinct keys on topic. O(log t). */
PRESENCE_API size_t presence_count(const presence_state *state, presence_string topic);

/* Number of metas of (topic, key): 0 when it is not present. */
PRESENCE_API size_t presence_connections(const presence_state *state, presence_string topic,
                                         presence_string key);

/* ---- Walking ---- */

/* Builds with narrower nodes (for tests) need more. */
#ifndef PRESENCE_ITER_DEPTH
#define PRESENCE_ITER_DEPTH 18
#endif

/* A place in a trie; shared by the iterators below. Private. */
typedef struct presence_trie_iter {
  uintptr_t place[PRESENCE_ITER_DEPTH];
  uint32_t left[PRESENCE_ITER_DEPTH];
  uint32_t depth;
} presence_trie_iter;

/* A walk over the topics of a state, in the order of their hashes. The state must be held. */
typedef struct presence_topic_iter {
  presence_trie_iter trie;
} presence_topic_iter;

/* Sets iter before the first topic. */
PRESENCE_API void presence_topic_iter_init(presence_topic_iter *iter, const presence_state *state);

/* The next topic, *borrowed*; NULL at the end. Amortised O(1). */
PRESENCE_API const presence_topic *presence_topic_iter_next(presence_topic_iter *iter);

/* A walk over the keys of a topic, in the order of their hashes: the same for equal content. The
   state that the topic is of must be held. */
typedef struct presence_entry_iter {
  presence_trie_iter trie;
} presence_entry_iter;

/* Sets iter before the first key; topic NULL has none. */
PRESENCE_API void presence_entry_iter_init(presence_entry_iter *iter, const presence_topic *topic);

/* Sets iter behind the place of key, which need not be there (any more). A walk that goes on so in
   later states sees everybody who was there throughout exactly once. O(log n). */
PRESENCE_API void presence_entry_iter_seek(presence_entry_iter *iter, const presence_topic *topic,
                                           presence_string key);

/* The next entry, *borrowed*, and its key in *key; NULL at the end. Amortised O(1). */
PRESENCE_API const presence_entry *presence_entry_iter_next(presence_entry_iter *iter,
                                                            presence_string *key);

/* ---- Differences ---- */

/* A key whose metas differ. before and after are *borrowed* from the two states, NULL when the key
   was not, or is no longer, there; presence_entry_difference tells who joined (after, before) and
   who left (before, after). */
typedef struct presence_change {
  presence_string topic;
  presence_string key;
  const presence_entry *before;
  const presence_entry *after;
} presence_change;

/* A walk over the differences of two states of one heap; both must be held. Private inside. */
typedef struct presence_diff_iter {
  uintptr_t opaque[8 * PRESENCE_ITER_DEPTH + 32];
} presence_diff_iter;

/* Sets iter before the first change from old to now. O(1). */
PRESENCE_API void presence_diff_iter_init(presence_diff_iter *iter, const presence_state *old,
                                          const presence_state *now);

/* The same for one topic only. O(log t). */
PRESENCE_API void presence_diff_iter_init_topic(presence_diff_iter *iter, const presence_state *old,
                                                const presence_state *now, presence_string topic);

/* The next change; false at the end. The changes of one topic come in a row. Over a whole walk the
   cost follows the number of changes, not the size: equal pointers are passed over. */
PRESENCE_API bool presence_diff_iter_next(presence_diff_iter *iter, presence_change *change);

/* Who came and who went, as two *new* states: *joins holds the metas of now that old lacks, *leaves
   those of old that now lacks; they share the metas. PRESENCE_OK (also when nothing changed: both
   are empty then), PRESENCE_OUT_OF_MEMORY. The cost follows the number of changes. */
PRESENCE_API enum presence_status presence_diff(const presence_state *old,
                                                const presence_state *now, presence_state **joins,
                                                presence_state **leaves);

/* state with leaves taken out and joins appended, *new* in *out. A meta in leaves that is not there
   is ignored. With what presence_diff(old, now) gave, old becomes equal to now.
   PRESENCE_UNCHANGED when it all comes to nothing, PRESENCE_OUT_OF_MEMORY, PRESENCE_TOO_LARGE. */
PRESENCE_API enum presence_status presence_patch(const presence_state *state,
                                                 const presence_state *joins,
                                                 const presence_state *leaves,
                                                 presence_state **out);

/* ---- Editors ---- */

/* A mutable handle on a state, edited in place where nobody else looks. It remembers the topic it
   edited last. Each edit by itself is done wholly or, when it fails, not at all. */
typedef struct presence_editor presence_editor;

/* A *new* editor that begins with state, which stays as it is. NULL: out of memory. */
PRESENCE_API presence_editor *presence_editor_open(const presence_state *state);

/* Ends the editor (*taken*) and returns its state, *new*. Cannot fail. */
PRESENCE_API presence_state *presence_editor_close(presence_editor *editor);

/* Ends the editor (*taken*) and drops its edits. NULL is allowed. */
PRESENCE_API void presence_editor_discard(presence_editor *editor);

/* The state as it is now, *borrowed* until the next edit; for a look without a snapshot. */
PRESENCE_API const presence_state *presence_editor_state(presence_editor *editor);

/* The state as it is now, *new*; later edits copy what it holds. O(1), cannot fail. */
PRESENCE_API presence_state *presence_editor_snapshot(presence_editor *editor);

/* Lets the editor go on from state, of the same heap, which is retained; its own edits are dropped.
   O(1), cannot fail. */
PRESENCE_API void presence_editor_reset(presence_editor *editor, const presence_state *state);

/* As presence_track, in the editor. */
PRESENCE_API enum presence_status presence_editor_track(presence_editor *editor,
                                                        presence_string topic, presence_string key,
                                                        presence_pid pid, presence_string meta);

/* As presence_update, in the editor. */
PRESENCE_API enum presence_status presence_editor_update(presence_editor *editor,
                                                         presence_string topic, presence_string key,
                                                         presence_pid pid, presence_string meta);

/* As presence_untrack, in the editor. *removed (unless NULL) becomes the number of metas removed;
   PRESENCE_UNCHANGED when there were none. */
PRESENCE_API enum presence_status presence_editor_untrack(presence_editor *editor,
                                                          presence_string topic,
                                                          presence_string key, presence_pid pid,
                                                          size_t *removed);

/* Appends the metas of entry under (topic, key), all or none; an empty entry: PRESENCE_UNCHANGED.
   The metas are shared where they already stand under key, else copied. PRESENCE_NOT_UTF8,
   PRESENCE_TOO_LARGE, PRESENCE_OUT_OF_MEMORY. O(metas of entry). */
PRESENCE_API enum presence_status presence_editor_join(presence_editor *editor,
                                                       presence_string topic, presence_string key,
                                                       const presence_entry *entry);

/* Removes the metas of entry from (topic, key), as multisets; what is not there is ignored.
   *removed (unless NULL) becomes the number of metas removed. PRESENCE_UNCHANGED when there were
   none, PRESENCE_OUT_OF_MEMORY. */
PRESENCE_API enum presence_status presence_editor_leave(presence_editor *editor,
                                                        presence_string topic, presence_string key,
                                                        const presence_entry *entry,
                                                        size_t *removed);

/* Runtime edits. A pid stands at most once under (topic, key), a meta is a JSON object, and beside
   its bytes it carries a phx_ref (and after an update, phx_ref_prev: the ref before), which show
   only where PRESENCE_WIRE is asked for, and count in equality, diff and patch.
   meta must be valid JSON, without white space around it and without top-level members of those
   names: whoever takes it from outside has checked it and cut them, so here it is taken at its
   word (its braces are looked at; builds without NDEBUG assert the rest). ref is printable ASCII
   without quote and backslash, 1 to PRESENCE_MAX_REF_BYTES. */

/* Tracks pid. PRESENCE_ALREADY_TRACKED, PRESENCE_NOT_UTF8, PRESENCE_NOT_OBJECT, PRESENCE_BAD_PID,
   PRESENCE_BAD_REF, PRESENCE_TOO_LARGE, PRESENCE_OUT_OF_MEMORY. */
PRESENCE_API enum presence_status
presence_editor_track_ref(presence_editor *editor, presence_string topic, presence_string key,
                          presence_pid pid, presence_string meta, presence_string ref);

/* Replaces pid's meta; phx_ref_prev becomes the ref it had. Equal bytes: PRESENCE_UNCHANGED, and
   the ref stays. PRESENCE_NO_PRESENCE, PRESENCE_NOT_OBJECT, PRESENCE_BAD_REF, PRESENCE_TOO_LARGE,
   PRESENCE_OUT_OF_MEMORY. */
PRESENCE_API enum presence_status
presence_editor_update_ref(presence_editor *editor, presence_string topic, presence_string key,
                           presence_pid pid, presence_string meta, presence_string ref);

/* Tracks pid in the place of old_pid, whose metas there go: a connection that comes back for one
   that was lost. phx_ref_prev becomes the ref old_pid had. PRESENCE_NO_PRESENCE when old_pid is not
   tracked, PRESENCE_ALREADY_TRACKED when pid is; else as presence_editor_update_ref, except that
   equal bytes are a change. */
PRESENCE_API enum presence_status
presence_editor_take_over_ref(presence_editor *editor, presence_string topic, presence_string key,
                              presence_pid old_pid, presence_pid pid, presence_string meta,
                              presence_string ref);

/* The newest meta of pid under (topic, key), *borrowed* until the next edit, or NULL. */
PRESENCE_API const presence_meta *presence_editor_get(presence_editor *editor,
                                                      presence_string topic, presence_string key,
                                                      presence_pid pid);

/* ---- JSON ---- */

/* Takes bytes as they are written, in pieces of up to a few KB or one meta. False stops the writer:
   PRESENCE_WRITE_FAILED. It must return, and may not edit or release what is being written. */
typedef struct presence_sink {
  bool (*write)(void *context, const char *bytes, size_t size);
  void *context;
} presence_sink;

enum presence_view {
  PRESENCE_PLAIN, /* metas as the application gave them */
  PRESENCE_WIRE   /* with phx_ref and phx_ref_prev, where a meta has them */
};

/* Writes {"key":{"metas":[meta, ...]}, ...} of the topic, {} when nobody is there. PRESENCE_OK,
   PRESENCE_WRITE_FAILED. O(bytes). */
PRESENCE_API enum presence_status presence_list_json(const presence_state *state,
                                                     presence_string topic, enum presence_view view,
                                                     presence_sink sink);

/* Writes {"joins":{...},"leaves":{...}}, each side as above, of what changed on the topic from old
   to now. Nothing changed: PRESENCE_UNCHANGED, and nothing is written. The states are of one heap.
   PRESENCE_WRITE_FAILED, PRESENCE_OUT_OF_MEMORY (only for keys of several metas). The cost follows
   the number of changes. */
PRESENCE_API enum presence_status presence_diff_json(const presence_state *old,
                                                     const presence_state *now,
                                                     presence_string topic, enum presence_view view,
                                                     presence_sink sink);

/* Writes {"joins":{"key":{"metas":[meta]}},"leaves":{}}. PRESENCE_NOT_UTF8, PRESENCE_BAD_JSON,
   PRESENCE_WRITE_FAILED. O(size). */
PRESENCE_API enum presence_status presence_join_diff_json(presence_string key, presence_string meta,
                                                          presence_sink sink);

/* Writes {"joins":{},"leaves":{"key":{"metas":[meta]}}}; as above. */
PRESENCE_API enum presence_status
presence_leave_diff_json(presence_string key, presence_string meta, presence_sink sink);

/* ---- Binary form ---- */

/* Writes the state in a compact form that every later release of the same major version reads,
   phx_refs included; the same bytes for equal states in one process only. Pass
   presence_state_of_topic for a single topic. PRESENCE_OK, PRESENCE_WRITE_FAILED. O(bytes). */
PRESENCE_API enum presence_status presence_encode(const presence_state *state, presence_sink sink);

/* Reads it: a *new* state in *out. Anything cut short, damaged or added is refused:
   PRESENCE_DAMAGED. PRESENCE_OUT_OF_MEMORY. O(bytes). Takes at most 64 bytes of memory for each
   byte, whatever they are, beside a chunk for each size of object. */
PRESENCE_API enum presence_status presence_decode(presence_heap *heap, presence_string bytes,
                                                  presence_state **out);

#ifdef __cplusplus
}
#endif

#endif
