#include "net/binary.h"

#include <string.h>

#include "text/utf8.h"

enum {
  join_ref = 1u << PRESENCE__BINARY_JOIN_REF,
  ref = 1u << PRESENCE__BINARY_REF,
  topic = 1u << PRESENCE__BINARY_TOPIC,
  event = 1u << PRESENCE__BINARY_EVENT
};

static const struct {
  unsigned char type; /* the first byte */
  unsigned char has;  /* which fields, in their order */
} kinds[] = {
    [PRESENCE__BINARY_CLIENT_PUSH] = {0, join_ref | ref | topic | event},
    [PRESENCE__BINARY_PUSH] = {0, join_ref | topic | event},
    [PRESENCE__BINARY_REPLY] = {1, join_ref | ref | topic | event},
    [PRESENCE__BINARY_BROADCAST] = {2, topic | event},
};

static bool has_field(enum presence__binary_kind kind, size_t i) {
  return kinds[kind].has >> i & 1;
}

/* Which kind begins so; false when none does that the sender may send. */
static bool kind_of(unsigned char type, bool from_server, enum presence__binary_kind *kind) {
  enum presence__binary_kind first = PRESENCE__BINARY_CLIENT_PUSH;
  enum presence__binary_kind last = PRESENCE__BINARY_CLIENT_PUSH;
  if (from_server) {
    first = PRESENCE__BINARY_PUSH;
    last = PRESENCE__BINARY_BROADCAST;
  }
  for (*kind = first; *kind <= last; (*kind)++)
    if (kinds[*kind].type == type) return true;
  return false;
}

const char *presence__binary_cut(const char *bytes, size_t n, bool from_server,
                                 struct presence__binary *out) {
  struct presence__binary parts = {.kind = PRESENCE__BINARY_CLIENT_PUSH};
  if (n == 0) return "empty";
  if (!kind_of((unsigned char)bytes[0], from_server, &parts.kind)) return "unknown kind";
  size_t at = 1;
  for (size_t i = 0; i < PRESENCE__BINARY_FIELDS; i++) {
    if (!has_field(parts.kind, i)) continue;
    if (at == n) return "head cut short";
    parts.field[i].size = (unsigned char)bytes[at++];
  }
  for (size_t i = 0; i < PRESENCE__BINARY_FIELDS; i++) {
    if (n - at < parts.field[i].size) return "field cut short";
    parts.field[i].text = bytes + at;
    if (!presence__utf8_valid(bytes + at, parts.field[i].size)) return "not UTF-8";
    at += parts.field[i].size;
  }
  parts.data = (struct presence__json_span){bytes + at, n - at};
  *out = parts;
  return NULL;
}

static char *put(char *dst, struct presence__json_span bytes) {
  if (bytes.size) memcpy(dst, bytes.text, bytes.size);
  return dst + bytes.size;
}

struct presence__message *presence__binary_encode(const struct presence__allocator *allocator,
                                                  const struct presence__binary *parts) {
  size_t size = 1 + parts->data.size;
  for (size_t i = 0; i < PRESENCE__BINARY_FIELDS; i++)
    if (has_field(parts->kind, i)) size += 1 + parts->field[i].size;
  struct presence__message *m = presence__message_new(allocator, PRESENCE__WS_OP_BINARY, size);
  if (!m) return NULL;
  char *dst = presence__message_payload(m);
  *dst++ = (char)kinds[parts->kind].type;
  for (size_t i = 0; i < PRESENCE__BINARY_FIELDS; i++)
    if (has_field(parts->kind, i)) *dst++ = (char)(unsigned char)parts->field[i].size;
  for (size_t i = 0; i < PRESENCE__BINARY_FIELDS; i++)
    if (has_field(parts->kind, i)) dst = put(dst, parts->field[i]);
  put(dst, parts->data);
  return m;
}
