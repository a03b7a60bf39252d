#include "net/phoenix.h"

#include <string.h>

enum { parts = 5 };

/* What is wrong with the i-th element being of that kind, or NULL. */
static const char *fault_of_part(size_t i, enum presence__json_kind kind) {
  bool string = kind == PRESENCE__JSON_STRING;
  bool ref = string || kind == PRESENCE__JSON_NUMBER || kind == PRESENCE__JSON_NULL;
  switch (i) {
  case 0:
    return ref ? NULL : "join_ref is no string, number or null";
  case 1:
    return ref ? NULL : "ref is no string, number or null";
  case 2:
    return string ? NULL : "topic is no string";
  case 3:
    return string ? NULL : "event is no string";
  default:
    return NULL;
  }
}

static struct presence__json_span unless_null(struct presence__json_span ref) {
  if (ref.size && presence__json_kind_of(ref.text) == PRESENCE__JSON_NULL) ref.size = 0;
  return ref;
}

const char *presence__v2_cut(const char *text, size_t n, unsigned max_depth,
                             struct presence__phoenix *out, size_t *offset) {
  const char *end = n ? text + n : text;
  const char *p = presence__json_skip_space(text, end);
  struct presence__json_span part[parts];
  size_t ignored;
  if (!offset) offset = &ignored;
  *offset = (size_t)(p - text);
  if (p >= end || *p != '[') return "not an array";
  for (size_t i = 0;; i++) {
    struct presence__json value;
    p++;
    *offset = (size_t)(p - text);
    if (!presence__json_scan_first(p, (size_t)(end - p), max_depth, &value)) {
      *offset += value.fault_at;
      return value.reason;
    }
    const char *fault = fault_of_part(i, value.kind);
    if (fault) return fault;
    if (i < parts) part[i] = (struct presence__json_span){value.text, value.size};
    p = presence__json_skip_space(value.text + value.size, end);
    *offset = (size_t)(p - text);
    if (p >= end) return "unexpected end";
    if (*p == ']') {
      if (i + 1 < parts) return "fewer than five elements";
      break;
    }
    if (*p != ',') return "a comma or the end is missing";
  }
  p = presence__json_skip_space(p + 1, end);
  *offset = (size_t)(p - text);
  if (p < end) return "something follows the array";
  *out = (struct presence__phoenix){unless_null(part[0]), unless_null(part[1]), part[2], part[3],
                                    part[4]};
  return NULL;
}

/* In the order of the parts. */
static const struct {
  const char *name;
  const char *missing; /* NULL: it may be */
} members[parts] = {
    {"join_ref", NULL},    {"ref", "no ref"},         {"topic", "no topic"},
    {"event", "no event"}, {"payload", "no payload"},
};

static void take_members(const struct presence__json *object, struct presence__json_span *part) {
  struct presence__json_walk walk;
  struct presence__json_span name, value;
  presence__json_walk_init(&walk, object->text, object->size);
  while (presence__json_next_member(&walk, &name, &value))
    for (size_t i = 0; i < parts; i++)
      if (presence__json_string_is(name.text, name.size, members[i].name, strlen(members[i].name)))
        part[i] = value;
}

const char *presence__v1_cut(const char *text, size_t n, unsigned max_depth,
                             struct presence__phoenix *out, size_t *offset) {
  struct presence__json found;
  struct presence__json_span part[parts] = {{NULL, 0}};
  size_t ignored;
  if (!offset) offset = &ignored;
  /* The object is one level above its members. */
  if (!presence__json_scan(text, n, max_depth + 1, &found)) {
    *offset = found.fault_at;
    return found.reason;
  }
  *offset = (size_t)(found.text - text);
  if (found.kind != PRESENCE__JSON_OBJECT) return "not an object";
  take_members(&found, part);
  for (size_t i = 0; i < parts; i++) {
    if (!part[i].size && members[i].missing) return members[i].missing;
    const char *fault =
        part[i].size ? fault_of_part(i, presence__json_kind_of(part[i].text)) : NULL;
    if (fault) {
      *offset = (size_t)(part[i].text - text);
      return fault;
    }
  }
  *out = (struct presence__phoenix){unless_null(part[0]), unless_null(part[1]), part[2], part[3],
                                    part[4]};
  return NULL;
}

static char *put(char *dst, const char *bytes, size_t n) {
  memcpy(dst, bytes, n);
  return dst + n;
}

static char *put_ref(char *dst, struct presence__json_span ref) {
  dst = ref.size ? put(dst, ref.text, ref.size) : put(dst, "null", 4);
  *dst = ',';
  return dst + 1;
}

static size_t ref_size(struct presence__json_span ref) {
  return (ref.size ? ref.size : 4) + 1;
}

struct presence__message *presence__v2_encode(const struct presence__allocator *allocator,
                                              struct presence__json_span join_ref,
                                              struct presence__json_span ref,
                                              struct presence__json_span topic,
                                              struct presence__json_span event,
                                              struct presence__json_span payload) {
  size_t size = 1 + ref_size(join_ref) + ref_size(ref) +
                presence__json_quote_size(topic.text, topic.size) + 1 +
                presence__json_quote_size(event.text, event.size) + 1 + payload.size + 1;
  struct presence__message *m = presence__message_new(allocator, PRESENCE__WS_OP_TEXT, size);
  if (!m) return NULL;
  char *dst = presence__message_payload(m);
  *dst++ = '[';
  dst = put_ref(dst, join_ref);
  dst = put_ref(dst, ref);
  dst = presence__json_quote(dst, topic.text, topic.size);
  *dst++ = ',';
  dst = presence__json_quote(dst, event.text, event.size);
  *dst++ = ',';
  dst = put(dst, payload.text, payload.size);
  *dst = ']';
  return m;
}

#define TOPIC "{\"topic\":"
#define EVENT ",\"event\":"
#define REF ",\"ref\":"
#define PAYLOAD "\"payload\":"

struct presence__message *presence__v1_encode(const struct presence__allocator *allocator,
                                              struct presence__json_span ref,
                                              struct presence__json_span topic,
                                              struct presence__json_span event,
                                              struct presence__json_span payload) {
  size_t size = sizeof TOPIC + sizeof EVENT + sizeof REF + sizeof PAYLOAD - 4 +
                presence__json_quote_size(topic.text, topic.size) +
                presence__json_quote_size(event.text, event.size) + ref_size(ref) + payload.size +
                1;
  struct presence__message *m = presence__message_new(allocator, PRESENCE__WS_OP_TEXT, size);
  if (!m) return NULL;
  char *dst = put(presence__message_payload(m), TOPIC, sizeof TOPIC - 1);
  dst = presence__json_quote(dst, topic.text, topic.size);
  dst = put(dst, EVENT, sizeof EVENT - 1);
  dst = presence__json_quote(dst, event.text, event.size);
  dst = put(dst, REF, sizeof REF - 1);
  dst = put_ref(dst, ref); /* with its comma */
  dst = put(dst, PAYLOAD, sizeof PAYLOAD - 1);
  dst = put(dst, payload.text, payload.size);
  *dst = '}';
  return m;
}
