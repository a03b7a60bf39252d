/* Instructions of the core's operations, and bytes: run under callgrind, which counts exactly.

     valgrind --tool=callgrind --instr-atstart=no --collect-atstart=no --callgrind-out-file=OUT \
       bench_instructions PRESENCES TOPICS [malloc]

   Each loop ends with a dump OUT.1, OUT.2 ... named "operation/runs". What its calls cost is the
   dump's total less that of a loop that calls nothing with the same samples ("no edit", "no
   look-up"). Other figures are printed: name, value, unit, separated by tabs. The hash key is
   fixed, so every run counts alike. With malloc, every object is asked of the allocator.
 */
#include <stdio.h>
#include <stdlib.h>
#include <valgrind/callgrind.h>

#include "bench/core/samples.h"
#include "core/edit.h"
#include "core/heap.h"
#include "core/presence.h"

static struct bench_sample *samples;
static size_t presences; /* tracked at rest */
static size_t runs;      /* of each operation, on samples that are tracked or are not */

static presence_string string(struct bench_text text) {
  return (presence_string){text.bytes, text.size};
}

static presence_pid pid_of(const struct bench_sample *s) {
  return (presence_pid){s->pid, NULL, 0};
}

static const struct bench_sample *present(size_t i) {
  return &samples[bench_scatter(i, presences)];
}

static const struct bench_sample *absent(size_t i) {
  return &samples[presences + i];
}

static void must(enum presence_status status) {
  if (status == PRESENCE_OK) return;
  fprintf(stderr, "failed: %s\n", presence_status_word(status));
  exit(1);
}

static inline void begin(void) {
  CALLGRIND_START_INSTRUMENTATION;
  CALLGRIND_ZERO_STATS;
  CALLGRIND_TOGGLE_COLLECT;
}

static inline void end(const char *operation, size_t times) {
  char label[64];
  CALLGRIND_TOGGLE_COLLECT;
  snprintf(label, sizeof label, "%s/%zu", operation, times);
  CALLGRIND_DUMP_STATS_AT(label);
  CALLGRIND_STOP_INSTRUMENTATION;
}

static void row(const char *name, double value, const char *unit) {
  printf("%s\t%.3f\t%s\n", name, value, unit);
}

static presence_heap_usage usage_of(presence_heap *heap) {
  presence_heap_usage usage;
  while (presence_heap_work(heap, 100000))
    continue;
  presence_heap_stats(heap, &usage);
  return usage;
}

static inline enum presence_status track(presence_editor *editor, const struct bench_sample *s) {
  return presence_editor_track(editor, string(s->topic), string(s->key), pid_of(s),
                               string(s->meta));
}

static inline enum presence_status untrack(presence_editor *editor, const struct bench_sample *s) {
  return presence_editor_untrack(editor, string(s->topic), string(s->key), pid_of(s), NULL);
}

/* ---- Loops ---- */

/* What loops cost that read a sample and call with it. */
static __attribute__((noipa)) enum presence_status no_edit(const presence_editor *editor,
                                                           presence_string topic,
                                                           presence_string key, presence_pid pid,
                                                           presence_string meta) {
  (void)editor, (void)topic, (void)key, (void)pid, (void)meta;
  return PRESENCE_OK;
}

static __attribute__((noipa)) const void *no_look(const presence_state *state,
                                                  presence_string topic, presence_string key) {
  (void)topic, (void)key;
  return state;
}

static void measure_nothing(const presence_editor *editor) {
  begin();
  for (size_t i = 0; i < runs; i++) {
    const struct bench_sample *s = absent(i);
    must(no_edit(editor, string(s->topic), string(s->key), pid_of(s), string(s->meta)));
  }
  end("no edit", runs);
  size_t found = 0;
  begin();
  for (size_t i = 0; i < runs; i++)
    found += no_look(NULL, string(present(i)->topic), string(present(i)->key)) != NULL;
  end("no look-up", runs);
  if (found) exit(1);
}

