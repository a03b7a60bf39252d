#include "core/record.h"

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

/* ---- Making ---- */

presence_meta *presence__record_new(presence_heap *heap, const struct presence__parts *parts,
                                    size_t *size) {
  return presence__record_inline(heap, parts, size);
}

presence_meta *presence__record_rekey(presence_heap *heap, const presence_meta *record,
                                      presence_string key, uint64_t key_hash) {
  struct presence__name pid = presence__record_pid(record);
  struct presence__parts parts = {key, key_hash, &pid, presence_meta_data(record),
                                  presence__record_suffix(record)};
  size_t size;
  return presence__record_new(heap, &parts, &size);
}

/* ---- Comparing ---- */

bool presence__records_equal(const presence_meta *a, const presence_meta *b) {
  if (a == b) return true;
  if ((a->key_bits ^ b->key_bits) & ~PRESENCE__KEY_SIZE_MASK) return false;
  if (a->meta_size != b->meta_size) return false;
  size_t size = presence__tail_size(a);
  return size == presence__tail_size(b) && memcmp(presence__tail(a), presence__tail(b), size) == 0;
}

int presence__records_compare(const presence_meta *a, const presence_meta *b) {
  uint32_t kind_a = a->key_bits & ~PRESENCE__KEY_SIZE_MASK;
  uint32_t kind_b = b->key_bits & ~PRESENCE__KEY_SIZE_MASK;
  if (kind_a != kind_b) return kind_a < kind_b ? -1 : 1;
  if (a->meta_size != b->meta_size) return a->meta_size < b->meta_size ? -1 : 1;
  size_t size_a = presence__tail_size(a), size_b = presence__tail_size(b);
  if (size_a != size_b) return size_a < size_b ? -1 : 1;
  return memcmp(presence__tail(a), presence__tail(b), size_a);
}
