/* Walks over text that the scanner has accepted, and the cutting of members. */
#include "text/json.h"

#include <string.h>

#include "text/swar.h"

void presence__json_walk_init(struct presence__json_walk *walk, const char *text, size_t n) {
  walk->at = text + 1;
  walk->end = text + n - 1;
}

/* p is at the opening quote; returns behind the closing one. */
static const char *skip_string(const char *p, const char *end) {
  p++;
  while (p < end) {
    p = presence__swar_skip_plain(p, end);
    if (p >= end) break;
    if (*p == '"') return p + 1;
    p += *p == '\\' ? 2 : 1;
  }
  return end;
}

/* p is at the first byte of a value; returns behind it. */
static const char *skip_value(const char *p, const char *end) {
  size_t depth = 0;
  while (p < end) {
    switch (*p) {
    case '"':
      p = skip_string(p, end);
      if (depth == 0) return p;
      break;
    case '{':
    case '[':
      depth++;
      p++;
      break;
    case '}':
    case ']':
      if (depth == 0) return p;
      p++;
      if (--depth == 0) return p;
      break;
    case ',':
    case ' ':
    case '\t':
    case '\n':
    case '\r':
      if (depth == 0) return p;
      p++;
      break;
    default:
      p++;
    }
  }
  return end;
}

bool presence__json_next_element(struct presence__json_walk *walk,
                                 struct presence__json_span *value) {
  const char *p = presence__json_skip_space(walk->at, walk->end);
  if (p >= walk->end) return false;
  value->text = p;
  p = skip_value(p, walk->end);
  value->size = (size_t)(p - value->text);
  p = presence__json_skip_space(p, walk->end);
  walk->at = p < walk->end ? p + 1 : p;
  return true;
}

bool presence__json_next_member(struct presence__json_walk *walk, struct presence__json_span *name,
                                struct presence__json_span *value) {
  const char *p = presence__json_skip_space(walk->at, walk->end);
  if (p >= walk->end) return false;
  name->text = p;
  p = skip_string(p, walk->end);
  name->size = (size_t)(p - name->text);
  p = presence__json_skip_space(p, walk->end);
  walk->at = p < walk->end ? p + 1 : p;
  return presence__json_next_element(walk, value);
}

bool presence__json_is_empty(const char *text, size_t n) {
  return presence__json_skip_space(text + 1, text + n - 1) == text + n - 1;
}

static bool occurs(const char *text, size_t n, const char *s, size_t length) {
  if (length == 0) return true;
  while (n >= length) {
    const char *hit = memchr(text, s[0], n - length + 1);
    if (!hit) return false;
    if (memcmp(hit, s, length) == 0) return true;
    n -= (size_t)(hit + 1 - text);
    text = hit + 1;
  }
  return false;
}

/* Cheap and sure to be true when a name is there: its bytes or an escape must be in the text. */
static bool may_hold(const char *object, size_t n, const struct presence__json_span *names,
                     size_t name_count) {
  if (memchr(object, '\\', n)) return true;
  for (size_t i = 0; i < name_count; i++) {
    if (occurs(object, n, names[i].text, names[i].size)) return true;
  }
  return false;
}

static bool is_named(struct presence__json_span token, const struct presence__json_span *names,
                     size_t name_count) {
  for (size_t i = 0; i < name_count; i++) {
    if (presence__json_string_is(token.text, token.size, names[i].text, names[i].size)) return true;
  }
  return false;
}

bool presence__json_has_member(const char *object, size_t n,
                               const struct presence__json_span *names, size_t name_count) {
  if (!may_hold(object, n, names, name_count)) return false;
  struct presence__json_walk walk;
  struct presence__json_span name, value;
  presence__json_walk_init(&walk, object, n);
  while (presence__json_next_member(&walk, &name, &value))
    if (is_named(name, names, name_count)) return true;
  return false;
}

size_t presence__json_cut_members(const char *object, size_t n,
                                  const struct presence__json_span *names, size_t name_count,
                                  struct presence__buf *out) {
  if (!may_hold(object, n, names, name_count)) return 0;
  struct presence__json_walk walk;
  struct presence__json_span name, value;
  const char *end = object + n - 1;
  const char *kept = object + 1; /* from here on nothing was written yet */
  bool first = true;
  size_t cut = 0;
  presence__json_walk_init(&walk, object, n);
  for (;;) {
    const char *member = walk.at;
    if (!presence__json_next_member(&walk, &name, &value)) break;
    if (!is_named(name, names, name_count)) continue;
    if (cut++ == 0) presence__buf_push(out, '{');
    if (member > kept) {
      /* The comma between what is kept and this member goes. */
      if (!first) presence__buf_push(out, ',');
      presence__buf_append(out, kept, (size_t)(member - 1 - kept));
      first = false;
    }
    kept = walk.at;
  }
  if (cut == 0) return 0;
  if (kept < end) {
    if (!first) presence__buf_push(out, ',');
    presence__buf_append(out, kept, (size_t)(end - kept));
  }
  presence__buf_push(out, '}');
  return cut;
}
