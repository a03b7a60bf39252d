/* SipHash-1-3: Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012), with one round a
   word and three at the end. */
#include "core/hash.h"

#include <stdbool.h>
#include <string.h>
#include <threads.h>
#include <time.h>

#include "core/presence.h"
#include "text/random.h"

/* Once a process, before the first heap exists; constant from then on. */
static struct {
  uint64_t k0;
  uint64_t k1;
  uint64_t mask;
  bool fixed;
} key = {0, 0, UINT64_MAX, false};

static uint64_t rotate(uint64_t x, unsigned by) {
  return x << by | x >> (64 - by);
}

struct sip {
  uint64_t v0, v1, v2, v3;
};

static inline void sip_round(struct sip *s) {
  s->v0 += s->v1;
  s->v1 = rotate(s->v1, 13) ^ s->v0;
  s->v0 = rotate(s->v0, 32);
  s->v2 += s->v3;
  s->v3 = rotate(s->v3, 16) ^ s->v2;
  s->v0 += s->v3;
  s->v3 = rotate(s->v3, 21) ^ s->v0;
  s->v2 += s->v1;
  s->v1 = rotate(s->v1, 17) ^ s->v2;
  s->v2 = rotate(s->v2, 32);
}

static inline uint64_t load(const char *p) {
  uint64_t word;
  memcpy(&word, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  word = __builtin_bswap64(word);
#endif
  return word;
}

/* The last size % 8 bytes, the first one lowest. */
static inline uint64_t load_rest(const char *bytes, size_t size) {
  size_t rest = size & 7;
  if (rest == 0) return 0;
  /* One load that ends with the last byte, where eight bytes end there. */
  if (size >= 8) return load(bytes + size - 8) >> (64 - 8 * rest);
  uint64_t word = 0;
  for (size_t i = 0; i < rest; i++)
    word |= (uint64_t)(unsigned char)bytes[i] << (8 * i);
  return word;
}

__attribute__((always_inline)) static inline uint64_t siphash(uint64_t k0, uint64_t k1,
                                                              const char *bytes, size_t size) {
  struct sip s = {k0 ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du, k0 ^ 0x6c7967656e657261u,
                  k1 ^ 0x7465646279746573u};
  uint64_t last = (uint64_t)size << 56 | load_rest(bytes, size);
  for (size_t words = size >> 3; words > 0; words--, bytes += 8) {
    uint64_t word = load(bytes);
    s.v3 ^= word;
    sip_round(&s);
    s.v0 ^= word;
  }
  s.v3 ^= last;
  sip_round(&s);
  s.v0 ^= last;
  s.v2 ^= 0xff;
  sip_round(&s);
  sip_round(&s);
  sip_round(&s);
  return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

uint64_t presence__siphash(uint64_t k0, uint64_t k1, const char *bytes, size_t size) {
  return siphash(k0, k1, bytes, size);
}

uint64_t presence__hash(const char *bytes, size_t size) {
  return siphash(key.k0, key.k1, bytes, size) & key.mask;
}

static void set_key(const unsigned char seed[16]) {
  key.k0 = load((const char *)seed);
  key.k1 = load((const char *)seed + 8);
  key.fixed = true;
}

/* Cannot fail where getrandom exists; a kernel without it gets what the clock and the loader's
   randomness give. */
static void draw_key(void) {
  if (key.fixed) return;
  unsigned char seed[16];
  if (!presence__random_bytes(seed, sizeof seed)) {
    struct timespec now = {0, 0};
    timespec_get(&now, TIME_UTC);
    uint64_t place[2] = {(uint64_t)(uintptr_t)&key ^ (uint64_t)now.tv_nsec,
                         (uint64_t)(uintptr_t)&now ^ (uint64_t)now.tv_sec};
    memcpy(seed, place, sizeof seed);
  }
  set_key(seed);
}

void presence__hash_fix(void) {
  static once_flag once = ONCE_FLAG_INIT;
  call_once(&once, draw_key);
}

bool presence_hash_seed(const unsigned char seed[16]) {
  if (key.fixed) return false;
  set_key(seed);
  return true;
}

void presence__hash_weaken(const unsigned char seed[16], uint64_t mask) {
  set_key(seed);
  key.mask = mask;
}
