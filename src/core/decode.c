/* Reading trusts nothing: the checksum finds accidents, and every rule of the form is checked,
   since bytes may come from elsewhere. */
#include "core/binary.h"
#include "core/edit.h"
#include "core/hash.h"
#include "core/suffix.h"
#include "core/trie.h"
#include "text/json.h"

struct decoder {
  presence_heap *heap;
  presence_editor *editor;
  const char *at;
  const char *end;
  enum presence_status status; /* the first that is not PRESENCE_OK stays */
};

static bool fail(struct decoder *d, enum presence_status status) {
  if (d->status == PRESENCE_OK) d->status = status;
  return false;
}

static bool damaged(struct decoder *d) {
  return fail(d, PRESENCE_DAMAGED);
}

static bool get_byte(struct decoder *d, unsigned *byte) {
  if (d->at == d->end) return damaged(d);
  *byte = (unsigned char)*d->at++;
  return true;
}

static bool get_number(struct decoder *d, uint64_t *number) {
  unsigned byte = 0, shift = 0;
  *number = 0;
  do {
    if (!get_byte(d, &byte)) return false;
    if (shift == 63 && byte > 1) return damaged(d);
    *number |= (uint64_t)(byte & 0x7f) << shift;
    shift += 7;
  } while (byte & 0x80);
  return byte != 0 || shift == 7 || damaged(d);
}

static bool get_string(struct decoder *d, presence_string *s) {
  uint64_t size;
  if (!get_number(d, &size)) return false;
  if (size > (uint64_t)(d->end - d->at)) return damaged(d);
  *s = (presence_string){d->at, (size_t)size};
  d->at += size;
  return true;
}

static bool get_pid(struct decoder *d, unsigned flags, struct presence__pid *out) {
  presence_pid pid;
  if (flags & PRESENCE__FLAG_STRING) {
    presence_string text;
    if (!get_string(d, &text)) return false;
    pid = presence_pid_string(text.bytes, text.size);
  } else {
    uint64_t number;
    if (!get_number(d, &number)) return false;
    int64_t half = (int64_t)(number >> 1);
    pid = presence_pid_integer(number & 1 ? ~half : half);
  }
  return presence__pid_init(out, pid) == PRESENCE_OK || damaged(d);
}

static bool is_json(presence_string text) {
  struct presence__json json;
  return text.size <= PRESENCE_MAX_META_BYTES &&
         presence__json_scan(text.bytes, text.size, PRESENCE__JSON_DEPTH_CEILING, &json);
}

/* The refs behind a meta's bytes. */
static bool get_refs(struct decoder *d, presence_string data, struct presence__suffix *suffix) {
  presence_string ref, previous;
  if (!get_string(d, &ref) || !get_string(d, &previous)) return false;
  if (data.bytes[0] == '{' && !presence__suffix_is_free(data)) return damaged(d);
  if (presence__suffix_check(data, ref) != PRESENCE_OK) return damaged(d);
  if (previous.size && presence__suffix_check(data, previous) != PRESENCE_OK) return damaged(d);
  presence__suffix_write(suffix, data, ref, previous);
  return true;
}

/* Reads one meta into *entry, which is released by the caller in any case. */
static bool get_meta(struct decoder *d, presence_string key, uint64_t key_hash,
                     presence__slot *entry) {
  struct presence__pid pid;
  struct presence__suffix suffix;
  presence_string data;
  unsigned flags;
  suffix.size = 0;
  if (!get_byte(d, &flags)) return false;
  if (flags & ~(PRESENCE__FLAG_STRING | PRESENCE__FLAG_REF)) return damaged(d);
  if (!get_pid(d, flags, &pid) || !get_string(d, &data)) return false;
  if (!is_json(data)) return damaged(d);
  if (flags & PRESENCE__FLAG_REF && !get_refs(d, data, &suffix)) return false;
  struct presence__parts parts = {key,   key_hash, &pid.name, data, {suffix.bytes, suffix.size},
                                  *entry};
  size_t size;
  presence_meta *record = presence__record_new(d->heap, &parts, &size);
  if (!record) return fail(d, PRESENCE_OUT_OF_MEMORY);
  struct presence__tally tally = {0, 0};
  bool done = presence__entry_add(d->heap, entry, record, &tally);
  presence__release(d->heap, presence__slot_of(record, PRESENCE__RECORD));
  presence__heap_pay(d->heap);
  return done || fail(d, PRESENCE_OUT_OF_MEMORY);
}

