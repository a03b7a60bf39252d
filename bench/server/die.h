/* What stops a benchmark: a sentence on standard error, and an exit that is no success. */
#ifndef BENCH_SERVER_DIE_H
#define BENCH_SERVER_DIE_H

#include <stddef.h>

/* Prints "bench_load: ", the sentence and a line's end, and exits with 1. */
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* realloc that does not fail, for count things of a size over 0; the caller's to free. */
void *grow(void *block, size_t count, size_t size);

#endif
