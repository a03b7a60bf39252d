/* The keyed hash of topics, keys and pids. */
#ifndef PRESENCE_CORE_HASH_H
#define PRESENCE_CORE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Draws the process's key unless it is fixed already. */
void presence__hash_fix(void);

/* SipHash-1-3 of bytes under the process's key. O(size). */
uint64_t presence__hash(const char *bytes, size_t size);

/* SipHash-1-3 under a given key: a checksum, when the key is known to all. */
uint64_t presence__siphash(uint64_t k0, uint64_t k1, const char *bytes, size_t size);

/* For tests, before anything is hashed: fixes the key, and keeps only the bits of mask of each hash
   (0: every name collides with every other). */
void presence__hash_weaken(const unsigned char seed[16], uint64_t mask);

#endif