static bool get_key(struct decoder *d, presence_string topic) {
  presence_string key = {NULL, 0};
  uint64_t metas;
  if (!get_string(d, &key) || !get_number(d, &metas)) return false;
  if (metas == 0 || metas > UINT32_MAX) return damaged(d);
  if (key.size > PRESENCE_MAX_NAME_BYTES) return damaged(d);
  if (presence_get(presence_editor_state(d->editor), topic, key)) return damaged(d);
  struct presence__name name = presence__name_of(key);
  uint64_t hash = presence__name_hash(&name);
  presence__slot entry = 0;
  bool done = true;
  while (done && metas-- > 0)
    done = get_meta(d, key, hash, &entry);
  if (done) {
    /* Named by what its records share, so that a long key is not compared with itself. */
    presence_string own = presence__key(presence__first_record(entry));
    enum presence_status status =
        presence_editor_join(d->editor, topic, own, presence__entry_of(entry));
    if (status != PRESENCE_OK)
      done = fail(d, status == PRESENCE_OUT_OF_MEMORY ? status : PRESENCE_DAMAGED);
  }
  presence_entry_release(d->heap, presence__entry_of(entry));
  return done;
}

static bool get_topic(struct decoder *d) {
  presence_string name;
  uint64_t keys;
  if (!get_string(d, &name) || !get_number(d, &keys)) return false;
  if (keys == 0 || name.size > PRESENCE_MAX_NAME_BYTES) return damaged(d);
  if (presence_find_topic(presence_editor_state(d->editor), name)) return damaged(d);
  while (keys-- > 0)
    if (!get_key(d, name)) return false;
  return true;
}

static bool checksum_is_right(presence_string bytes) {
  uint64_t checksum = 0, blocks = 0, stored = 0;
  size_t size = bytes.size - PRESENCE__CHECKSUM_BYTES, done = 0;
  while (done < size) {
    size_t block = size - done < PRESENCE__BLOCK_BYTES ? size - done : PRESENCE__BLOCK_BYTES;
    checksum = presence__siphash(checksum, blocks++, bytes.bytes + done, block);
    done += block;
  }
  for (unsigned i = 0; i < PRESENCE__CHECKSUM_BYTES; i++)
    stored |= (uint64_t)(unsigned char)bytes.bytes[size + i] << (8 * i);
  return checksum == stored;
}

static bool get_state(struct decoder *d) {
  unsigned version;
  uint64_t topics;
  if (memcmp(d->at, PRESENCE__MAGIC, PRESENCE__MAGIC_BYTES) != 0) return damaged(d);
  d->at += PRESENCE__MAGIC_BYTES;
  if (!get_byte(d, &version) || !get_number(d, &topics)) return false;
  if (version != PRESENCE__FORM_VERSION) return damaged(d);
  while (topics-- > 0)
    if (!get_topic(d)) return false;
  return d->at == d->end || damaged(d);
}

enum presence_status presence_decode(presence_heap *heap, presence_string bytes,
                                     presence_state **out) {
  if (bytes.size < PRESENCE__MAGIC_BYTES + 2 + PRESENCE__CHECKSUM_BYTES) return PRESENCE_DAMAGED;
  if (!checksum_is_right(bytes)) return PRESENCE_DAMAGED;
  presence_state *empty = presence_state_new(heap);
  struct decoder d = {heap, empty ? presence_editor_open(empty) : NULL, bytes.bytes,
                      bytes.bytes + bytes.size - PRESENCE__CHECKSUM_BYTES, PRESENCE_OK};
  presence_state_release(empty);
  if (!d.editor) return PRESENCE_OUT_OF_MEMORY;
  if (get_state(&d)) {
    *out = presence_editor_close(d.editor);
    return PRESENCE_OK;
  }
  presence_editor_discard(d.editor);
  return d.status;
}
