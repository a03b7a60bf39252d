#define _POSIX_C_SOURCE 200809L
/* Times of what only a persistent state has: differences of versions, and the longest call while
   a version of many presences is freed.

     bench_versions PRESENCES

   Prints name, value, unit, separated by tabs. Times are of the processor. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench/core/samples.h"
#include "core/presence.h"

enum { DIFFS = 50, CHANGES = 100, ROUNDS = 20 };

static struct bench_sample *samples;
static size_t presences;

static double now_us(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static void row(const char *name, double value, const char *unit) {
  printf("%s\t%.3f\t%s\n", name, value, unit);
}

static presence_string string(struct bench_text text) {
  return (presence_string){text.bytes, text.size};
}

static void must(bool done) {
  if (!done) exit(1);
}

static void track(presence_editor *editor, const struct bench_sample *s) {
  must(presence_editor_track(editor, string(s->topic), string(s->key), presence_pid_integer(s->pid),
                             string(s->meta)) == PRESENCE_OK);
}

static void untrack(presence_editor *editor, const struct bench_sample *s) {
  must(presence_editor_untrack(editor, string(s->topic), string(s->key),
                               presence_pid_integer(s->pid), NULL) == PRESENCE_OK);
}

/* Versions 100 changes apart are compared one after another; the fastest round counts. */
static void time_diffs(presence_editor *editor) {
  presence_state *at[DIFFS + 1];
  size_t next = 0;
  at[0] = presence_editor_snapshot(editor);
  for (int i = 1; i <= DIFFS; i++) {
    for (int j = 0; j < CHANGES / 2; j++, next++) {
      track(editor, &samples[presences + next]);
      untrack(editor, &samples[bench_scatter(next, presences)]);
    }
    at[i] = presence_editor_snapshot(editor);
  }
  double best = 0;
  for (int round = 0; round < ROUNDS; round++) {
    size_t changes = 0;
    const double started = now_us();
    for (int i = 0; i < DIFFS; i++) {
      presence_diff_iter iter;
      presence_change change;
      presence_diff_iter_init(&iter, at[i], at[i + 1]);
      while (presence_diff_iter_next(&iter, &change))
        changes++;
    }
    const double took = (now_us() - started) / DIFFS;
    must(changes == (size_t)DIFFS * CHANGES);
    if (best == 0 || took < best) best = took;
  }
  row("time of a diff of 100 changes", best, "us");
  for (int i = 0; i <= DIFFS; i++)
    presence_state_release(at[i]);
}

/* Drops everything, then does small edits as a server would; each pays for a part of the freeing.
   No call frees more than a bounded number of objects, and none may last long. */
static void time_release(presence_heap *heap, presence_editor *editor) {
  presence_state *empty = presence_state_new(heap);
  presence_heap_usage usage;
  double longest = 0;
  uint64_t most = 0, freed, edits = 0;
  double started = now_us();
  presence_editor_reset(editor, empty);
  longest = now_us() - started;
  presence_heap_stats(heap, &usage);
  do {
    const struct bench_sample *s = &samples[edits++ % presences];
    freed = usage.freed_objects;
    started = now_us();
    track(editor, s);
    double took = now_us() - started;
    if (took > longest) longest = took;
    started = now_us();
    untrack(editor, s);
    took = now_us() - started;
    if (took > longest) longest = took;
    presence_heap_stats(heap, &usage);
    if (usage.freed_objects - freed > most) most = usage.freed_objects - freed;
  } while (usage.work_waits);
  row("longest call while a version is freed", longest / 1e3, "ms");
  row("most objects freed by a track and an untrack", (double)most, "objects");
  row("tracks and untracks until it is freed", (double)edits, "edits");
  presence_state_release(empty);
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  presences = strtoull(argv[1], NULL, 10);
  samples = bench_samples(presences + DIFFS * CHANGES / 2, 1);
  presence_heap *heap = presence_heap_new(NULL);
  presence_state *empty = presence_state_new(heap);
  presence_editor *editor = presence_editor_open(empty);
  presence_state_release(empty);
  for (size_t i = 0; i < presences; i++)
    track(editor, &samples[i]);
  time_diffs(editor);
  time_release(heap, editor);
  presence_editor_discard(editor);
  presence_heap_free(heap);
  return 0;
}
