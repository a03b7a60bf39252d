#include "bench/server/listing.h"

#include <stdlib.h>
#include <string.h>

#include "bench/server/die.h"

static void listing_clear(struct listing *l) {
  l->count = l->meta_count = 0;
}

void listing_free(struct listing *l) {
  free(l->entries);
  free(l->metas);
  memset(l, 0, sizeof *l);
}

void listing_add_entry(struct listing *l, uint32_t key) {
  if (l->count == l->capacity) {
    l->capacity = l->capacity ? l->capacity * 2 : 16;
    l->entries = grow(l->entries, l->capacity, sizeof *l->entries);
  }
  l->entries[l->count++] = (struct listing_entry){key, (uint32_t)l->meta_count, 0};
}

void listing_add_meta(struct listing *l, uint32_t meta) {
  if (l->meta_count == l->meta_capacity) {
    l->meta_capacity = l->meta_capacity ? l->meta_capacity * 2 : 16;
    l->metas = grow(l->metas, l->meta_capacity, sizeof *l->metas);
  }
  l->metas[l->meta_count++] = meta;
  l->entries[l->count - 1].count++;
}

static bool is_name(struct presence__json_span token, const char *name) {
  return presence__json_string_is(token.text, token.size, name, strlen(name));
}

static const char *read_metas(struct listing *l, struct book *b, struct presence__json_span array) {
  struct presence__json_walk walk;
  struct presence__json_span object;
  const char *fault = NULL;
  if (*array.text != '[') return "metas are no array";
  presence__json_walk_init(&walk, array.text, array.size);
  while (!fault && presence__json_next_element(&walk, &object)) {
    uint32_t meta = book_meta(b, object, &fault);
    if (!fault) listing_add_meta(l, meta);
  }
  if (!fault && l->entries[l->count - 1].count == 0) fault = "an entry without metas";
  return fault;
}

static const char *read_entry(struct listing *l, struct book *b, struct presence__json_span entry) {
  struct presence__json_walk walk;
  struct presence__json_span name, value;
  if (*entry.text != '{') return "an entry that is no object";
  presence__json_walk_init(&walk, entry.text, entry.size);
  while (presence__json_next_member(&walk, &name, &value))
    if (is_name(name, "metas")) return read_metas(l, b, value);
  return "an entry without metas";
}

const char *listing_read(struct listing *l, struct book *b, struct presence__json_span object) {
  struct presence__json_walk walk;
  struct presence__json_span name, value;
  const char *fault = NULL;
  listing_clear(l);
  if (*object.text != '{') return "entries are no object";
  book_begin_object(b);
  presence__json_walk_init(&walk, object.text, object.size);
  while (!fault && presence__json_next_member(&walk, &name, &value)) {
    uint32_t key = book_key(b, name, &fault);
    if (!fault && !book_is_new_name(b, key)) fault = "a key that is named twice";
    if (fault) break;
    listing_add_entry(l, key);
    fault = read_entry(l, b, value);
  }
  return fault;
}

const char *listing_read_diff(struct listing *joins, struct listing *leaves, struct book *b,
                              struct presence__json_span object) {
  struct presence__json_walk walk;
  struct presence__json_span name, value;
  const char *fault = NULL;
  int halves = 0;
  if (*object.text != '{') return "a diff that is no object";
  listing_clear(joins);
  listing_clear(leaves);
  presence__json_walk_init(&walk, object.text, object.size);
  while (!fault && presence__json_next_member(&walk, &name, &value)) {
    bool is_joins = is_name(name, "joins");
    if (!is_joins && !is_name(name, "leaves")) continue;
    halves++;
    fault = listing_read(is_joins ? joins : leaves, b, value);
  }
  if (!fault && halves != 2) fault = "a diff without joins and leaves, each once";
  return fault;
}