static void measure_json(void) {
  begin();
  for (size_t i = 0; i < runs; i++)
    must(presence__check_meta(string(absent(i)->meta)));
  end("json", runs);
  const presence_string meta = {
      "{\"device\":\"phone\",\"online_at\":1700000000,\"name\":\"Ann Lovel\"}", 60};
  begin();
  for (size_t i = 0; i < runs; i++)
    must(presence__check_meta(meta));
  end("json60", runs);
}

static void measure_in_place(presence_editor *editor) {
  begin();
  for (size_t i = 0; i < runs; i++)
    must(track(editor, absent(i)));
  end("track", runs);
  begin();
  for (size_t i = 0; i < runs; i++)
    must(untrack(editor, absent(bench_scatter(i, runs))));
  end("untrack", runs);
}

static void measure_lookups(const presence_state *state) {
  size_t found = 0;
  begin();
  for (size_t i = 0; i < runs; i++)
    found += presence_get(state, string(present(i)->topic), string(present(i)->key)) != NULL;
  end("hit", runs);
  begin();
  for (size_t i = 0; i < runs; i++)
    found += presence_get(state, string(present(i)->topic), string(absent(i)->key)) != NULL;
  end("miss", runs);
  const presence_topic *topic = presence_find_topic(state, string(samples[0].topic));
  begin();
  for (size_t i = 0; i < runs; i++)
    found += presence_topic_get(topic, string(present(i)->key)) != NULL;
  end("hit in topic", runs);
  begin();
  for (size_t i = 0; i < runs; i++)
    found += presence_topic_get(topic, string(absent(i)->key)) != NULL;
  end("miss in topic", runs);
  if (found < runs) exit(1);
}

/* ---- Versions ---- */

/* Nodes of a and b that a walk over both has to look at: those not shared. */
static size_t nodes_apart(presence__slot a, presence__slot b) {
  if (a == b) return 0;
  const struct presence__node *in_a = NULL, *in_b = NULL;
  if (presence__tag_of(a) == PRESENCE__NODE) in_a = presence__object(a);
  if (presence__tag_of(b) == PRESENCE__NODE) in_b = presence__object(b);
  if (!in_a && !in_b) return 0;
  size_t count = 0;
  if (in_a) count++;
  if (in_b) count++;
  for (unsigned digit = 0; digit < PRESENCE__WIDTH; digit++) {
    const uint32_t bit = presence__map_of(digit);
    presence__slot x = 0, y = 0;
    if (in_a && in_a->map & bit) x = in_a->slots[presence__index(in_a->map, digit)];
    if (in_b && in_b->map & bit) y = in_b->slots[presence__index(in_b->map, digit)];
    count += nodes_apart(x, y);
  }
  return count;
}

static size_t topic_nodes_apart(const presence_state *a, const presence_state *b) {
  const presence_topic *in_a = presence_find_topic(a, string(samples[0].topic));
  const presence_topic *in_b = presence_find_topic(b, string(samples[0].topic));
  size_t count = nodes_apart(a->root, b->root);
  return in_a && in_b ? count + nodes_apart(in_a->root, in_b->root) : count;
}

/* versions[0] is given; every further one is made from the one before, all are kept. */
static void make_versions(presence_state **versions, size_t count) {
  begin();
  for (size_t i = 0; i < count; i++) {
    const struct bench_sample *s = absent(i);
    must(presence_track(versions[i], string(s->topic), string(s->key), pid_of(s), string(s->meta),
                        &versions[i + 1]));
  }
  end("track kept", count);
}

/* Right after the building, so that no garbage of other measurements is there to be used again. */
static void measure_versions(presence_heap *heap, presence_editor *editor) {
  presence_state **versions = calloc(runs + 1, sizeof *versions);
  if (!versions) exit(1);
  versions[0] = presence_editor_snapshot(editor);
  const presence_heap_usage before = usage_of(heap);
  make_versions(versions, runs);
  const presence_heap_usage after = usage_of(heap);
  row("bytes a version", (double)(after.held_bytes - before.held_bytes) / (double)runs, "bytes");
  row("bytes a version, live", (double)(after.live_bytes - before.live_bytes) / (double)runs,
      "bytes");
  for (size_t i = 0; i <= runs; i++)
    presence_state_release(versions[i]);
  free(versions);
  usage_of(heap);
}

