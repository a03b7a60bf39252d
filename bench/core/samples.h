/* What every benchmark of the core tracks, in C, C++, Lua and Erlang alike: presence i has a key of
   8 to 16 bytes, the integer pid i and a meta of 40 to 80 bytes. */
#ifndef PRESENCE_BENCH_CORE_SAMPLES_H
#define PRESENCE_BENCH_CORE_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bench_text {
  const char *bytes;
  size_t size;
};

struct bench_sample {
  struct bench_text topic;
  struct bench_text key;
  struct bench_text meta;
  int64_t pid;
};

/* The samples 0 to count - 1, on one topic (topics 1) or spread over several so that no two in a
   row share theirs. Never freed; ends the program when memory is out. */
struct bench_sample *bench_samples(size_t count, size_t topics);

/* 0 to count - 1 in an order without locality; count is a power of ten. */
static inline size_t bench_scatter(size_t i, size_t count) {
  return (size_t)((uint64_t)i * 2654435761u % count);
}

#ifdef __cplusplus
}
#endif

#endif
