/* One presence: one allocation, shared by every state that holds it.

     | refs 4 | hash 4 | key 4 | meta 4 | key bytes | pid | suffix size 2 | pid bytes | meta |
   suffix | 0        4        8       12       16

   hash: the high half of the key's hash. key: its size in the low 28 bits, then the kind of pid,
   whether there is a suffix, and whether the key is long: then its bytes are a pointer to a text,
   which the records of that key share, so that a key with many metas is there once. pid: 4 or 8
   bytes of an integer (whichever is enough), or 4 bytes of the size of a string. A meta on the wire
   is its bytes without the last brace, and the suffix (`,"phx_ref":"..."}`). All behind the key is
   the tail: two records of one key are equal when their tails are. */
#ifndef PRESENCE_CORE_RECORD_H
#define PRESENCE_CORE_RECORD_H

#include <string.h>

#include "core/hash.h"
#include "core/heap.h"
#include "core/presence.h"
#include "core/slot.h"

struct presence_meta {
  presence__refcount refs;
  uint32_t hash;
  uint32_t key_bits;
  uint32_t meta_size;
  char bytes[];
};

enum presence__kind { PRESENCE__INT32 = 0, PRESENCE__INT64, PRESENCE__STRING };

#define PRESENCE__KEY_SIZE_MASK 0x0FFFFFFFu
#define PRESENCE__KIND_SHIFT 28
#define PRESENCE__HAS_SUFFIX 0x40000000u
#define PRESENCE__LONG_KEY 0x80000000u
/* What the bits say of the tail. */
#define PRESENCE__TAIL_BITS 0x70000000u
/* Keys of more bytes are texts of their own. */
#define PRESENCE__SHORT_KEY_BYTES ((size_t)64)

/* The name of a topic, or a long key; shared. */
struct presence__text {
  presence__refcount refs;
  uint32_t size;
  char bytes[];
};

/* A *new* one; NULL: out of memory. */
struct presence__text *presence__text_new(presence_heap *heap, presence_string name);

static inline void presence__text_release(presence_heap *heap, struct presence__text *text) {
  if (presence__refs_down(&text->refs)) presence__give(heap, text, sizeof *text + text->size);
}

/* What tells leaves of a trie apart: bytes of a kind. Names of topics and keys are strings. */
struct presence__name {
  const char *bytes;
  size_t size;
  enum presence__kind kind;
};

/* A pid ready to be compared and stored; integer holds the bytes of an integer. */
struct presence__pid {
  struct presence__name name;
  char integer[8];
};

static inline struct presence__name presence__name_of(presence_string s) {
  return (struct presence__name){s.bytes, s.size, PRESENCE__STRING};
}

static inline uint64_t presence__load8(const char *p) {
  uint64_t word;
  memcpy(&word, p, sizeof word);
  return word;
}

/* Names are mostly of 8 to 16 bytes, where two words that may overlap beat a call. */
static inline bool presence__bytes_equal(const char *a, const char *b, size_t size) {
  if (size - 8 <= 8)
    return ((presence__load8(a) ^ presence__load8(b)) |
            (presence__load8(a + size - 8) ^ presence__load8(b + size - 8))) == 0;
  if (size == 4) return memcmp(a, b, 4) == 0; /* a pid: one word */
  return size == 0 || memcmp(a, b, size) == 0;
}

struct presence__sixteen {
  uint64_t words[2];
};

static inline void presence__copy_sixteen(char *to, const char *from) {
  struct presence__sixteen block;
  memcpy(&block, from, sizeof block);
  memcpy(to, &block, sizeof block);
}

/* The first and the last sixteen bytes of size: 16 to 32 of them. */
static inline void presence__copy_ends(char *to, const char *from, size_t size) {
  presence__copy_sixteen(to, from);
  presence__copy_sixteen(to + size - 16, from + size - 16);
}

