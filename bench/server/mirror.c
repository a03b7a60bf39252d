#include "bench/server/mirror.h"

#include <stdlib.h>
#include <string.h>

#include "bench/server/die.h"

enum { least_capacity = 8 };

static size_t home_of(const struct mirror *m, uint32_t key) {
  return (key * (size_t)0x9E3779B97F4A7C15u >> 32) & (m->capacity - 1);
}

static size_t next_of(const struct mirror *m, size_t at) {
  return (at + 1) & (m->capacity - 1);
}

static size_t place_of(const struct mirror *m, uint32_t key) {
  size_t at = home_of(m, key);
  while (m->slots[at].count && m->slots[at].key != key)
    at = next_of(m, at);
  return at;
}

static void make_room(struct mirror *m) {
  if (m->count * 4 < m->capacity * 3) return;
  struct mirror old = *m;
  m->capacity = old.capacity ? old.capacity * 2 : least_capacity;
  m->slots = grow(NULL, m->capacity, sizeof *m->slots);
  memset(m->slots, 0, m->capacity * sizeof *m->slots);
  for (size_t i = 0; i < old.capacity; i++)
    if (old.slots[i].count) m->slots[place_of(m, old.slots[i].key)] = old.slots[i];
  free(old.slots);
}

static void mirror_free(struct mirror *m) {
  for (size_t i = 0; i < m->capacity; i++)
    if (m->slots[i].count > 1) free(m->slots[i].metas.many);
  free(m->slots);
  memset(m, 0, sizeof *m);
}

const struct mirror_entry *mirror_get(const struct mirror *m, uint32_t key) {
  if (m->count == 0) return NULL;
  const struct mirror_entry *e = &m->slots[place_of(m, key)];
  return e->count ? e : NULL;
}

/* The slot's metas become copies of these, which are not its own. */
static void set_metas(struct mirror_entry *e, const uint32_t *metas, uint32_t count) {
  uint32_t *old = e->count > 1 ? e->metas.many : NULL;
  if (count == 1) {
    e->metas.one = metas[0];
  } else {
    uint32_t *many = grow(NULL, count, sizeof *many);
    memcpy(many, metas, count * sizeof *many);
    e->metas.many = many;
  }
  e->count = count;
  free(old);
}

/* Frees a slot; what stands behind it moves up so that every key is found from its home. */
static void remove_at(struct mirror *m, size_t at) {
  if (m->slots[at].count > 1) free(m->slots[at].metas.many);
  m->count--;
  for (size_t next = next_of(m, at); m->slots[next].count; next = next_of(m, next)) {
    size_t home = home_of(m, m->slots[next].key);
    if (((next - home) & (m->capacity - 1)) >= ((next - at) & (m->capacity - 1))) {
      m->slots[at] = m->slots[next];
      at = next;
    }
  }
  m->slots[at].count = 0;
}

static bool has_ref(const struct book *b, const uint32_t *metas, uint32_t count, uint32_t ref) {
  for (uint32_t i = 0; i < count; i++)
    if (b->meta[metas[i]].ref == ref) return true;
  return false;
}

/* Those of `metas` whose refs are not among `others`: to dst, which has room for all. */
static uint32_t without(const struct book *b, uint32_t *dst, const uint32_t *metas, uint32_t count,
                        const uint32_t *others, uint32_t other_count) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < count; i++)
    if (!has_ref(b, others, other_count, b->meta[metas[i]].ref)) dst[kept++] = metas[i];
  return kept;
}

static void join(struct mirror *m, const struct book *b, uint32_t key, const uint32_t *metas,
                 uint32_t count) {
  make_room(m);
  struct mirror_entry *e = &m->slots[place_of(m, key)];
  if (e->count == 0) {
    e->key = key;
    m->count++;
    set_metas(e, metas, count);
    return;
  }
  uint32_t *all = grow(NULL, (size_t)e->count + count, sizeof *all);
  uint32_t kept = without(b, all, mirror_metas(e), e->count, metas, count);
  memcpy(all + kept, metas, count * sizeof *all);
  set_metas(e, all, kept + count);
  free(all);
}

static void leave(struct mirror *m, const struct book *b, uint32_t key, const uint32_t *metas,
                  uint32_t count) {
  if (m->count == 0) return;
  size_t at = place_of(m, key);
  struct mirror_entry *e = &m->slots[at];
  if (e->count == 0) return;
  uint32_t *rest = grow(NULL, e->count, sizeof *rest);
  uint32_t kept = without(b, rest, mirror_metas(e), e->count, metas, count);
  if (kept == 0)
    remove_at(m, at);
  else if (kept < e->count)
    set_metas(e, rest, kept);
  free(rest);
}

void mirror_sync_diff(struct mirror *m, const struct book *b, const struct listing *joins,
                      const struct listing *leaves) {
  for (size_t i = 0; i < joins->count; i++) {
    const struct listing_entry *e = &joins->entries[i];
    join(m, b, e->key, joins->metas + e->first, e->count);
  }
  for (size_t i = 0; i < leaves->count; i++) {
    const struct listing_entry *e = &leaves->entries[i];
    leave(m, b, e->key, leaves->metas + e->first, e->count);
  }
}

/* Adds those of `metas` that `others` lacks as an entry, when there are any. */
static void add_difference(struct listing *l, const struct book *b, uint32_t key,
                           const uint32_t *metas, uint32_t count, const uint32_t *others,
                           uint32_t other_count) {
  uint32_t *rest = grow(NULL, count, sizeof *rest);
  uint32_t kept = without(b, rest, metas, count, others, other_count);
  if (kept) listing_add_entry(l, key);
  for (uint32_t i = 0; i < kept; i++)
    listing_add_meta(l, rest[i]);
  free(rest);
}

void mirror_sync_state(struct mirror *m, const struct book *b, const struct listing *state) {
  struct listing joins = {0}, leaves = {0};
  struct mirror named = {0}; /* the keys of the new state */
  for (size_t i = 0; i < state->count; i++) {
    const struct listing_entry *e = &state->entries[i];
    const uint32_t *metas = state->metas + e->first;
    const struct mirror_entry *mine = mirror_get(m, e->key);
    if (m->count) join(&named, b, e->key, metas, e->count);
    add_difference(&joins, b, e->key, metas, e->count, mine ? mirror_metas(mine) : NULL,
                   mine ? mine->count : 0);
  }
  for (size_t i = 0; i < m->capacity; i++) {
    const struct mirror_entry *mine = &m->slots[i];
    if (!mine->count) continue;
    const struct mirror_entry *new = mirror_get(&named, mine->key);
    add_difference(&leaves, b, mine->key, mirror_metas(mine), mine->count,
                   new ? mirror_metas(new) : NULL, new ? new->count : 0);
  }
  mirror_sync_diff(m, b, &joins, &leaves);
  mirror_free(&named);
  listing_free(&joins);
  listing_free(&leaves);
}
