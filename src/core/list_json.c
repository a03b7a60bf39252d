/* JSON of lists and differences, through a stage of a few KB so that a sink is called seldom. */
#include "core/edit.h"
#include "core/entry.h"
#include "text/json.h"
#include "text/utf8.h"

#define STAGE_BYTES ((size_t)4096)

struct writer {
  presence_sink sink;
  bool failed;
  size_t used;
  char stage[STAGE_BYTES];
};

static void writer_init(struct writer *w, presence_sink sink) {
  w->sink = sink;
  w->failed = false;
  w->used = 0;
}

static void flush(struct writer *w) {
  if (w->used && !w->failed) w->failed = !w->sink.write(w->sink.context, w->stage, w->used);
  w->used = 0;
}

static void write(struct writer *w, const char *bytes, size_t size) {
  if (size > STAGE_BYTES - w->used) flush(w);
  if (size > STAGE_BYTES) {
    if (!w->failed) w->failed = !w->sink.write(w->sink.context, bytes, size);
    return;
  }
  if (size) memcpy(w->stage + w->used, bytes, size);
  w->used += size;
}

#define WRITE(w, text) write(w, text, sizeof(text) - 1)

/* Ends a text; what status it has. */
static enum presence_status finish(struct writer *w) {
  flush(w);
  return w->failed ? PRESENCE_WRITE_FAILED : PRESENCE_OK;
}

/* A name as a JSON string. One of any length goes through the stage, by pieces that end between
   characters: a quoted piece without its quotes is that piece escaped. */
static void write_name(struct writer *w, presence_string name) {
  char quoted[6 * 256 + 2];
  WRITE(w, "\"");
  while (name.size) {
    size_t piece = name.size < 256 ? name.size : 256;
    while (piece < name.size && ((unsigned char)name.bytes[piece] & 0xC0) == 0x80)
      piece--;
    char *end = presence__json_quote(quoted, name.bytes, piece);
    write(w, quoted + 1, (size_t)(end - quoted) - 2);
    name.bytes += piece;
    name.size -= piece;
  }
  WRITE(w, "\"");
}

static void write_meta(struct writer *w, const presence_meta *meta, enum presence_view view) {
  presence_string data = presence_meta_data(meta);
  presence_string suffix = {NULL, 0};
  if (view == PRESENCE_WIRE) suffix = presence__record_suffix(meta);
  write(w, data.bytes, data.size - (suffix.size != 0));
  write(w, suffix.bytes, suffix.size);
}

/* One member of an object of entries; *first is cleared. */
static void write_entry(struct writer *w, presence_string key, const presence_entry *entry,
                        enum presence_view view, bool *first) {
  if (!*first) WRITE(w, ",");
  *first = false;
  write_name(w, key);
  WRITE(w, ":{\"metas\":[");
  presence_meta_iter iter;
  presence_meta_iter_init(&iter, entry);
  const presence_meta *meta = presence_meta_iter_next(&iter);
  while (meta) {
    write_meta(w, meta, view);
    meta = presence_meta_iter_next(&iter);
    if (meta) WRITE(w, ",");
  }
  WRITE(w, "]}");
}

enum presence_status presence_list_json(const presence_state *state, presence_string topic,
                                        enum presence_view view, presence_sink sink) {
  struct writer w;
  writer_init(&w, sink);
  presence_entry_iter iter;
  presence_entry_iter_init(&iter, presence_find_topic(state, topic));
  presence_string key;
  bool first = true;
  WRITE(&w, "{");
  for (const presence_entry *entry; (entry = presence_entry_iter_next(&iter, &key));) {
    write_entry(&w, key, entry, view, &first);
    if (w.failed) break;
  }
  WRITE(&w, "}");
  return finish(&w);
}

/* Writes the joins, or the leaves, of a topic. */
static enum presence_status write_side(struct writer *w, const presence_state *old,
                                       const presence_state *now, presence_string topic,
                                       enum presence_view view, bool joins) {
  presence_diff_iter iter;
  presence_change change;
  bool first = true;
  presence_diff_iter_init_topic(&iter, old, now, topic);
  while (!w->failed && presence_diff_iter_next(&iter, &change)) {
    presence_entry *entry;
    enum presence_status status =
        presence_entry_difference(old->heap, joins ? change.after : change.before,
                                  joins ? change.before : change.after, &entry);
    if (status != PRESENCE_OK) return status;
    if (!entry) continue;
    write_entry(w, change.key, entry, view, &first);
    presence_entry_release(old->heap, entry);
  }
  return PRESENCE_OK;
}

enum presence_status presence_diff_json(const presence_state *old, const presence_state *now,
                                        presence_string topic, enum presence_view view,
                                        presence_sink sink) {
  struct writer w;
  presence_diff_iter iter;
  presence_change change;
  presence_diff_iter_init_topic(&iter, old, now, topic);
  if (!presence_diff_iter_next(&iter, &change)) return PRESENCE_UNCHANGED;
  writer_init(&w, sink);
  WRITE(&w, "{\"joins\":{");
  enum presence_status status = write_side(&w, old, now, topic, view, true);
  WRITE(&w, "},\"leaves\":{");
  if (status == PRESENCE_OK) status = write_side(&w, old, now, topic, view, false);
  WRITE(&w, "}}");
  return status == PRESENCE_OK ? finish(&w) : status;
}

static enum presence_status check(presence_string key, presence_string meta) {
  if (!presence__utf8_valid(key.bytes, key.size)) return PRESENCE_NOT_UTF8;
  return presence__check_meta(meta);
}

static void write_single(struct writer *w, presence_string key, presence_string meta) {
  WRITE(w, "{");
  write_name(w, key);
  WRITE(w, ":{\"metas\":[");
  write(w, meta.bytes, meta.size);
  WRITE(w, "]}}");
}

enum presence_status presence_join_diff_json(presence_string key, presence_string meta,
                                             presence_sink sink) {
  enum presence_status status = check(key, meta);
  if (status != PRESENCE_OK) return status;
  struct writer w;
  writer_init(&w, sink);
  WRITE(&w, "{\"joins\":");
  write_single(&w, key, meta);
  WRITE(&w, ",\"leaves\":{}}");
  return finish(&w);
}

enum presence_status presence_leave_diff_json(presence_string key, presence_string meta,
                                              presence_sink sink) {
  enum presence_status status = check(key, meta);
  if (status != PRESENCE_OK) return status;
  struct writer w;
  writer_init(&w, sink);
  WRITE(&w, "{\"joins\":{},\"leaves\":");
  write_single(&w, key, meta);
  WRITE(&w, "}");
  return finish(&w);
}
