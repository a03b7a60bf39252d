/* Widths, digits and bitmaps of tries.

   A hash is read as digits of PRESENCE__BITS bits, the highest first, one a level: so a walk in the
   order of slots is a walk in the order of hashes. A map has one bit for each digit, digit 0 the
   highest of 32, so that one shift left by the digit answers two questions: the sign says whether
   the digit is there, and the number of bits left, less one, is its slot. Slots therefore lie in
   descending order of digits. */
#ifndef PRESENCE_CORE_BITS_H
#define PRESENCE_CORE_BITS_H

#include <stdbool.h>
#include <stdint.h>

/* 16-way; tests also build with 1 and 2 bits, where hard cases are common. */
#ifndef PRESENCE__BITS
#define PRESENCE__BITS 4u
#endif
#define PRESENCE__WIDTH (1u << PRESENCE__BITS)
#define PRESENCE__LEVELS (64u / PRESENCE__BITS)

/* The bits of a hash that count. In the first three levels half of the digits are never used: where
   every slot is taken, a version that is kept copies each of them, and nodes of 8 there make it
   smaller by a seventh at the price of 9 instructions a look-up (measured at 100,000 and 1,000,000
   keys; two such levels: a tenth and 6). */
#if PRESENCE__BITS == 4
#define PRESENCE__HASH_BITS 0x777FFFFFFFFFFFFFu
#else
#define PRESENCE__HASH_BITS UINT64_MAX
#endif

_Static_assert(64u % PRESENCE__BITS == 0 && PRESENCE__WIDTH <= 16,
               "a frame of a walk counts to 16");

static inline unsigned presence__digit(uint64_t hash, unsigned level) {
  return (unsigned)(hash >> (64u - PRESENCE__BITS * (level + 1))) & (PRESENCE__WIDTH - 1);
}

static inline uint32_t presence__map_of(unsigned digit) {
  return 0x80000000u >> digit;
}

static inline uint32_t presence__map_from(uint32_t map, unsigned digit) {
  return map << digit;
}

static inline bool presence__map_has(uint32_t from) {
  return (int32_t)from < 0;
}

static inline unsigned presence__count(uint32_t map) {
  return (unsigned)__builtin_popcount(map);
}

/* The slot of a digit that is there. */
static inline unsigned presence__index(uint32_t map, unsigned digit) {
  return presence__count(presence__map_from(map, digit)) - 1;
}

/* The lowest digit of a map that is not empty. */
static inline unsigned presence__lowest(uint32_t map) {
  return (unsigned)__builtin_clz(map);
}

#endif
