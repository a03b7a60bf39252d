/* The key of the hash, drawn once a process. */
#include "core/hash.h"

#include <stdbool.h>
#include <threads.h>
#include <time.h>

#include "core/bits.h"
#include "core/presence.h"
#include "text/random.h"

struct presence__hash_key presence__hash_key = {{0, 0, 0, 0}, PRESENCE__HASH_BITS};
static bool is_fixed;

static void begin_with(uint64_t start[4], uint64_t k0, uint64_t k1) {
  start[0] = k0 ^ 0x736f6d6570736575u;
  start[1] = k1 ^ 0x646f72616e646f6du;
  start[2] = k0 ^ 0x6c7967656e657261u;
  start[3] = k1 ^ 0x7465646279746573u;
}

uint64_t presence__siphash(uint64_t k0, uint64_t k1, const char *bytes, size_t size) {
  uint64_t start[4];
  begin_with(start, k0, k1);
  return presence__sip(start, bytes, size);
}

uint64_t presence__hash(const char *bytes, size_t size) {
  return presence__hash_inline(bytes, size);
}

static void set_key(const unsigned char seed[16]) {
  const char *bytes = (const char *)seed;
  begin_with(presence__hash_key.start, presence__sip_load(bytes), presence__sip_load(bytes + 8));
  is_fixed = true;
}

/* Cannot fail where getrandom exists; a kernel without it gets what the clock and the loader's
   randomness give. */
static void draw_key(void) {
  if (is_fixed) return;
  unsigned char seed[16];
  if (!presence__random_bytes(seed, sizeof seed)) {
    struct timespec now = {0, 0};
    timespec_get(&now, TIME_UTC);
    uint64_t place[2] = {(uint64_t)(uintptr_t)&is_fixed ^ (uint64_t)now.tv_nsec,
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
  if (is_fixed) return false;
  set_key(seed);
  return true;
}

void presence__hash_weaken(const unsigned char seed[16], uint64_t mask) {
  set_key(seed);
  presence__hash_key.mask = mask;
}
