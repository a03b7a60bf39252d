#include "core/record.h"

int presence__names_compare(const struct presence__name *a, const struct presence__name *b) {
  if (a->kind != b->kind) return a->kind < b->kind ? -1 : 1;
  size_t common = a->size < b->size ? a->size : b->size;
  int order = common ? memcmp(a->bytes, b->bytes, common) : 0;
  if (order != 0) return order;
  return (a->size > b->size) - (a->size < b->size);
}

enum presence_status presence__pid_init(struct presence__pid *out, presence_pid pid) {
  if (pid.bytes) {
    if (pid.size > PRESENCE_MAX_NAME_BYTES) return PRESENCE_TOO_LARGE;
    out->name = (struct presence__name){pid.bytes, pid.size, PRESENCE__STRING};
    return PRESENCE_OK;
  }
  if (pid.integer > PRESENCE_MAX_PID || pid.integer < -PRESENCE_MAX_PID) return PRESENCE_BAD_PID;
  out->name.bytes = out->integer;
  if (pid.integer >= INT32_MIN && pid.integer <= INT32_MAX) {
    int32_t narrow = (int32_t)pid.integer;
    memcpy(out->integer, &narrow, sizeof narrow);
    out->name.size = sizeof narrow;
    out->name.kind = PRESENCE__INT32;
  } else {
    memcpy(out->integer, &pid.integer, sizeof pid.integer);
    out->name.size = sizeof pid.integer;
    out->name.kind = PRESENCE__INT64;
  }
  return PRESENCE_OK;
}

/* ---- Layout ---- */

static enum presence__kind kind_of(const presence_meta *record) {
  return (enum presence__kind)(record->key_bits >> PRESENCE__KIND_SHIFT & 3);
}

static bool has_suffix(const presence_meta *record) {
  return (record->key_bits & PRESENCE__HAS_SUFFIX) != 0;
}

static const char *tail(const presence_meta *record) {
  return record->bytes + presence__key_size(record);
}

/* Bytes of the pid, or of its size, at the head of the tail. */
static size_t head_size(enum presence__kind kind) {
  return kind == PRESENCE__INT64 ? 8 : 4;
}

struct places {
  size_t pid; /* offsets in the tail */
  size_t meta;
  size_t suffix;
  size_t end;
};

static struct places places_of(const presence_meta *record) {
  struct places at;
  const char *start = tail(record);
  enum presence__kind kind = kind_of(record);
  uint32_t pid_size = 0;
  uint16_t suffix_size = 0;
  if (kind == PRESENCE__STRING) memcpy(&pid_size, start, sizeof pid_size);
  at.pid = head_size(kind);
  if (has_suffix(record)) {
    memcpy(&suffix_size, start + at.pid, sizeof suffix_size);
    at.pid += sizeof suffix_size;
  }
  at.meta = at.pid + pid_size;
  at.suffix = at.meta + record->meta_size;
  at.end = at.suffix + suffix_size;
  return at;
}

size_t presence__tail_size(const presence_meta *record) {
  return places_of(record).end;
}

struct presence__name presence__record_pid(const presence_meta *record) {
  enum presence__kind kind = kind_of(record);
  if (kind != PRESENCE__STRING) return (struct presence__name){tail(record), head_size(kind), kind};
  struct places at = places_of(record);
  return (struct presence__name){tail(record) + at.pid, at.meta - at.pid, kind};
}

presence_string presence__record_suffix(const presence_meta *record) {
  struct places at = places_of(record);
  return (presence_string){tail(record) + at.suffix, at.end - at.suffix};
}

presence_string presence_meta_data(const presence_meta *meta) {
  struct places at = places_of(meta);
  return (presence_string){tail(meta) + at.meta, meta->meta_size};
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
  *size = sizeof(presence_meta) + parts->key.size + head_size(pid->kind) +
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
  return size == presence__tail_size(b) && memcmp(tail(a), tail(b), size) == 0;
}

int presence__records_compare(const presence_meta *a, const presence_meta *b) {
  uint32_t kind_a = a->key_bits & ~PRESENCE__KEY_SIZE_MASK;
  uint32_t kind_b = b->key_bits & ~PRESENCE__KEY_SIZE_MASK;
  if (kind_a != kind_b) return kind_a < kind_b ? -1 : 1;
  if (a->meta_size != b->meta_size) return a->meta_size < b->meta_size ? -1 : 1;
  size_t size_a = presence__tail_size(a), size_b = presence__tail_size(b);
  if (size_a != size_b) return size_a < size_b ? -1 : 1;
  return memcmp(tail(a), tail(b), size_a);
}