/* Versions 100 edits apart: 50 joins, 50 leaves. */
static void measure_diffs(presence_editor *editor) {
  enum { DIFFS = 20, CHANGES = 100 };
  presence_state *at[DIFFS + 1];
  size_t next = 0, changes = 0, nodes = 0;
  at[0] = presence_editor_snapshot(editor);
  for (int i = 1; i <= DIFFS; i++) {
    for (int j = 0; j < CHANGES / 2; j++, next++) {
      must(track(editor, absent(next)));
      must(untrack(editor, present(next)));
    }
    at[i] = presence_editor_snapshot(editor);
    nodes += topic_nodes_apart(at[i - 1], at[i]);
  }
  begin();
  for (int i = 0; i < DIFFS; i++) {
    presence_diff_iter iter;
    presence_change change;
    presence_diff_iter_init(&iter, at[i], at[i + 1]);
    while (presence_diff_iter_next(&iter, &change))
      changes++;
  }
  end("diff", DIFFS);
  if (changes != (size_t)DIFFS * CHANGES) exit(1);
  row("nodes of a diff of 100 changes", (double)nodes / DIFFS, "nodes");
  for (int i = 0; i <= DIFFS; i++)
    presence_state_release(at[i]);
  while (next-- > 0) {
    must(track(editor, present(next)));
    must(untrack(editor, absent(next)));
  }
}

/* The tracker's pattern: a snapshot every 100 edits, the one before released; a join and a leave in
   turn, so that the size stays. */
static void measure_snapshots(presence_editor *editor) {
  presence_state *snapshot = NULL;
  begin();
  for (size_t i = 0; i < runs; i++) {
    if (i % 100 == 0) {
      presence_state_release(snapshot);
      snapshot = presence_editor_snapshot(editor);
    }
    must(i % 2 == 0 ? track(editor, absent(i / 2)) : untrack(editor, present(i / 2)));
  }
  end("edit, snapshots", runs);
  presence_state_release(snapshot);
}

static presence_editor *new_editor(presence_heap *heap) {
  presence_state *empty = presence_state_new(heap);
  presence_editor *editor = presence_editor_open(empty);
  presence_state_release(empty);
  return editor;
}

static void measure(bool on_malloc) {
  const presence_heap_options options = {.unpooled = on_malloc};
  presence_heap *heap = presence_heap_new(&options);
  presence_editor *editor = new_editor(heap);
  const presence_heap_usage empty = usage_of(heap);
  for (size_t i = 0; i < presences; i++)
    must(track(editor, &samples[i]));
  const presence_heap_usage full = usage_of(heap);
  row("bytes a presence", (double)(full.held_bytes - empty.held_bytes) / (double)presences,
      "bytes");
  row("bytes a presence, live", (double)(full.live_bytes - empty.live_bytes) / (double)presences,
      "bytes");
  measure_nothing(editor);
  measure_versions(heap, editor);
  measure_json();
  measure_in_place(editor);
  measure_diffs(editor);
  presence_state *snapshot = presence_editor_snapshot(editor);
  measure_lookups(snapshot);
  presence_state_release(snapshot);
  measure_snapshots(editor);
  presence_editor_discard(editor);
  presence_heap_free(heap);
}

int main(int argc, char **argv) {
  const unsigned char seed[17] = "presence, bench!";
  if (argc < 3) return 2;
  presences = strtoull(argv[1], NULL, 10);
  runs = presences / 5 < 20000 ? presences / 5 : 20000;
  presence_hash_seed(seed);
  samples = bench_samples(presences + runs, strtoull(argv[2], NULL, 10));
  measure(argc > 3);
  return 0;
}
