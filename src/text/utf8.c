#include "text/utf8.h"

#include "text/swar.h"

/* Well-formed sequences, Unicode 15 table 3-7: only the second byte has ranges of its own. */
size_t presence__utf8_sequence(const char *s, size_t n) {
  const unsigned char *u = (const unsigned char *)s;
  if (n == 0) return 0;
  unsigned char lead = u[0];
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || n < 2) return 0;
  if (lead < 0xE0) return (u[1] & 0xC0) == 0x80 ? 2 : 0;
  if (lead < 0xF0) {
    unsigned char low = lead == 0xE0 ? 0xA0 : 0x80;
    unsigned char high = lead == 0xED ? 0x9F : 0xBF;
    if (n < 3 || u[1] < low || u[1] > high || (u[2] & 0xC0) != 0x80) return 0;
    return 3;
  }
  if (lead < 0xF5) {
    unsigned char low = lead == 0xF0 ? 0x90 : 0x80;
    unsigned char high = lead == 0xF4 ? 0x8F : 0xBF;
    if (n < 4 || u[1] < low || u[1] > high || (u[2] & 0xC0) != 0x80 || (u[3] & 0xC0) != 0x80)
      return 0;
    return 4;
  }
  return 0;
}

/* First byte in [p, end) that is not ASCII, or end. start <= p is where reading is allowed. */
static const char *skip_ascii(const char *start, const char *p, const char *end) {
  while (end - p >= 8) {
    uint64_t mask = presence__swar_load(p) & PRESENCE__SWAR_HIGH;
    if (mask) return p + presence__swar_first(mask);
    p += 8;
  }
  if (p < end && end - start >= 8) {
    /* The last word, those of its bytes shifted out that are before p. */
    size_t before = (size_t)(8 - (end - p));
    uint64_t mask = (presence__swar_load(end - 8) & PRESENCE__SWAR_HIGH) >> (8 * before);
    return mask ? p + presence__swar_first(mask) : end;
  }
  while (p < end && (unsigned char)*p < 0x80)
    p++;
  return p;
}

bool presence__utf8_valid(const char *s, size_t n) {
  if (n == 0) return true;
  const char *end = s + n;
  const char *p = skip_ascii(s, s, end);
  while (p < end) {
    size_t length = presence__utf8_sequence(p, (size_t)(end - p));
    if (length == 0) return false;
    p += length;
    if (p < end && (unsigned char)*p < 0x80) p = skip_ascii(s, p, end);
  }
  return true;
}

size_t presence__utf8_encode(char *dst, uint32_t c) {
  if (c < 0x80) {
    dst[0] = (char)c;
    return 1;
  }
  if (c < 0x800) {
    dst[0] = (char)(0xC0 | (c >> 6));
    dst[1] = (char)(0x80 | (c & 0x3F));
    return 2;
  }
  if (c < 0x10000) {
    dst[0] = (char)(0xE0 | (c >> 12));
    dst[1] = (char)(0x80 | ((c >> 6) & 0x3F));
    dst[2] = (char)(0x80 | (c & 0x3F));
    return 3;
  }
  dst[0] = (char)(0xF0 | (c >> 18));
  dst[1] = (char)(0x80 | ((c >> 12) & 0x3F));
  dst[2] = (char)(0x80 | ((c >> 6) & 0x3F));
  dst[3] = (char)(0x80 | (c & 0x3F));
  return 4;
}
