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

static inline char *put(char *at, const void *bytes, size_t size) {
  if (size) memcpy(at, bytes, size);
  return at + size;
}

presence_meta *presence__record_new(presence_heap *heap, const struct presence__parts *parts,
                                    size_t *size) {
  const struct presence__name *pid = parts->pid;
  bool is_string = pid->kind == PRESENCE__STRING;
  uint16_t suffix_size = (uint16_t)parts->suffix.size;
  *size = sizeof(presence_meta) + parts->key.size + presence__head_size(pid->kind) +
          (suffix_size ? sizeof suffix_size : 0) + (is_string ? pid->size : 0) + parts->meta.size +
          suffix_size;
  presence_meta *record = presence__take(heap, *size);
  if (!record) return NULL;
  presence__refs_init(&record->refs);
  record->hash = (uint32_t)(parts->key_hash >> 32);
  record->key_bits = (uint32_t)parts->key.size | (uint32_t)pid->kind << PRESENCE__KIND_SHIFT |
                     (suffix_size ? PRESENCE__HAS_SUFFIX : 0);
  record->meta_size = (uint32_t)parts->meta.size;
  presence__bytes_copy(record->bytes, parts->key.bytes, parts->key.size);
  char *at = record->bytes + parts->key.size;
  uint32_t pid_size = (uint32_t)pid->size;
  if (pid->kind == PRESENCE__INT64)
    at = put(at, pid->bytes, 8);
  else
    at = put(at, is_string ? (const char *)&pid_size : pid->bytes, 4);
  if (suffix_size) at = put(at, &suffix_size, sizeof suffix_size);
  if (is_string) at = put(at, pid->bytes, pid->size);
  at = put(at, parts->meta.bytes, parts->meta.size);
  put(at, parts->suffix.bytes, suffix_size);
  return record;
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
