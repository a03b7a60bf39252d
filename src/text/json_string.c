/* Strings of JSON: escapes read, escapes written. */
#include "text/json.h"

#include <string.h>

#include "text/swar.h"
#include "text/utf8.h"

static uint32_t hex4(const char *p) {
  uint32_t value = 0;
  for (int i = 0; i < 4; i++) {
    unsigned char c = (unsigned char)p[i];
    uint32_t digit = c <= '9' ? (uint32_t)c - '0' : (uint32_t)(c | 0x20) - 'a' + 10;
    value = value << 4 | digit;
  }
  return value;
}

/* Reads the escape at p (at its backslash, inside a scanned token) and returns behind it, with the
   character's UTF-8 in dst; NULL for a lone surrogate. */
static const char *read_escape(const char *p, const char *end, char *dst, size_t *size) {
  static const char letters[] = "bfnrt";
  static const char controls[] = "\b\f\n\r\t";
  *size = 1;
  if (p[1] != 'u') {
    const char *letter = strchr(letters, p[1]);
    dst[0] = letter ? controls[letter - letters] : p[1];
    return p + 2;
  }
  uint32_t c = hex4(p + 2);
  p += 6;
  if (c >= 0xDC00 && c <= 0xDFFF) return NULL;
  if (c >= 0xD800 && c <= 0xDBFF) {
    if (end - p < 6 || p[0] != '\\' || p[1] != 'u') return NULL;
    uint32_t low = hex4(p + 2);
    if (low < 0xDC00 || low > 0xDFFF) return NULL;
    c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
    p += 6;
  }
  *size = presence__utf8_encode(dst, c);
  return p;
}

bool presence__json_decode_string(const char *token, size_t n, char *dst, size_t *size) {
  const char *p = token + 1;
  const char *end = token + n - 1;
  char *to = dst;
  while (p < end) {
    const char *backslash = memchr(p, '\\', (size_t)(end - p));
    size_t plain = (size_t)((backslash ? backslash : end) - p);
    memcpy(to, p, plain);
    to += plain;
    if (!backslash) break;
    size_t length;
    p = read_escape(backslash, end, to, &length);
    if (!p) return false;
    to += length;
  }
  *size = (size_t)(to - dst);
  return true;
}

bool presence__json_string_is(const char *token, size_t n, const char *s, size_t length) {
  const char *p = token + 1;
  const char *end = token + n - 1;
  const char *s_end = s + length;
  if (length > n - 2) return false;
  while (p < end) {
    char bytes[4];
    size_t size = 1;
    if (*p == '\\') {
      p = read_escape(p, end, bytes, &size);
      if (!p) return false;
    } else {
      bytes[0] = *p++;
    }
    if ((size_t)(s_end - s) < size || memcmp(s, bytes, size) != 0) return false;
    s += size;
  }
  return s == s_end;
}

/* The letter that follows the backslash; 'u' for what has none of its own. Only for the quote, the
   backslash and bytes below 0x20. */
static char escape_letter(unsigned char c) {
  switch (c) {
  case '\b':
    return 'b';
  case '\f':
    return 'f';
  case '\n':
    return 'n';
  case '\r':
    return 'r';
  case '\t':
    return 't';
  default:
    return c < 0x20 ? 'u' : (char)c;
  }
}

/* First byte in [p, end) that must be escaped, or end. */
static const char *skip_unescaped(const char *p, const char *end) {
  for (;;) {
    p = presence__swar_skip_plain(p, end);
    if (p >= end || (unsigned char)*p < 0x80) return p;
    while (p < end && (unsigned char)*p >= 0x80)
      p++;
  }
}

size_t presence__json_quote_size(const char *s, size_t n) {
  size_t size = n + 2;
  if (n == 0) return size;
  const char *end = s + n;
  for (const char *p = skip_unescaped(s, end); p < end; p = skip_unescaped(p + 1, end))
    size += escape_letter((unsigned char)*p) == 'u' ? 5 : 1;
  return size;
}

char *presence__json_quote(char *dst, const char *s, size_t n) {
  *dst++ = '"';
  const char *p = s;
  const char *end = n ? s + n : s;
  while (p < end) {
    const char *next = skip_unescaped(p, end);
    memcpy(dst, p, (size_t)(next - p));
    dst += next - p;
    p = next;
    if (p >= end) break;
    unsigned char c = (unsigned char)*p++;
    char letter = escape_letter(c);
    *dst++ = '\\';
    *dst++ = letter;
    if (letter == 'u') {
      *dst++ = '0';
      *dst++ = '0';
      *dst++ = "01"[c >> 4];
      *dst++ = "0123456789abcdef"[c & 15];
    }
  }
  *dst++ = '"';
  return dst;
}

bool presence__json_quote_append(struct presence__buf *b, const char *s, size_t n) {
  size_t size = presence__json_quote_size(s, n);
  char *dst = presence__buf_reserve(b, size);
  if (!dst) return false;
  presence__json_quote(dst, s, n);
  b->size += size;
  return true;
}
