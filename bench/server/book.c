#include "bench/server/book.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/server/die.h"

enum { max_key_bytes = 1024 };

static uint64_t hash(const char *text, size_t n) {
  uint64_t h = n * 0x9E3779B97F4A7C15u;
  for (; n; text += 8, n -= n < 8 ? n : 8) {
    uint64_t word = 0;
    memcpy(&word, text, n < 8 ? n : 8);
    h = (h ^ word) * 0xD6E8FEB86659FD93u;
    h ^= h >> 32;
  }
  return h;
}

static void make_room(struct strings *s) {
  if (s->count * 2 < s->capacity) return;
  s->capacity = s->capacity ? s->capacity * 2 : 1024;
  free(s->slots);
  s->slots = grow(NULL, s->capacity, sizeof *s->slots);
  memset(s->slots, 0, s->capacity * sizeof *s->slots);
  s->texts = grow(s->texts, s->capacity, sizeof *s->texts);
  s->sizes = grow(s->sizes, s->capacity, sizeof *s->sizes);
  s->hashes = grow(s->hashes, s->capacity, sizeof *s->hashes);
  for (size_t i = 0; i < s->count; i++) {
    size_t at = s->hashes[i] & (s->capacity - 1);
    while (s->slots[at])
      at = (at + 1) & (s->capacity - 1);
    s->slots[at] = (uint32_t)(i + 1);
  }
}

/* The number of a string. Average O(n) of its bytes. */
static uint32_t strings_number(struct strings *s, const char *text, size_t n) {
  make_room(s);
  uint64_t h = hash(text, n);
  size_t at = h & (s->capacity - 1);
  for (; s->slots[at]; at = (at + 1) & (s->capacity - 1)) {
    uint32_t i = s->slots[at] - 1;
    if (s->hashes[i] == h && s->sizes[i] == n && memcmp(s->texts[i], text, n) == 0) return i;
  }
  uint32_t i = (uint32_t)s->count++;
  s->slots[at] = i + 1;
  s->hashes[i] = h;
  s->sizes[i] = n;
  s->texts[i] = grow(NULL, n, 1);
  memcpy(s->texts[i], text, n);
  return i;
}

uint32_t book_key(struct book *b, struct presence__json_span token, const char **fault) {
  char room[max_key_bytes];
  size_t n;
  *fault = NULL;
  if (token.size > sizeof room || !presence__json_decode_string(token.text, token.size, room, &n)) {
    *fault = "a key is too long, or has a lone surrogate";
    return 0;
  }
  return strings_number(&b->keys, room, n);
}

static bool is_name(struct presence__json_span token, const char *name) {
  return presence__json_string_is(token.text, token.size, name, strlen(name));
}

/* "USER.JOIN", with its quotes, which end the numbers. */
static bool read_device(struct presence__json_span token, struct meta *meta) {
  char *end;
  meta->user = (uint32_t)strtoul(token.text + 1, &end, 10);
  if (end == token.text + 1 || *end != '.') return false;
  const char *join = end + 1;
  meta->join = (uint32_t)strtoul(join, &end, 10);
  return end != join && end == token.text + token.size - 1;
}

/* The members that such a meta must have, and no others but phx_ref_prev. */
static const char *read_meta(struct book *b, struct presence__json_span object, struct meta *meta) {
  struct presence__json_walk walk;
  struct presence__json_span name, value;
  bool has_ref = false, has_device = false, has_time = false;
  presence__json_walk_init(&walk, object.text, object.size);
  while (presence__json_next_member(&walk, &name, &value)) {
    if (is_name(name, "phx_ref")) {
      if (has_ref || *value.text != '"') return "a meta with two phx_ref, or one that is no string";
      meta->ref = strings_number(&b->refs, value.text, value.size);
      has_ref = true;
    } else if (is_name(name, "device")) {
      has_device = read_device(value, meta);
    } else if (is_name(name, "online_at")) {
      has_time = value.size == 10 && memcmp(value.text, "1700000000", 10) == 0;
    } else if (is_name(name, "status")) {
      meta->status = (uint32_t)strtoul(value.text + 1, NULL, 10);
    } else if (!is_name(name, "phx_ref_prev")) {
      return "a meta with a member that nobody gave it";
    }
  }
  return has_ref && has_device && has_time ? NULL
                                           : "a meta that lacks phx_ref, device or online_at";
}

uint32_t book_meta(struct book *b, struct presence__json_span object, const char **fault) {
  size_t known = b->metas.count;
  *fault = NULL;
  uint32_t i = strings_number(&b->metas, object.text, object.size);
  if (i < known) return i;
  if (i >= b->meta_capacity) {
    b->meta_capacity = b->meta_capacity ? b->meta_capacity * 2 : 1024;
    b->meta = grow(b->meta, b->meta_capacity, sizeof *b->meta);
  }
  memset(&b->meta[i], 0, sizeof b->meta[i]);
  *fault = *object.text == '{' ? read_meta(b, object, &b->meta[i]) : "a meta that is no object";
  return i;
}

void book_begin_object(struct book *b) {
  b->objects++;
}

bool book_is_new_name(struct book *b, uint32_t key) {
  if (key >= b->named_capacity) {
    size_t capacity = (size_t)key * 2 + 1024;
    b->named = grow(b->named, capacity, sizeof *b->named);
    memset(b->named + b->named_capacity, 0, (capacity - b->named_capacity) * sizeof *b->named);
    b->named_capacity = capacity;
  }
  bool is_new = b->named[key] != b->objects;
  b->named[key] = b->objects;
  return is_new;
}

int book_user_name(char *dst, size_t room, size_t user) {
  return snprintf(dst, room, "user-%zu", user);
}

void book_add_users(struct book *b, size_t count) {
  char name[32];
  while (b->keys.count < count) {
    int n = book_user_name(name, sizeof name, b->keys.count);
    (void)strings_number(&b->keys, name, (size_t)n);
  }
}