/* Blocks that may overlap, for names and metas are short: a call costs more than its work. */
static inline void presence__bytes_copy(char *to, const char *from, size_t size) {
  if (size - 8 <= 8) {
    uint64_t first = presence__load8(from), last = presence__load8(from + size - 8);
    memcpy(to, &first, sizeof first);
    memcpy(to + size - 8, &last, sizeof last);
  } else if (size - 32 <= 64) {
    presence__copy_ends(to, from, size);
    presence__copy_ends(to + 16, from + 16, size - 32);
    if (size > 64) presence__copy_ends(to + 32, from + 32, size - 64);
  } else if (size) {
    memcpy(to, from, size);
  }
}

static inline bool presence__names_equal(const struct presence__name *a,
                                         const struct presence__name *b) {
  return a->size == b->size && a->kind == b->kind &&
         presence__bytes_equal(a->bytes, b->bytes, a->size);
}

/* A total order: below, equal to or above 0. */
int presence__names_compare(const struct presence__name *a, const struct presence__name *b);

/* The hash by which a name stands in its trie. */
static inline uint64_t presence__name_hash(const struct presence__name *name) {
  return presence__hash(name->bytes, name->size);
}

/* Makes *out ready; it must not be moved or copied afterwards. PRESENCE_BAD_PID,
   PRESENCE_TOO_LARGE. */
static inline enum presence_status presence__pid_init(struct presence__pid *out, presence_pid pid) {
  if (pid.bytes) {
    if (pid.size > PRESENCE_MAX_NAME_BYTES) return PRESENCE_TOO_LARGE;
    out->name = (struct presence__name){pid.bytes, pid.size, PRESENCE__STRING};
    return PRESENCE_OK;
  }
  out->name.bytes = out->integer;
  int32_t narrow = (int32_t)pid.integer;
  if (narrow == pid.integer) {
    memcpy(out->integer, &narrow, sizeof narrow);
    out->name.size = sizeof narrow;
    out->name.kind = PRESENCE__INT32;
  } else {
    if (pid.integer > PRESENCE_MAX_PID || pid.integer < -PRESENCE_MAX_PID) return PRESENCE_BAD_PID;
    memcpy(out->integer, &pid.integer, sizeof pid.integer);
    out->name.size = sizeof pid.integer;
    out->name.kind = PRESENCE__INT64;
  }
  return PRESENCE_OK;
}

/* What a new record is made of. */
struct presence__parts {
  presence_string key;
  uint64_t key_hash;
  const struct presence__name *pid;
  presence_string meta;
  presence_string suffix; /* size 0: none */
  presence__slot kin;     /* an entry of that key, whose text is shared; 0: none */
};

static inline char *presence__append(char *at, const void *bytes, size_t size) {
  if (size) memcpy(at, bytes, size);
  return at + size;
}

/* A *new* record of a short key, and its size; NULL: out of memory. */
PRESENCE__FAST presence_meta *
presence__record_inline(presence_heap *heap, const struct presence__parts *parts, size_t *size) {
  const struct presence__name *pid = parts->pid;
  bool is_string = pid->kind == PRESENCE__STRING;
  uint16_t suffix_size = (uint16_t)parts->suffix.size;
  *size = sizeof(presence_meta) + parts->key.size + (pid->kind == PRESENCE__INT64 ? 8 : 4) +
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
    at = presence__append(at, pid->bytes, 8);
  else
    at = presence__append(at, is_string ? (const char *)&pid_size : pid->bytes, 4);
  if (suffix_size) at = presence__append(at, &suffix_size, sizeof suffix_size);
  if (is_string) at = presence__append(at, pid->bytes, pid->size);
  presence__bytes_copy(at, parts->meta.bytes, parts->meta.size);
  if (suffix_size) memcpy(at + parts->meta.size, parts->suffix.bytes, suffix_size);
  return record;
}

/* The same of any key, as a call. */
presence_meta *presence__record_new(presence_heap *heap, const struct presence__parts *parts,
                                    size_t *size);

/* A *new* record of the same pid, meta and suffix under another key; kin as in the parts. */
presence_meta *presence__record_rekey(presence_heap *heap, const presence_meta *record,
                                      presence_string key, uint64_t key_hash, presence__slot kin);

static inline bool presence__has_long_key(const presence_meta *record) {
  return (int32_t)record->key_bits < 0;
}

