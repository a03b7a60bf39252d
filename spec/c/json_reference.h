/* A second reader of JSON, written from RFC 8259 and RFC 3629 for tests alone: recursive, byte by
   byte, with a tree's worth of calls and nothing clever. */
#ifndef PRESENCE_SPEC_JSON_REFERENCE_H
#define PRESENCE_SPEC_JSON_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum reference_verdict { REFERENCE_FINE, REFERENCE_SYNTAX, REFERENCE_NOT_UTF8, REFERENCE_TOO_DEEP };

struct reference {
  const unsigned char *text;
  size_t size;
  size_t at; /* the byte looked at; where the fault is, after one */
  unsigned depth_left;
  enum reference_verdict verdict;
};

static inline int reference_peek(const struct reference *r) {
  return r->at < r->size ? r->text[r->at] : -1;
}

/* Length of the character at text[at], 0 when there is none; *point is what it says. */
static inline size_t reference_character(const unsigned char *text, size_t size, size_t at,
                                         uint32_t *point) {
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  if (at >= size) return 0;
  unsigned char lead = text[at];
  size_t length = lead < 0x80       ? 1
                  : lead >> 5 == 6  ? 2
                  : lead >> 4 == 14 ? 3
                  : lead >> 3 == 30 ? 4
                                    : 0;
  if (length == 0 || length > size - at) return 0;
  uint32_t c = length == 1 ? lead : lead & (0x7Fu >> length);
  for (size_t i = 1; i < length; i++) {
    if (text[at + i] >> 6 != 2) return 0;
    c = c * 64 + (text[at + i] & 63);
  }
  if (c < least[length] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) return 0;
  *point = c;
  return length;
}

static inline bool reference_utf8(const char *text, size_t size) {
  uint32_t point;
  for (size_t at = 0, length; at < size; at += length) {
    length = reference_character((const unsigned char *)text, size, at, &point);
    if (length == 0) return false;
  }
  return true;
}

/* A fault at the byte in hand. Bytes that are no character count as that. */
static inline bool reference_fail(struct reference *r) {
  uint32_t point;
  bool is_character = r->at >= r->size || reference_character(r->text, r->size, r->at, &point) > 0;
  r->verdict = is_character ? REFERENCE_SYNTAX : REFERENCE_NOT_UTF8;
  return false;
}

static inline void reference_space(struct reference *r) {
  int c;
  while ((c = reference_peek(r)) == ' ' || c == '\t' || c == '\n' || c == '\r')
    r->at++;
}

static inline bool reference_expect(struct reference *r, int wanted) {
  if (reference_peek(r) != wanted) return reference_fail(r);
  r->at++;
  return true;
}

static inline bool reference_hex4(struct reference *r) {
  for (int i = 0; i < 4; i++) {
    int c = reference_peek(r);
    if (c < 0 || c > 127 || !strchr("0123456789abcdefABCDEF", c) || c == 0)
      return reference_fail(r);
    r->at++;
  }
  return true;
}

static inline bool reference_string(struct reference *r) {
  uint32_t point;
  if (!reference_expect(r, '"')) return false;
  for (;;) {
    int c = reference_peek(r);
    if (c == '"') {
      r->at++;
      return true;
    }
    if (c < 0x20) return reference_fail(r); /* the end as well */
    if (c != '\\') {
      size_t length = reference_character(r->text, r->size, r->at, &point);
      if (length == 0) return reference_fail(r);
      r->at += length;
      continue;
    }
    r->at++;
    c = reference_peek(r);
    if (c == 'u') {
      r->at++;
      if (!reference_hex4(r)) return false;
    } else if (c == '"' || c == '\\' || c == '/' || c == 'b' || c == 'f' || c == 'n' || c == 'r' ||
               c == 't') {
      r->at++;
    } else {
      return reference_fail(r);
    }
  }
}

static inline bool reference_digits(struct reference *r) {
  size_t start = r->at;
  while (reference_peek(r) >= '0' && reference_peek(r) <= '9')
    r->at++;
  return r->at > start || reference_fail(r);
}

static inline bool reference_number(struct reference *r) {
  if (reference_peek(r) == '-') r->at++;
  if (reference_peek(r) == '0')
    r->at++;
  else if (!reference_digits(r))
    return false;
  if (reference_peek(r) == '.') {
    r->at++;
    if (!reference_digits(r)) return false;
  }
  if (reference_peek(r) == 'e' || reference_peek(r) == 'E') {
    r->at++;
    if (reference_peek(r) == '+' || reference_peek(r) == '-') r->at++;
    if (!reference_digits(r)) return false;
  }
  return true;
}

static inline bool reference_word(struct reference *r, const char *word) {
  for (; *word; word++)
    if (!reference_expect(r, *word)) return false;
  return true;
}

static inline bool reference_value(struct reference *r);

static inline bool reference_container(struct reference *r, bool object) {
  int closer = object ? '}' : ']';
  if (r->depth_left == 0) {
    r->verdict = REFERENCE_TOO_DEEP;
    return false;
  }
  r->depth_left--;
  r->at++;
  reference_space(r);
  if (reference_peek(r) != closer) {
    for (;;) {
      if (object) {
        reference_space(r);
        if (!reference_string(r)) return false;
        reference_space(r);
        if (!reference_expect(r, ':')) return false;
      }
      if (!reference_value(r)) return false;
      reference_space(r);
      if (reference_peek(r) != ',') break;
      r->at++;
    }
  }
  r->depth_left++;
  return reference_expect(r, closer);
}

/* White space, then a value. */
static inline bool reference_value(struct reference *r) {
  reference_space(r);
  switch (reference_peek(r)) {
  case '{':
  case '[':
    return reference_container(r, reference_peek(r) == '{');
  case '"':
    return reference_string(r);
  case 't':
    return reference_word(r, "true");
  case 'f':
    return reference_word(r, "false");
  case 'n':
    return reference_word(r, "null");
  case '-':
  case '0':
  case '1':
  case '2':
  case '3':
  case '4':
  case '5':
  case '6':
  case '7':
  case '8':
  case '9':
    return reference_number(r);
  default:
    return reference_fail(r);
  }
}

static inline struct reference reference_of(const char *text, size_t size, unsigned max_depth) {
  return (struct reference){(const unsigned char *)text, size, 0, max_depth, REFERENCE_FINE};
}

/* What a scan of one whole value should say; *fault_at where the fault is. */
static inline enum reference_verdict reference_judge(const char *text, size_t size,
                                                     unsigned max_depth, size_t *fault_at) {
  struct reference r = reference_of(text, size, max_depth);
  if (reference_value(&r)) {
    reference_space(&r);
    if (r.at < r.size) reference_fail(&r);
  }
  *fault_at = r.at;
  return r.verdict;
}

#endif
