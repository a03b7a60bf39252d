/* Eight bytes at a time in one word ("SIMD within a register"). The tests for "byte below n" and
   "byte is zero" are those of Sean Eron Anderson's Bit Twiddling Hacks: they may err only in bytes
   above the first true hit, so the lowest bit set is exact. */
#ifndef PRESENCE_TEXT_SWAR_H
#define PRESENCE_TEXT_SWAR_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PRESENCE__SWAR_ONES 0x0101010101010101u
#define PRESENCE__SWAR_HIGH 0x8080808080808080u

/* Eight bytes, the first one lowest. */
static inline uint64_t presence__swar_load(const char *p) {
  uint64_t word;
  memcpy(&word, p, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  word = __builtin_bswap64(word);
#endif
  return word;
}

/* The bytes from p to end, fewer than eight of them, and zeros behind: out of one load that ends
   with the last of them, where eight bytes end there. */
static inline uint64_t presence__swar_load_tail(const char *start, const char *p, const char *end) {
  uint64_t word = 0;
  if (end - start >= 8 && end > p)
    return presence__swar_load(end - 8) >> (64 - 8 * (size_t)(end - p));
  for (size_t i = 0; p + i < end; i++)
    word |= (uint64_t)(unsigned char)p[i] << (8 * i);
  return word;
}

/* High bit of each byte that cannot stand as it is in a JSON string of ASCII: below 0x20, the
   quote, the backslash, 0x80 and above. */
static inline uint64_t presence__swar_special(uint64_t x) {
  uint64_t quote = x ^ (PRESENCE__SWAR_ONES * '"');
  uint64_t backslash = x ^ (PRESENCE__SWAR_ONES * '\\');
  return (x | (x - PRESENCE__SWAR_ONES * 0x20) | (quote - PRESENCE__SWAR_ONES) |
          (backslash - PRESENCE__SWAR_ONES)) &
         PRESENCE__SWAR_HIGH;
}

/* High bit of each byte that is no decimal digit. */
static inline uint64_t presence__swar_not_digit(uint64_t x) {
  return (x | (x + PRESENCE__SWAR_ONES * (0x7F - '9')) | (x - PRESENCE__SWAR_ONES * '0')) &
         PRESENCE__SWAR_HIGH;
}

/* Index (0 to 7) of the first byte marked; mask is not zero. */
static inline size_t presence__swar_first(uint64_t mask) {
  return (unsigned)__builtin_ctzll(mask) >> 3;
}

/* First byte in [p, end) that is special as above, or end. */
static inline const char *presence__swar_skip_plain(const char *p, const char *end) {
  while (end - p >= 8) {
    uint64_t mask = presence__swar_special(presence__swar_load(p));
    if (mask) return p + presence__swar_first(mask);
    p += 8;
  }
  for (; p < end; p++) {
    unsigned char c = (unsigned char)*p;
    if (c < 0x20 || c == '"' || c == '\\' || c >= 0x80) break;
  }
  return p;
}

#endif
