#include "core/suffix.h"

#include <assert.h>
#include <string.h>

#include "core/record.h"

const struct presence__json_span presence__ref_names[PRESENCE__REF_NAMES] = {{"phx_ref", 7},
                                                                             {"phx_ref_prev", 12}};

#define REF_HEAD "\"phx_ref\":\""
#define PREVIOUS_HEAD "\",\"phx_ref_prev\":\""

bool presence__suffix_is_free(presence_string meta) {
  return !presence__json_has_member(meta.bytes, meta.size, presence__ref_names,
                                    PRESENCE__REF_NAMES);
}

enum presence_status presence__suffix_check(presence_string meta, presence_string ref) {
  if (meta.size > PRESENCE_MAX_META_BYTES || ref.size > PRESENCE_MAX_REF_BYTES)
    return PRESENCE_TOO_LARGE;
  if (meta.size < 2 || meta.bytes[0] != '{' || meta.bytes[meta.size - 1] != '}')
    return PRESENCE_NOT_OBJECT;
#ifndef NDEBUG
  struct presence__json json;
  assert(presence__json_scan(meta.bytes, meta.size, PRESENCE__JSON_DEPTH_CEILING, &json));
  assert(presence__suffix_is_free(meta));
#endif
  if (ref.size == 0) return PRESENCE_BAD_REF;
  for (size_t i = 0; i < ref.size; i++) {
    char c = ref.bytes[i];
    if (c < 0x20 || c > 0x7e || c == '"' || c == '\\') return PRESENCE_BAD_REF;
  }
  return PRESENCE_OK;
}

static void append(struct presence__suffix *suffix, const char *bytes, size_t size) {
  memcpy(suffix->bytes + suffix->size, bytes, size);
  suffix->size += size;
}

void presence__suffix_write(struct presence__suffix *suffix, presence_string meta,
                            presence_string ref, presence_string previous) {
  suffix->size = 0;
  if (!presence__json_is_empty(meta.bytes, meta.size)) append(suffix, ",", 1);
  append(suffix, REF_HEAD, sizeof REF_HEAD - 1);
  append(suffix, ref.bytes, ref.size);
  if (previous.size) {
    append(suffix, PREVIOUS_HEAD, sizeof PREVIOUS_HEAD - 1);
    append(suffix, previous.bytes, previous.size);
  }
  append(suffix, "\"}", 2);
}

presence_string presence_meta_ref(const presence_meta *meta) {
  presence_string suffix = presence__record_suffix(meta);
  if (suffix.size == 0) return suffix;
  size_t start = (suffix.bytes[0] == ',') + sizeof REF_HEAD - 1;
  const char *ref = suffix.bytes + start;
  const char *end = memchr(ref, '"', suffix.size - start);
  return (presence_string){ref, (size_t)(end - ref)};
}

presence_string presence__suffix_previous(const presence_meta *meta) {
  presence_string suffix = presence__record_suffix(meta), ref = presence_meta_ref(meta);
  if (ref.size == 0) return ref;
  /* Behind the ref: its quote and a brace, or the head of the other. */
  const char *behind = ref.bytes + ref.size;
  size_t rest = (size_t)(suffix.bytes + suffix.size - behind);
  if (rest <= sizeof PREVIOUS_HEAD) return (presence_string){NULL, 0};
  size_t head = sizeof PREVIOUS_HEAD - 1;
  return (presence_string){behind + head, rest - head - 2};
}