/* The text of a long key. */
static inline struct presence__text *presence__long_key(const presence_meta *record) {
  struct presence__text *text;
  memcpy(&text, record->bytes, sizeof text);
  return text;
}

static inline presence_string presence__key(const presence_meta *record) {
  if (!presence__has_long_key(record))
    return (presence_string){record->bytes, record->key_bits & PRESENCE__KEY_SIZE_MASK};
  const struct presence__text *text = presence__long_key(record);
  return (presence_string){text->bytes, text->size};
}

/* Part of the next. */
bool presence__long_key_is(const presence_meta *record, presence_string key);

/* Is it a record of that key, of which this is the high half of the hash? The size of a short key
   is compared with its sign extended: no size equals that of a long one. */
static inline bool presence__record_is_of(const presence_meta *record, uint32_t hash_high,
                                          presence_string key) {
  if (record->hash != hash_high) return false;
  int64_t size = (int32_t)(record->key_bits & (PRESENCE__LONG_KEY | PRESENCE__KEY_SIZE_MASK));
  if ((size_t)size == key.size) return presence__bytes_equal(record->bytes, key.bytes, key.size);
  return presence__has_long_key(record) && presence__long_key_is(record, key);
}

static inline enum presence__kind presence__kind_of(const presence_meta *record) {
  return (enum presence__kind)(record->key_bits >> PRESENCE__KIND_SHIFT & 3);
}

static inline bool presence__has_suffix(const presence_meta *record) {
  return (record->key_bits & PRESENCE__HAS_SUFFIX) != 0;
}

/* Bytes of the key in the record itself. */
static inline uint32_t presence__key_bytes(const presence_meta *record) {
  return record->key_bits & PRESENCE__KEY_SIZE_MASK;
}

static inline const char *presence__tail(const presence_meta *record) {
  return record->bytes + presence__key_bytes(record);
}

/* Bytes of the pid, or of its size, at the head of the tail. */
static inline size_t presence__head_size(enum presence__kind kind) {
  return kind == PRESENCE__INT64 ? 8 : 4;
}

struct presence__places {
  size_t pid; /* offsets in the tail */
  size_t meta;
  size_t suffix;
  size_t end;
};

static inline struct presence__places presence__places_of(const presence_meta *record) {
  struct presence__places at;
  const char *start = presence__tail(record);
  enum presence__kind kind = presence__kind_of(record);
  uint32_t pid_size = 0;
  uint16_t suffix_size = 0;
  if (kind == PRESENCE__STRING) memcpy(&pid_size, start, sizeof pid_size);
  at.pid = presence__head_size(kind);
  if (presence__has_suffix(record)) {
    memcpy(&suffix_size, start + at.pid, sizeof suffix_size);
    at.pid += sizeof suffix_size;
  }
  at.meta = at.pid + pid_size;
  at.suffix = at.meta + record->meta_size;
  at.end = at.suffix + suffix_size;
  return at;
}

static inline size_t presence__tail_size(const presence_meta *record) {
  return presence__places_of(record).end;
}

static inline size_t presence__record_size(const presence_meta *record) {
  return sizeof *record + presence__key_bytes(record) + presence__tail_size(record);
}

/* Frees a record of so many bytes whose count has come to 0. */
static inline void presence__record_give(presence_heap *heap, presence_meta *record, size_t size) {
  if (__builtin_expect(presence__has_long_key(record), false))
    presence__text_release(heap, presence__long_key(record));
  presence__give(heap, record, size);
}

static inline struct presence__name presence__record_pid(const presence_meta *record) {
  enum presence__kind kind = presence__kind_of(record);
  const char *tail = presence__tail(record);
  if (kind != PRESENCE__STRING)
    return (struct presence__name){tail, presence__head_size(kind), kind};
  struct presence__places at = presence__places_of(record);
  return (struct presence__name){tail + at.pid, at.meta - at.pid, kind};
}

presence_string presence__record_suffix(const presence_meta *record);

/* By pid, meta and suffix; the key does not count. compare is a total order. */
bool presence__records_equal(const presence_meta *a, const presence_meta *b);
int presence__records_compare(const presence_meta *a, const presence_meta *b);

#endif
