/* What the tests of the core share: a heap whose allocator counts and fails, short names, random
   numbers from a printed seed. */
#ifndef PRESENCE_SPEC_CORE_KIT_H
#define PRESENCE_SPEC_CORE_KIT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/check.h"
#include "core/presence.h"

/* ---- Memory ---- */

struct memory {
  long requests;
  long fail_at;   /* the request that fails, from 1; 0: none */
  bool and_after; /* so do all that follow */
  size_t limit;   /* of bytes alive; 0: none */
  long failed;
  long blocks_alive;
  size_t bytes_alive;
  size_t most_alive; /* of bytes */
};

static inline void *memory_allocate(void *context, size_t size, size_t alignment) {
  struct memory *m = context;
  m->requests++;
  bool over = m->limit && m->bytes_alive + size > m->limit;
  if (over ||
      (m->fail_at && (m->requests == m->fail_at || (m->and_after && m->requests > m->fail_at)))) {
    m->failed++;
    return NULL;
  }
  /* Sizes that are no multiple of the alignment are asked for; aligned_alloc need not like them. */
  size_t whole = (size + alignment - 1) / alignment * alignment;
  m->blocks_alive++;
  m->bytes_alive += size;
  if (m->bytes_alive > m->most_alive) m->most_alive = m->bytes_alive;
  return aligned_alloc(alignment, whole);
}

static inline void memory_release(void *context, void *block, size_t size) {
  struct memory *m = context;
  m->blocks_alive--;
  m->bytes_alive -= size;
  free(block);
}

/* unpooled: every object is a request. */
static inline presence_heap *memory_heap(struct memory *m, bool unpooled) {
  *m = (struct memory){0};
  presence_heap_options options = {{memory_allocate, memory_release, m}, unpooled};
  return presence_heap_new(&options);
}

/* ---- Names ---- */

static inline presence_string str(const char *text) {
  return presence_string_of(text);
}

static inline presence_pid pid(int64_t integer) {
  return presence_pid_integer(integer);
}

static inline bool is(presence_string s, const char *text) {
  return s.size == strlen(text) && memcmp(s.bytes, text, s.size) == 0;
}

static inline presence_state *tracked(presence_state *state, const char *topic, const char *key,
                                      int64_t integer, const char *meta) {
  presence_state *out = NULL;
  if (presence_track(state, str(topic), str(key), pid(integer), str(meta), &out) != PRESENCE_OK)
    abort();
  presence_state_release(state);
  return out;
}

/* ---- A sink into a text ---- */

struct text {
  size_t size;
  size_t room; /* bytes that are still accepted; SIZE_MAX: any number */
  char *bytes;
};

static inline bool text_write(void *context, const char *bytes, size_t size) {
  struct text *text = context;
  if (size > text->room) return false;
  if (text->room != SIZE_MAX) text->room -= size;
  text->bytes = realloc(text->bytes, text->size + size + 1);
  memcpy(text->bytes + text->size, bytes, size);
  text->size += size;
  text->bytes[text->size] = '\0';
  return true;
}

static inline presence_sink text_sink(struct text *text) {
  *text = (struct text){0, SIZE_MAX, NULL};
  return (presence_sink){text_write, text};
}

/* ---- Random numbers ---- */

/* SplitMix64 (Steele, Lea and Flood, 2014). */
static inline uint64_t roll(uint64_t *seed) {
  uint64_t z = (*seed += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static inline unsigned below(uint64_t *seed, unsigned limit) {
  return (unsigned)(roll(seed) % limit);
}

static inline uint64_t number_from(const char *name, uint64_t otherwise) {
  const char *text = getenv(name);
  return text ? strtoull(text, NULL, 0) : otherwise;
}

/* PRESENCE_SEED in the environment, or one that differs from run to run; printed. */
static inline uint64_t seed_for(const char *test) {
  struct timespec now;
  timespec_get(&now, TIME_UTC);
  uint64_t seed = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
  seed = number_from("PRESENCE_SEED", roll(&seed));
  printf("%s: PRESENCE_SEED=%llu\n", test, (unsigned long long)seed);
  return seed;
}

#endif
