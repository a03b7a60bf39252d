/* An allocator that counts what is alive and fails at the n-th request for memory. */
#ifndef PRESENCE_SPEC_FAILING_ALLOCATOR_H
#define PRESENCE_SPEC_FAILING_ALLOCATOR_H

#include <stdlib.h>

#include "text/buf.h"

struct failing {
  long fail_at; /* 1: the first request; 0: never */
  long requests;
  long blocks_alive;
  size_t bytes_alive;
  struct presence__allocator allocator;
};

static inline void *failing_reallocate(void *context, void *block, size_t old_size,
                                       size_t new_size) {
  struct failing *f = context;
  if (new_size == 0) {
    f->blocks_alive -= block != NULL;
    f->bytes_alive -= old_size;
    free(block);
    return NULL;
  }
  if (++f->requests == f->fail_at) return NULL;
  void *made = realloc(block, new_size);
  f->blocks_alive += block == NULL;
  f->bytes_alive += new_size - old_size;
  return made;
}

static inline void failing_init(struct failing *f, long fail_at) {
  f->fail_at = fail_at;
  f->requests = 0;
  f->blocks_alive = 0;
  f->bytes_alive = 0;
  f->allocator.reallocate = failing_reallocate;
  f->allocator.context = f;
}

#endif
