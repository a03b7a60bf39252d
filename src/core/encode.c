#include "core/binary.h"
#include "core/edit.h"
#include "core/hash.h"
#include "core/suffix.h"

struct encoder {
  presence_sink sink;
  bool failed;
  size_t used;
  uint64_t blocks;
  uint64_t checksum;
  char block[PRESENCE__BLOCK_BYTES];
};

static void flush(struct encoder *e) {
  e->checksum = presence__siphash(e->checksum, e->blocks++, e->block, e->used);
  if (!e->failed) e->failed = !e->sink.write(e->sink.context, e->block, e->used);
  e->used = 0;
}

static void put(struct encoder *e, const char *bytes, size_t size) {
  while (size > 0) {
    size_t room = PRESENCE__BLOCK_BYTES - e->used;
    size_t piece = size < room ? size : room;
    memcpy(e->block + e->used, bytes, piece);
    e->used += piece;
    bytes += piece;
    size -= piece;
    if (e->used == PRESENCE__BLOCK_BYTES) flush(e);
  }
}

static void put_byte(struct encoder *e, unsigned byte) {
  char c = (char)byte;
  put(e, &c, 1);
}

static void put_number(struct encoder *e, uint64_t number) {
  for (; number >= 0x80; number >>= 7)
    put_byte(e, (unsigned)(number & 0x7f) | 0x80);
  put_byte(e, (unsigned)number);
}

static void put_string(struct encoder *e, presence_string s) {
  put_number(e, s.size);
  put(e, s.bytes, s.size);
}

static void put_meta(struct encoder *e, const presence_meta *meta) {
  presence_pid pid = presence_meta_pid(meta);
  presence_string ref = presence_meta_ref(meta);
  put_byte(e, (pid.bytes ? PRESENCE__FLAG_STRING : 0) | (ref.size ? PRESENCE__FLAG_REF : 0));
  if (pid.bytes) {
    put_string(e, (presence_string){pid.bytes, pid.size});
  } else {
    /* 0, -1, 1, -2 ... become 0, 1, 2, 3 ... */
    uint64_t doubled = (uint64_t)pid.integer << 1;
    put_number(e, pid.integer < 0 ? ~doubled : doubled);
  }
  put_string(e, presence_meta_data(meta));
  if (ref.size == 0) return;
  put_string(e, ref);
  put_string(e, presence__suffix_previous(meta));
}

static void put_topic(struct encoder *e, const presence_topic *topic) {
  put_string(e, presence_topic_name(topic));
  put_number(e, presence_topic_count(topic));
  presence_entry_iter entries;
  presence_entry_iter_init(&entries, topic);
  presence_string key;
  for (const presence_entry *entry; (entry = presence_entry_iter_next(&entries, &key));) {
    put_string(e, key);
    put_number(e, presence_entry_count(entry));
    presence_meta_iter metas;
    presence_meta_iter_init(&metas, entry);
    for (const presence_meta *meta; (meta = presence_meta_iter_next(&metas));)
      put_meta(e, meta);
    if (e->failed) return;
  }
}

enum presence_status presence_encode(const presence_state *state, presence_sink sink) {
  struct encoder e;
  e.sink = sink;
  e.failed = false;
  e.used = 0;
  e.blocks = e.checksum = 0;
  put(&e, PRESENCE__MAGIC, PRESENCE__MAGIC_BYTES);
  put_byte(&e, PRESENCE__FORM_VERSION);
  put_number(&e, state->topics);
  presence_topic_iter topics;
  presence_topic_iter_init(&topics, state);
  for (const presence_topic *topic; !e.failed && (topic = presence_topic_iter_next(&topics));)
    put_topic(&e, topic);
  if (e.used) flush(&e);
  char checksum[PRESENCE__CHECKSUM_BYTES];
  for (unsigned i = 0; i < PRESENCE__CHECKSUM_BYTES; i++)
    checksum[i] = (char)(e.checksum >> (8 * i));
  if (!e.failed) e.failed = !sink.write(sink.context, checksum, sizeof checksum);
  return e.failed ? PRESENCE_WRITE_FAILED : PRESENCE_OK;
}
