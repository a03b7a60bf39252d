/* The core, over three allocators, in place and by value. */
#include <mimalloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/core/peer.h"
#include "core/presence.h"

struct store {
  presence_heap *heap;
  presence_editor *editor;
  presence_state *kept; /* the version before */
};

static presence_string string(struct bench_text text) {
  return (presence_string){text.bytes, text.size};
}

static void must(bool done) {
  if (done) return;
  fprintf(stderr, "an operation of the core failed\n");
  exit(1);
}

static void *make_with(const presence_heap_options *options) {
  struct store *store = malloc(sizeof *store);
  must(store != NULL);
  store->heap = presence_heap_new(options);
  presence_state *empty = presence_state_new(store->heap);
  store->editor = presence_editor_open(empty);
  store->kept = empty;
  return store;
}

static void *make_pooled(void) {
  return make_with(NULL);
}

static void *make_on_malloc(void) {
  const presence_heap_options options = {.unpooled = true};
  return make_with(&options);
}

static void *mimalloc_allocate(void *context, size_t size, size_t alignment) {
  (void)context;
  return alignment <= 16 ? mi_malloc(size) : mi_malloc_aligned(size, alignment);
}

static void mimalloc_release(void *context, void *block, size_t size) {
  (void)context;
  (void)size;
  mi_free(block);
}

static void *make_on_mimalloc(void) {
  const presence_heap_options options = {{mimalloc_allocate, mimalloc_release, NULL}, true};
  return make_with(&options);
}

static void track(void *place, const struct bench_sample *const *samples, size_t count) {
  presence_editor *editor = ((struct store *)place)->editor;
  for (size_t i = 0; i < count; i++) {
    const struct bench_sample *s = samples[i];
    must(presence_editor_track(editor, string(s->topic), string(s->key),
                               presence_pid_integer(s->pid), string(s->meta)) == PRESENCE_OK);
  }
}

static void untrack(void *place, const struct bench_sample *const *samples, size_t count) {
  presence_editor *editor = ((struct store *)place)->editor;
  for (size_t i = 0; i < count; i++) {
    const struct bench_sample *s = samples[i];
    must(presence_editor_untrack(editor, string(s->topic), string(s->key),
                                 presence_pid_integer(s->pid), NULL) == PRESENCE_OK);
  }
}

static size_t find(void *place, const struct bench_sample *const *samples, size_t count) {
  const presence_state *state = presence_editor_state(((struct store *)place)->editor);
  size_t found = 0;
  for (size_t i = 0; i < count; i++)
    found += presence_get(state, string(samples[i]->topic), string(samples[i]->key)) != NULL;
  return found;
}

/* By value: the editor only holds what is newest. */
static void track_kept(void *place, const struct bench_sample *const *samples, size_t count) {
  struct store *store = place;
  for (size_t i = 0; i < count; i++) {
    const struct bench_sample *s = samples[i];
    presence_state *next;
    must(presence_track(store->kept, string(s->topic), string(s->key), presence_pid_integer(s->pid),
                        string(s->meta), &next) == PRESENCE_OK);
    presence_state_release(store->kept);
    store->kept = next;
  }
}

static void untrack_kept(void *place, const struct bench_sample *const *samples, size_t count) {
  struct store *store = place;
  for (size_t i = 0; i < count; i++) {
    const struct bench_sample *s = samples[i];
    presence_state *next;
    must(presence_untrack(store->kept, string(s->topic), string(s->key),
                          presence_pid_integer(s->pid), &next) == PRESENCE_OK);
    presence_state_release(store->kept);
    store->kept = next;
  }
}

static size_t find_kept(void *place, const struct bench_sample *const *samples, size_t count) {
  const presence_state *state = ((struct store *)place)->kept;
  size_t found = 0;
  for (size_t i = 0; i < count; i++)
    found += presence_get(state, string(samples[i]->topic), string(samples[i]->key)) != NULL;
  return found;
}

static void drop(void *place) {
  struct store *store = place;
  presence_editor_discard(store->editor);
  presence_state_release(store->kept);
  presence_heap_free(store->heap);
  free(store);
}

const struct bench_peer bench_core = {"core", make_pooled, track, untrack, find, drop};
const struct bench_peer bench_core_malloc = {"core on malloc", make_on_malloc, track,
                                             untrack,          find,           drop};
const struct bench_peer bench_core_mimalloc = {
    "core on mimalloc", make_on_mimalloc, track, untrack, find, drop};
const struct bench_peer bench_core_kept = {"core, by value", make_pooled, track_kept,
                                           untrack_kept,     find_kept,   drop};
