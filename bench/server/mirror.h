/* What one client believes about a topic, kept as phoenix.js keeps it: by phx_ref alone, joins
   before leaves, the metas that were there first, a leave of an unknown key ignored. */
#ifndef BENCH_SERVER_MIRROR_H
#define BENCH_SERVER_MIRROR_H

#include "bench/server/listing.h"

/* An entry; with one meta it is in place. */
struct mirror_entry {
  uint32_t key;
  uint32_t count; /* 0: the slot is free */
  union {
    uint32_t one;
    uint32_t *many; /* owned */
  } metas;
};

struct mirror {
  struct mirror_entry *slots;
  size_t capacity; /* a power of two, or 0 */
  size_t count;
};

/* The entry of a key, *borrowed* until the next edit, or NULL. */
const struct mirror_entry *mirror_get(const struct mirror *m, uint32_t key);
static inline const uint32_t *mirror_metas(const struct mirror_entry *e) {
  return e->count == 1 ? &e->metas.one : e->metas.many;
}

/* Presence.syncState and Presence.syncDiff. */
void mirror_sync_state(struct mirror *m, const struct book *b, const struct listing *state);
void mirror_sync_diff(struct mirror *m, const struct book *b, const struct listing *joins,
                      const struct listing *leaves);

#endif
