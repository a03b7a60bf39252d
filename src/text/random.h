/* Random bytes that nobody can guess. */
#ifndef PRESENCE_TEXT_RANDOM_H
#define PRESENCE_TEXT_RANDOM_H

#include <stdbool.h>
#include <stddef.h>

/* Fills dst[0..n) from the system's random source. false: the kernel has none, and dst holds
   nothing of use. O(n). */
bool presence__random_bytes(unsigned char *dst, size_t n);

#endif
