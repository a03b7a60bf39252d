#include "core/record.h"

#include <assert.h>

#include "core/trie.h"

int presence__names_compare(const struct presence__name *a, const struct presence__name *b) {
  if (a->kind != b->kind) return a->kind < b->kind ? -1 : 1;
  size_t common = a->size < b->size ? a->size : b->size;
  int order = common ? memcmp(a->bytes, b->bytes, common) : 0;
  if (order != 0) return order;
  return (a->size > b->size) - (a->size < b->size);
}

/* ---- Parts ---- */

presence_string presence__record_suffix(const presence_meta *record) {
  struct presence__places at = presence__places_of(record);
  return (presence_string){presence__tail(record) + at.suffix, at.end - at.suffix};
}

presence_string presence_meta_data(const presence_meta *meta) {
  struct presence__places at = presence__places_of(meta);
  return (presence_string){presence__tail(meta) + at.meta, meta->meta_size};
}

bool presence__long_key_is(const presence_meta *record, presence_string key) {
  const struct presence__text *text = presence__long_key(record);
  return text->size == key.size &&
         (text->bytes == key.bytes || memcmp(text->bytes, key.bytes, key.size) == 0);
}

/* ---- Making ---- */

struct presence__text *presence__text_new(presence_heap *heap, presence_string name) {
  struct presence__text *text = presence__take(heap, sizeof *text + name.size);
  if (!text) return NULL;
  presence__refs_init(&text->refs);
  text->size = (uint32_t)name.size;
  if (name.size) memcpy(text->bytes, name.bytes, name.size);
  return text;
}

static presence_meta *record_of_long_key(presence_heap *heap, const struct presence__parts *parts,
                                         size_t *size) {
  struct presence__text *text;
  if (parts->kin) {
    const presence_meta *kin = presence__first_record(parts->kin);
    assert(presence__has_long_key(kin) && presence__long_key_is(kin, parts->key));
    text = presence__long_key(kin);
    presence__refs_up(&text->refs);
  } else {
    text = presence__text_new(heap, parts->key);
    if (!text) return NULL;
  }
  struct presence__parts own = *parts;
  own.key = (presence_string){(const char *)&text, sizeof text};
  presence_meta *record = presence__record_inline(heap, &own, size);
  if (record)
    record->key_bits |= PRESENCE__LONG_KEY;
  else
    presence__text_release(heap, text);
  return record;
}

presence_meta *presence__record_new(presence_heap *heap, const struct presence__parts *parts,
                                    size_t *size) {
  if (parts->key.size > PRESENCE__SHORT_KEY_BYTES) return record_of_long_key(heap, parts, size);
  return presence__record_inline(heap, parts, size);
}

presence_meta *presence__record_rekey(presence_heap *heap, const presence_meta *record,
                                      presence_string key, uint64_t key_hash, presence__slot kin) {
  struct presence__name pid = presence__record_pid(record);
  struct presence__parts parts = {
      key, key_hash, &pid, presence_meta_data(record), presence__record_suffix(record), kin};
  size_t size;
  return presence__record_new(heap, &parts, &size);
}

/* ---- Comparing ---- */

bool presence__records_equal(const presence_meta *a, const presence_meta *b) {
  if (a == b) return true;
  if ((a->key_bits ^ b->key_bits) & PRESENCE__TAIL_BITS) return false;
  if (a->meta_size != b->meta_size) return false;
  size_t size = presence__tail_size(a);
  return size == presence__tail_size(b) && memcmp(presence__tail(a), presence__tail(b), size) == 0;
}

int presence__records_compare(const presence_meta *a, const presence_meta *b) {
  uint32_t kind_a = a->key_bits & PRESENCE__TAIL_BITS;
  uint32_t kind_b = b->key_bits & PRESENCE__TAIL_BITS;
  if (kind_a != kind_b) return kind_a < kind_b ? -1 : 1;
  if (a->meta_size != b->meta_size) return a->meta_size < b->meta_size ? -1 : 1;
  size_t size_a = presence__tail_size(a), size_b = presence__tail_size(b);
  if (size_a != size_b) return size_a < size_b ? -1 : 1;
  return memcmp(presence__tail(a), presence__tail(b), size_a);
}
