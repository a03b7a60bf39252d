/* The scanner: one pass, one byte of memory for each open array or object. */
#include "text/json.h"

#include <string.h>

#include "text/swar.h"
#include "text/utf8.h"

/* Compilers differ on whether these are worth a copy at each call; measured, they are: 440
   instructions against 500 for an object of 60 bytes. */
#define FAST inline __attribute__((always_inline))

struct scanner {
  const char *start;
  const char *end;
  unsigned depth;
  unsigned max_depth;
  const char *fault_at;
  const char *reason;
  enum presence__json_fault fault;
  bool is_object[PRESENCE__JSON_DEPTH_CEILING]; /* what is open at each depth */
};

/* Every way to fail ends here; the functions below return NULL then. */
static const char *fail(struct scanner *s, const char *at, const char *reason) {
  s->fault_at = at;
  s->fault = PRESENCE__JSON_SYNTAX;
  s->reason = reason;
  if (at >= s->end) {
    s->reason = "unexpected end";
  } else if ((unsigned char)*at >= 0x80 && !presence__utf8_sequence(at, (size_t)(s->end - at))) {
    s->fault = PRESENCE__JSON_NOT_UTF8;
    s->reason = "not UTF-8";
  }
  return NULL;
}

static bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* p is behind a backslash. */
static const char *scan_escape(struct scanner *s, const char *p) {
  if (p < s->end && *p != '\0' && strchr("\"\\/bfnrt", *p)) return p + 1;
  if (p >= s->end || *p != 'u') return fail(s, p, "bad escape");
  for (int i = 1; i <= 4; i++) {
    if (p + i >= s->end || !is_hex(p[i]))
      return fail(s, p + i < s->end ? p + i : s->end, "bad \\u escape");
  }
  return p + 5;
}

/* p is at a byte of a string that is not plain; returns behind what can be taken. */
static const char *scan_special(struct scanner *s, const char *p) {
  if (p >= s->end) return fail(s, p, "");
  if (*p == '\\') return scan_escape(s, p + 1);
  if ((unsigned char)*p < 0x20) return fail(s, p, "control character in a string");
  do {
    size_t length = presence__utf8_sequence(p, (size_t)(s->end - p));
    if (length == 0) return fail(s, p, "");
    p += length;
  } while (p < s->end && (unsigned char)*p >= 0x80);
  return p;
}

/* The rest of a string from p on, where a byte that is not plain may be near. */
static __attribute__((noinline)) const char *scan_string_rest(struct scanner *s, const char *p) {
  for (;;) {
    p = presence__swar_skip_plain(p, s->end);
    if (p < s->end && *p == '"') return p + 1;
    p = scan_special(s, p);
    if (!p) return NULL;
  }
}

/* p is at the opening quote; returns behind the closing one. Most strings end in here. */
static FAST const char *scan_string(struct scanner *s, const char *p, const char *end) {
  for (p++; end - p >= 8; p += 8) {
    uint64_t mask = presence__swar_special(presence__swar_load(p));
    if (!mask) continue;
    p += presence__swar_first(mask);
    return *p == '"' ? p + 1 : scan_string_rest(s, p);
  }
  /* Zeros are special, so there is a first one, behind the text at the latest. */
  p += presence__swar_first(presence__swar_special(presence__swar_load_tail(s->start, p, end)));
  return p < end && *p == '"' ? p + 1 : scan_string_rest(s, p);
}

static inline bool is_digit(const char *p, const char *end) {
  return p < end && (unsigned char)(*p - '0') < 10;
}

static inline const char *skip_digits(const char *p, const char *end) {
  while (end - p >= 8) {
    uint64_t mask = presence__swar_not_digit(presence__swar_load(p));
    if (mask) return p + presence__swar_first(mask);
    p += 8;
  }
  while (is_digit(p, end))
    p++;
  return p;
}

/* p is behind the digits of a number, at what may be its fraction or exponent. */
static const char *scan_fraction(struct scanner *s, const char *p) {
  const char *end = s->end;
  if (*p == '.') {
    p++;
    if (!is_digit(p, end)) return fail(s, p, "a digit is missing after the point");
    p = skip_digits(p + 1, end);
  }
  if (p < end && (*p == 'e' || *p == 'E')) {
    p++;
    if (p < end && (*p == '+' || *p == '-')) p++;
    if (!is_digit(p, end)) return fail(s, p, "a digit is missing in the exponent");
    p = skip_digits(p + 1, end);
  }
  return p;
}

/* p is at the first digit of a number. */
static const char *scan_digits(struct scanner *s, const char *p) {
  const char *end = s->end;
  p = *p == '0' ? p + 1 : skip_digits(p + 1, end);
  /* A comma, a bracket or white space ends most. */
  return p < end && (*p == '.' || *p >= 'E') ? scan_fraction(s, p) : p;
}

static const char *scan_literal(struct scanner *s, const char *p, const char *word, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (p + i >= s->end || p[i] != word[i])
      return fail(s, p + i < s->end ? p + i : s->end, "unexpected character");
  }
  return p + n;
}

