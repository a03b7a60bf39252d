/* Entries as a presence_state or a half of a presence_diff names them. */
#ifndef BENCH_SERVER_LISTING_H
#define BENCH_SERVER_LISTING_H

#include "bench/server/book.h"

struct listing_entry {
  uint32_t key;
  uint32_t first; /* in metas */
  uint32_t count;
};

struct listing {
  struct listing_entry *entries;
  uint32_t *metas;
  size_t count, capacity;
  size_t meta_count, meta_capacity;
};

void listing_free(struct listing *l);

/* Begins an entry, to which metas are added. */
void listing_add_entry(struct listing *l, uint32_t key);
void listing_add_meta(struct listing *l, uint32_t meta);

/* Reads {"key":{"metas":[…]},…} in place of what the listing held. NULL, or what is wrong. */
const char *listing_read(struct listing *l, struct book *b, struct presence__json_span object);

/* Reads {"joins":…,"leaves":…}. */
const char *listing_read_diff(struct listing *joins, struct listing *leaves, struct book *b,
                              struct presence__json_span object);

#endif
