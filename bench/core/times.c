#define _POSIX_C_SOURCE 200809L
/* Times of the core and of its peers, in one process, turn by turn, so that what disturbs the
   machine disturbs all of them. Of each the fastest of several rounds counts.

     bench_times PRESENCES TOPICS

   Prints name, value, unit, separated by tabs. Times are of the processor, not of the clock on the
   wall. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench/core/peer.h"
#include "core/edit.h"
#include "core/presence.h"

static const struct bench_peer *const peers[] = {&bench_core,          &bench_core_malloc,
                                                 &bench_core_mimalloc, &bench_core_kept,
                                                 &bench_std_map,       &bench_absl_map};
enum { PEERS = sizeof peers / sizeof *peers };

enum operation { BUILD, TRACK, UNTRACK, FIND, DROP, OPERATIONS };
static const char *const operation_names[OPERATIONS] = {"build", "track", "untrack", "find",
                                                        "drop"};

static const struct bench_sample **resting, **coming, **scattered;
static size_t presences, runs;
static double best[PEERS][OPERATIONS]; /* ns an operation */

static double now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void row(const char *operation, const char *who, double value, const char *unit) {
  printf("%s, %s\t%.3f\t%s\n", operation, who, value, unit);
}

static void note(size_t peer, enum operation operation, double started, size_t count) {
  const double took = (now_ns() - started) / (double)count;
  if (best[peer][operation] == 0 || took < best[peer][operation]) best[peer][operation] = took;
}

/* One peer, one round. */
static void run(size_t peer) {
  const struct bench_peer *p = peers[peer];
  void *store = p->make();
  double started = now_ns();
  p->track(store, resting, presences);
  note(peer, BUILD, started, presences);
  for (int i = 0; i < 5; i++) {
    started = now_ns();
    p->track(store, coming, runs);
    note(peer, TRACK, started, runs);
    started = now_ns();
    if (p->find(store, scattered, runs) != runs) exit(1);
    note(peer, FIND, started, runs);
    started = now_ns();
    p->untrack(store, coming, runs);
    note(peer, UNTRACK, started, runs);
  }
  started = now_ns();
  p->drop(store);
  note(peer, DROP, started, presences);
}

/* What the check of a meta costs, which the maps do not do. */
static double check_ns(void) {
  double least = 0;
  for (int round = 0; round < 10; round++) {
    const double started = now_ns();
    for (size_t i = 0; i < runs; i++)
      if (presence__check_meta((presence_string){coming[i]->meta.bytes, coming[i]->meta.size}) !=
          PRESENCE_OK)
        exit(1);
    const double took = (now_ns() - started) / (double)runs;
    if (least == 0 || took < least) least = took;
  }
  return least;
}

static void print_times(double check) {
  row("check of a meta", "core", check, "ns");
  for (size_t peer = 0; peer < PEERS; peer++)
    for (int operation = 0; operation < OPERATIONS; operation++)
      row(operation_names[operation], peers[peer]->name, best[peer][operation], "ns");
  for (int operation = BUILD; operation <= TRACK; operation++) {
    const double own = best[0][operation] - check;
    char name[64];
    for (size_t peer = PEERS - 2; peer < PEERS; peer++) {
      snprintf(name, sizeof name, "%s, core against %s", operation_names[operation],
               peers[peer]->name);
      row(name, "JSON check apart", own / best[peer][operation], "times");
      row(name, "JSON check included", best[0][operation] / best[peer][operation], "times");
    }
  }
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  presences = strtoull(argv[1], NULL, 10);
  runs = presences / 5 < 20000 ? presences / 5 : 20000;
  const int rounds = presences > 100000 ? 3 : 7;
  const size_t all = presences + runs;
  struct bench_sample *samples = bench_samples(all, strtoull(argv[2], NULL, 10));
  resting = calloc(all + runs, sizeof *resting);
  if (!resting) return 1;
  coming = resting + presences;
  scattered = coming + runs;
  for (size_t i = 0; i < all; i++)
    resting[i] = &samples[i];
  for (size_t i = 0; i < runs; i++)
    scattered[i] = &samples[bench_scatter(i, presences)];
  for (int round = 0; round < rounds; round++)
    for (size_t peer = 0; peer < PEERS; peer++)
      run(peer);
  print_times(check_ns());
  return 0;
}