/* A number or a literal; there is something at p. */
static const char *scan_bare(struct scanner *s, const char *p) {
  if ((unsigned char)(*p - '0') < 10) return scan_digits(s, p);
  switch (*p) {
  case '-':
    return is_digit(p + 1, s->end) ? scan_digits(s, p + 1) : fail(s, p + 1, "a digit is missing");
  case 't':
    return scan_literal(s, p, "true", 4);
  case 'f':
    return scan_literal(s, p, "false", 5);
  case 'n':
    return scan_literal(s, p, "null", 4);
  default:
    return fail(s, p, "unexpected character");
  }
}

/* Remembers what opens at p. */
static bool open_level(struct scanner *s, const char *p, bool object) {
  if (s->depth >= s->max_depth) {
    s->fault = PRESENCE__JSON_TOO_DEEP;
    s->fault_at = p;
    s->reason = "nested too deep";
    return false;
  }
  s->is_object[s->depth++] = object;
  return true;
}

/* Forgets the innermost level; true when the one around it is an object. */
static inline bool close_level(struct scanner *s) {
  return --s->depth > 0 && s->is_object[s->depth - 1];
}

/* Apart, so that what it needs is not made ready where it is not called. */
static __attribute__((noinline)) const char *skip_some_space(const char *p, const char *end) {
  return presence__json_skip_space(p, end);
}

static FAST const char *skip_space(const char *p, const char *end) {
  return p < end && (unsigned char)*p <= ' ' ? skip_some_space(p, end) : p;
}

/* Moves *p over white space to the byte wanted; looks for space only where that byte is not. */
static FAST bool is_next(const char **p, const char *end, char wanted) {
  if (*p < end && **p == wanted) return true;
  *p = skip_space(*p, end);
  return *p < end && **p == wanted;
}

/* p is where a member's name should be; returns where its value should be. */
static FAST const char *scan_name(struct scanner *s, const char *p, const char *end) {
  if (!is_next(&p, end, '"')) return fail(s, p, "a member's name is missing");
  p = scan_string(s, p, end);
  if (!p) return NULL;
  if (!is_next(&p, end, ':')) return fail(s, p, "a colon is missing");
  return p + 1;
}

/* p is where a value should be, white space skipped; returns behind it. */
static const char *scan_value(struct scanner *s, const char *p) {
  const char *const end = s->end;
  bool object = false; /* what is open innermost */
  for (;; p = skip_space(p, end)) {
    if (p >= end) return fail(s, p, "");
    if (*p == '"') {
      p = scan_string(s, p, end);
    } else if (*p == '{' || *p == '[') {
      object = *p == '{';
      if (!open_level(s, p, object)) return NULL;
      p++;
      bool is_named = object && p < end && *p == '"';
      if (is_named || !is_next(&p, end, object ? '}' : ']')) {
        if (object && !(p = scan_name(s, p, end))) return NULL;
        continue;
      }
      p++;
      object = close_level(s);
    } else {
      p = scan_bare(s, p);
    }
    if (!p) return NULL;
    /* A value ended at p; others may end with it. */
    for (;; p++, object = close_level(s)) {
      if (s->depth == 0) return p;
      if (p < end && *p == ',') break;
      if (is_next(&p, end, object ? '}' : ']')) continue;
      if (p < end && *p == ',') break;
      return fail(s, p, "a comma or the end is missing");
    }
    p++;
    if (object && !(p = scan_name(s, p, end))) return NULL;
  }
}

enum presence__json_kind presence__json_kind_of(const char *text) {
  if (*text == '{') return PRESENCE__JSON_OBJECT; /* metas and payloads */
  switch (*text) {
  case '[':
    return PRESENCE__JSON_ARRAY;
  case '"':
    return PRESENCE__JSON_STRING;
  case 't':
    return PRESENCE__JSON_TRUE;
  case 'f':
    return PRESENCE__JSON_FALSE;
  case 'n':
    return PRESENCE__JSON_NULL;
  default:
    return PRESENCE__JSON_NUMBER;
  }
}

static bool report_fault(const struct scanner *s, struct presence__json *out) {
  out->kind = PRESENCE__JSON_INVALID;
  out->fault = s->fault;
  out->text = NULL;
  out->size = 0;
  out->reason = s->reason;
  out->fault_at = (size_t)(s->fault_at - s->start);
  return false;
}

static bool scan(const char *text, size_t n, unsigned max_depth, bool whole,
                 struct presence__json *out) {
  struct scanner s;
  s.start = n ? text : "";
  s.end = s.start + n;
  s.depth = 0;
  s.max_depth = max_depth;
  if (max_depth > PRESENCE__JSON_DEPTH_CEILING) s.max_depth = PRESENCE__JSON_DEPTH_CEILING;
  const char *first = skip_space(s.start, s.end);
  const char *behind = scan_value(&s, first);
  if (behind && whole) {
    const char *rest = skip_space(behind, s.end);
    if (rest < s.end) behind = fail(&s, rest, "something follows the value");
  }
  if (!behind) return report_fault(&s, out);
  out->kind = presence__json_kind_of(first);
  out->fault = PRESENCE__JSON_FINE;
  out->text = first;
  out->size = (size_t)(behind - first);
  out->reason = NULL;
  out->fault_at = 0;
  return true;
}

bool presence__json_scan(const char *text, size_t n, unsigned max_depth,
                         struct presence__json *out) {
  return scan(text, n, max_depth, true, out);
}

bool presence__json_scan_first(const char *text, size_t n, unsigned max_depth,
                               struct presence__json *out) {
  return scan(text, n, max_depth, false, out);
}
