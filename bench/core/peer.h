/* A way to keep presences, so that several can be timed in one process on the same samples. */
#ifndef PRESENCE_BENCH_CORE_PEER_H
#define PRESENCE_BENCH_CORE_PEER_H

#include "bench/core/samples.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Loops, not single operations, so that what calls them costs nothing. Each gets samples in an
   array of pointers and ends the program when one of them fails. */
struct bench_peer {
  const char *name;
  void *(*make)(void);
  void (*track)(void *store, const struct bench_sample *const *samples, size_t count);
  void (*untrack)(void *store, const struct bench_sample *const *samples, size_t count);
  size_t (*find)(void *store, const struct bench_sample *const *samples, size_t count);
  void (*drop)(void *store);
};

extern const struct bench_peer bench_core;          /* in place, own size classes */
extern const struct bench_peer bench_core_malloc;   /* in place, every object from malloc */
extern const struct bench_peer bench_core_mimalloc; /* in place, every object from mimalloc */
extern const struct bench_peer bench_core_kept;     /* a new state each time, the old one held */
extern const struct bench_peer bench_std_map;       /* std::unordered_map, nested */
extern const struct bench_peer bench_absl_map;      /* absl::flat_hash_map, nested */

#ifdef __cplusplus
}
#endif

#endif
