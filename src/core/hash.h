/* The keyed hash of topics, keys and pids. */
#ifndef PRESENCE_CORE_HASH_H
#define PRESENCE_CORE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Draws the process's key unless it is fixed already. */
void presence__hash_fix(void);

/* The process's key: constant once the first heap exists. */
struct presence__hash_key {
  uint64_t start[4]; /* what the four words of a hash begin with */
  uint64_t mask;     /* PRESENCE__HASH_BITS, but in tests */
};
extern __attribute__((visibility("hidden"))) struct presence__hash_key presence__hash_key;

static inline uint64_t presence__rotate(uint64_t x, unsigned by) {
  return x << by | x >> (64 - by);
}

static inline void presence__sip_round(uint64_t v[4]) {
  v[0] += v[1];
  v[1] = presence__rotate(v[1], 13) ^ v[0];
  v[0] = presence__rotate(v[0], 32);
  v[2] += v[3];
  v[3] = presence__rotate(v[3], 16) ^ v[2];
  v[0] += v[3];
  v[3] = presence__rotate(v[3], 21) ^ v[0];
  v[2] += v[1];
  v[1] = presence__rotate(v[1], 17) ^ v[2];
  v[2] = presence__rotate(v[2], 32);
}

static inline uint64_t presence__sip_load(const char *p) {
  uint64_t word;
  memcpy(&word, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  word = __builtin_bswap64(word);
#endif
  return word;
}

/* The last size % 8 bytes, the first one lowest. */
static inline uint64_t presence__sip_load_rest(const char *bytes, size_t size) {
  size_t rest = size & 7;
  if (rest == 0) return 0;
  /* One load that ends with the last byte, where eight bytes end there. */
  if (size >= 8) return presence__sip_load(bytes + size - 8) >> (64 - 8 * rest);
  uint64_t word = 0;
  for (size_t i = 0; i < rest; i++)
    word |= (uint64_t)(unsigned char)bytes[i] << (8 * i);
  return word;
}

/* SipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012: one round a word,
   three at the end) from the words that a key makes it begin with. Inline, for the edits and
   look-ups that consist of it by a quarter. */
static inline __attribute__((always_inline)) uint64_t
presence__sip(const uint64_t start[4], const char *bytes, size_t size) {
  uint64_t v[4] = {start[0], start[1], start[2], start[3]};
  uint64_t last = (uint64_t)size << 56 | presence__sip_load_rest(bytes, size);
  for (size_t words = size >> 3; words > 0; words--, bytes += 8) {
    uint64_t word = presence__sip_load(bytes);
    v[3] ^= word;
    presence__sip_round(v);
    v[0] ^= word;
  }
  v[3] ^= last;
  presence__sip_round(v);
  v[0] ^= last;
  v[2] ^= 0xff;
  presence__sip_round(v);
  presence__sip_round(v);
  presence__sip_round(v);
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* SipHash-1-3 of bytes under the process's key, as far as its bits count. O(size). */
static inline __attribute__((always_inline)) uint64_t presence__hash_inline(const char *bytes,
                                                                            size_t size) {
  return presence__sip(presence__hash_key.start, bytes, size) & presence__hash_key.mask;
}

/* The same as a call. */
uint64_t presence__hash(const char *bytes, size_t size);

/* SipHash-1-3 under a given key: a checksum, when the key is known to all. */
uint64_t presence__siphash(uint64_t k0, uint64_t k1, const char *bytes, size_t size);

/* For tests, before anything is hashed: fixes the key, and keeps only the bits of mask of each hash
   (0: every name collides with every other). */
void presence__hash_weaken(const unsigned char seed[16], uint64_t mask);

#endif
