/* Versions shared between threads, in a build with PRESENCE_ATOMIC: one thread edits by an editor
   and pins snapshots to a board; others take them from there, hold them, read, compare, encode and
   edit them, pin what they made, and release everything in random order. Each version carries what
   it must hold. Run under ThreadSanitizer. */
#include <pthread.h>
#include <stdatomic.h>
#include <threads.h>

#include "cmocka_all.h"
#include "core_kit.h"

#define TOPICS 3u
#define KEYS 12u
#define PIDS 14u /* more than an array of metas takes, so that some keys become tries */
#define METAS 3u
#define BOARD 8u
#define HELD 5u
#define READERS 4u

/* What tells one presence from another. */
struct presence {
  unsigned topic, key, pid, meta;
};

struct names {
  char topic[16], key[16], meta[32];
};

static presence_string topic_of(struct names *n, unsigned topic) {
  snprintf(n->topic, sizeof n->topic, "room:%u", topic);
  return str(n->topic);
}

static presence_string key_of(struct names *n, unsigned key) {
  snprintf(n->key, sizeof n->key, "user%u", key);
  return str(n->key);
}

static presence_string meta_of(struct names *n, unsigned meta) {
  snprintf(n->meta, sizeof n->meta, "{\"version\":%u}", meta);
  return str(n->meta);
}

/* Content is summed up so that one edit changes the sum by one term. */
static uint64_t term(struct presence p) {
  uint64_t seed = (((uint64_t)p.topic * KEYS + p.key) * PIDS + p.pid) * METAS + p.meta;
  return roll(&seed);
}

struct version {
  presence_state *state;
  uint64_t sum;
};

struct stage {
  struct memory memory; /* not guarded: the heap calls its allocator from one thread at a time */
  presence_heap *heap;
  unsigned steps;
  uint64_t seed;
  pthread_mutex_t lock; /* over the board, done and fault */
  struct version board[BOARD];
  bool done;
  const char *fault; /* the first that a thread found; asserting is for the main thread */
};

static void expect(struct stage *stage, bool holds, const char *what) {
  if (holds) return;
  pthread_mutex_lock(&stage->lock);
  if (!stage->fault) stage->fault = what;
  pthread_mutex_unlock(&stage->lock);
}

static bool is_done(struct stage *stage) {
  pthread_mutex_lock(&stage->lock);
  bool done = stage->done || stage->fault;
  pthread_mutex_unlock(&stage->lock);
  return done;
}

/* Pins a version (*taken*) in the place of another, which goes. */
static void pin(struct stage *stage, uint64_t *seed, struct version version) {
  unsigned at = below(seed, BOARD);
  pthread_mutex_lock(&stage->lock);
  struct version old = stage->board[at];
  stage->board[at] = version;
  pthread_mutex_unlock(&stage->lock);
  presence_state_release(old.state);
}

/* A version of the board, *new*; its state NULL where nothing is pinned. */
static struct version unpin_copy(struct stage *stage, uint64_t *seed) {
  pthread_mutex_lock(&stage->lock);
  struct version version = stage->board[below(seed, BOARD)];
  if (version.state) presence_state_retain(version.state);
  pthread_mutex_unlock(&stage->lock);
  return version;
}

/* ---- Reading ---- */

static uint64_t sum_entry(unsigned topic, presence_string key, const presence_entry *entry) {
  struct presence p = {topic, 0, 0, 0};
  char digits[8] = {0};
  memcpy(digits, key.bytes + 4, key.size - 4);
  p.key = (unsigned)strtoul(digits, NULL, 10);
  uint64_t sum = 0;
  presence_meta_iter iter;
  presence_meta_iter_init(&iter, entry);
  for (const presence_meta *meta; (meta = presence_meta_iter_next(&iter));) {
    p.pid = (unsigned)presence_meta_pid(meta).integer;
    p.meta = (unsigned)(presence_meta_data(meta).bytes[11] - '0');
    sum += term(p);
  }
  return sum;
}

static uint64_t sum_of(const presence_state *state) {
  uint64_t sum = 0;
  presence_topic_iter topics;
  presence_topic_iter_init(&topics, state);
  for (const presence_topic *topic; (topic = presence_topic_iter_next(&topics));) {
    presence_string key;
    presence_entry_iter entries;
    presence_entry_iter_init(&entries, topic);
    unsigned number = (unsigned)(presence_topic_name(topic).bytes[5] - '0');
    for (const presence_entry *entry; (entry = presence_entry_iter_next(&entries, &key));)
      sum += sum_entry(number, key, entry);
  }
  return sum;
}

static void read_all(struct stage *stage, const struct version *version) {
  expect(stage, presence__check(version->state, NULL) == NULL, "the shape is broken");
  expect(stage, sum_of(version->state) == version->sum, "the content is another");
}

static void compare(struct stage *stage, const struct version *a, const struct version *b) {
  presence_state *joins, *leaves, *patched;
  /* Equal sums are no proof: refs are not summed up. */
  expect(stage, a->sum == b->sum || !presence_equal(a->state, b->state), "equality is wrong");
  if (presence_diff(a->state, b->state, &joins, &leaves) != PRESENCE_OK) abort();
  if (presence_patch(a->state, joins, leaves, &patched) > PRESENCE_UNCHANGED) abort();
  expect(stage, presence_equal(patched, b->state), "a diff does not lead to the other version");
  expect(stage, a->sum + sum_of(joins) - sum_of(leaves) == b->sum, "a diff is wrong");
  presence_state_release(leaves);
  presence_state_release(patched);
  presence_state_release(joins);
}

static void encode_and_decode(struct stage *stage, const struct version *version) {
  struct text text;
  presence_state *again;
  if (presence_encode(version->state, text_sink(&text)) != PRESENCE_OK) abort();
  if (presence_decode(stage->heap, (presence_string){text.bytes, text.size}, &again) != PRESENCE_OK)
    abort();
  expect(stage, presence_equal(again, version->state), "decoded to another content");
  presence_state_release(again);
  free(text.bytes);
}

static void write_json(struct stage *stage, const struct version *a, const struct version *b,
                       uint64_t *seed) {
  struct names names;
  struct text text;
  presence_string topic = topic_of(&names, below(seed, TOPICS));
  if (presence_list_json(a->state, topic, PRESENCE_WIRE, text_sink(&text)) != PRESENCE_OK) abort();
  expect(stage, text.size >= 2, "the JSON is cut short");
  free(text.bytes);
  if (presence_diff_json(a->state, b->state, topic, PRESENCE_PLAIN, text_sink(&text)) >
      PRESENCE_UNCHANGED)
    abort();
  free(text.bytes);
}

/* What is part of a version outlives it. */
static void keep_a_part(struct stage *stage, struct version *version, uint64_t *seed) {
  struct names names;
  unsigned topic = below(seed, TOPICS), key = below(seed, KEYS);
  presence_string key_name = key_of(&names, key);
  presence_state *part = presence_state_of_topic(version->state, topic_of(&names, topic));
  const presence_entry *found = presence_get(part, topic_of(&names, topic), key_name);
  presence_entry *entry = found ? presence_entry_retain(found) : NULL;
  uint64_t sum = found ? sum_entry(topic, key_name, found) : 0;
  presence_state_release(version->state);
  version->state = NULL;
  presence_state_release(part);
  if (!entry) return;
  presence_meta *meta = presence_meta_retain(presence_entry_at(entry, 0));
  expect(stage, sum_entry(topic, key_name, entry) == sum, "an entry changed when its version went");
  presence_entry_release(stage->heap, entry);
  expect(stage, presence_meta_data(meta).size == 13, "a meta changed when its entry went");
  presence_meta_release(stage->heap, meta);
}

/* ---- Editing ---- */

/* One edit by an editor; returns by what the sum changes. */
static uint64_t edit_once(presence_editor *editor, uint64_t *seed) {
  struct names names;
  struct presence p = {below(seed, TOPICS), below(seed, KEYS) * below(seed, KEYS) / KEYS,
                       below(seed, PIDS), below(seed, METAS)};
  presence_string topic = topic_of(&names, p.topic), key = key_of(&names, p.key);
  const presence_meta *old = presence_editor_get(editor, topic, key, pid(p.pid));
  struct presence before = p;
  if (old) before.meta = (unsigned)(presence_meta_data(old).bytes[11] - '0');
  enum presence_status status = PRESENCE_UNCHANGED;
  uint64_t change = 0;
  if (!old) {
    status = presence_editor_track_ref(editor, topic, key, pid(p.pid), meta_of(&names, p.meta),
                                       str("ref"));
    change = term(p);
  } else if (below(seed, 3) == 0) {
    status = presence_editor_update_ref(editor, topic, key, pid(p.pid), meta_of(&names, p.meta),
                                        str("ref"));
    change = term(p) - term(before);
  } else {
    status = presence_editor_untrack(editor, topic, key, pid(p.pid), NULL);
    change = (uint64_t)0 - term(before);
  }
  if (status > PRESENCE_UNCHANGED) abort();
  return change;
}

/* A version made from one that is held, by value and by an editor in turn. */
static struct version derive(const struct version *from, uint64_t *seed) {
  struct version made = {NULL, from->sum};
  struct names names;
  if (below(seed, 2)) {
    presence_editor *editor = presence_editor_open(from->state);
    for (unsigned i = below(seed, 6); i > 0; i--)
      made.sum += edit_once(editor, seed);
    made.state = presence_editor_close(editor);
    return made;
  }
  struct presence p = {below(seed, TOPICS), below(seed, KEYS), below(seed, PIDS), 0};
  presence_string topic = topic_of(&names, p.topic), key = key_of(&names, p.key);
  presence_state *without;
  const presence_entry *entry = presence_get(from->state, topic, key);
  const presence_meta *old = presence_entry_find(entry, pid(p.pid));
  if (old) {
    p.meta = (unsigned)(presence_meta_data(old).bytes[11] - '0');
    made.sum -= term(p);
  }
  if (presence_untrack(from->state, topic, key, pid(p.pid), &without) > PRESENCE_UNCHANGED) abort();
  p.meta = below(seed, METAS);
  if (presence_track(without, topic, key, pid(p.pid), meta_of(&names, p.meta), &made.state) !=
      PRESENCE_OK)
    abort();
  presence_state_release(without);
  made.sum += term(p);
  return made;
}

/* ---- The threads ---- */

static void *edit(void *context) {
  struct stage *stage = context;
  uint64_t seed = stage->seed, sum = 0;
  presence_state *empty = presence_state_new(stage->heap);
  presence_editor *editor = presence_editor_open(empty);
  presence_state_release(empty);
  for (unsigned i = 0; i < stage->steps && !is_done(stage); i++) {
    for (unsigned edits = below(&seed, 8); edits > 0; edits--)
      sum += edit_once(editor, &seed);
    pin(stage, &seed, (struct version){presence_editor_snapshot(editor), sum});
    /* Now and then it goes on from what another thread made. */
    if (below(&seed, 50) != 0) continue;
    struct version other = unpin_copy(stage, &seed);
    if (!other.state) continue;
    presence_editor_reset(editor, other.state);
    sum = other.sum;
    presence_state_release(other.state);
  }
  expect(stage, sum_of(presence_editor_state(editor)) == sum, "the editor's content is another");
  presence_editor_discard(editor);
  pthread_mutex_lock(&stage->lock);
  stage->done = true;
  pthread_mutex_unlock(&stage->lock);
  return NULL;
}

struct reader {
  struct stage *stage;
  uint64_t seed;
  struct version held[HELD];
  pthread_t thread;
};

static void act(struct reader *reader) {
  struct stage *stage = reader->stage;
  uint64_t *seed = &reader->seed;
  struct version *a = &reader->held[below(seed, HELD)], *b = &reader->held[below(seed, HELD)];
  presence_heap_usage usage;
  unsigned what = below(seed, 10);
  if (what < 3 || !a->state || !b->state) {
    presence_state_release(a->state);
    *a = unpin_copy(stage, seed);
  } else if (what == 3) {
    read_all(stage, a);
  } else if (what == 4) {
    compare(stage, a, b);
  } else if (what == 5) {
    encode_and_decode(stage, a);
  } else if (what == 6) {
    write_json(stage, a, b, seed);
  } else if (what == 7) {
    keep_a_part(stage, a, seed);
  } else if (what == 8) {
    presence_heap_stats(stage->heap, &usage);
    expect(stage, usage.live_bytes <= usage.held_bytes, "more is alive than is held");
    presence_heap_work(stage->heap, 20);
  } else {
    struct version made = derive(a, seed);
    read_all(stage, &made);
    pin(stage, seed, made);
  }
}

static void *read_and_hold(void *context) {
  struct reader *reader = context;
  while (!is_done(reader->stage))
    act(reader);
  return NULL;
}

/* Releases what is held, in random order; the heap may be closed already. */
static void *let_go(void *context) {
  struct reader *reader = context;
  for (unsigned left = HELD; left > 0; left--) {
    unsigned at = below(&reader->seed, left);
    presence_state_release(reader->held[at].state);
    reader->held[at] = reader->held[left - 1];
  }
  return NULL;
}

static void play(struct stage *stage, bool unpooled, unsigned steps) {
  *stage = (struct stage){.steps = steps, .lock = PTHREAD_MUTEX_INITIALIZER};
  stage->heap = memory_heap(&stage->memory, unpooled);
  stage->seed = seed_for("threads");
  struct reader readers[READERS];
  pthread_t editor;
  assert_int_equal(pthread_create(&editor, NULL, edit, stage), 0);
  for (unsigned i = 0; i < READERS; i++) {
    readers[i] = (struct reader){.stage = stage, .seed = stage->seed + 1 + i};
    assert_int_equal(pthread_create(&readers[i].thread, NULL, read_and_hold, &readers[i]), 0);
  }
  pthread_join(editor, NULL);
  for (unsigned i = 0; i < READERS; i++)
    pthread_join(readers[i].thread, NULL);
  for (unsigned i = 0; i < READERS; i++)
    for (unsigned k = 0; k < HELD; k++)
      if (readers[i].held[k].state) read_all(stage, &readers[i].held[k]);
  for (unsigned i = 0; i < BOARD; i++)
    presence_state_release(stage->board[i].state);
  if (stage->fault) fail_msg("%s", stage->fault);
  /* The heap is closed while all of them hold versions; the last to let go takes it along. */
  for (unsigned i = 0; i < READERS; i++)
    assert_int_equal(pthread_create(&readers[i].thread, NULL, let_go, &readers[i]), 0);
  presence_heap_free(stage->heap);
  for (unsigned i = 0; i < READERS; i++)
    pthread_join(readers[i].thread, NULL);
  assert_int_equal(stage->memory.blocks_alive, 0);
}

static unsigned steps(void) {
  return (unsigned)number_from("PRESENCE_STEPS", 5000);
}

static void versions_are_shared_while_an_editor_goes_on(void **state) {
  (void)state;
  struct stage stage;
  play(&stage, false, steps());
}

/* Every object is a block of its own, so that a reader of a freed one is found. */
static void the_same_without_size_classes(void **state) {
  (void)state;
  struct stage stage;
  play(&stage, true, steps() / 2);
}

/* Closing the heap and letting go of the last things in it meet in every way. */
static void the_last_one_out_takes_a_closed_heap_along(void **state) {
  (void)state;
  struct stage stage;
  for (unsigned i = 0; i < 30; i++)
    play(&stage, i % 2, 10);
}

/* ---- Letting go while others edit or let go ---- */

/* A thread that releases what it is handed, at once: it waits awake, so that it and who hands over
   are at it within the same microsecond. */
struct hand {
  _Atomic(presence_state *) state;
  atomic_uint released;
  atomic_bool stop;
  pthread_t thread;
};

static void *release_at_once(void *context) {
  struct hand *hand = context;
  while (!atomic_load(&hand->stop)) {
    presence_state *state = atomic_exchange(&hand->state, NULL);
    if (!state) {
      thrd_yield();
      continue;
    }
    presence_state_release(state);
    atomic_fetch_add(&hand->released, 1);
  }
  return NULL;
}

static void open_hand(struct hand *hand) {
  atomic_init(&hand->state, NULL);
  atomic_init(&hand->released, 0);
  atomic_init(&hand->stop, false);
  assert_int_equal(pthread_create(&hand->thread, NULL, release_at_once, hand), 0);
}

static void close_hand(struct hand *hand) {
  atomic_store(&hand->stop, true);
  pthread_join(hand->thread, NULL);
  presence_state_release(atomic_load(&hand->state));
}

static void wait_for(struct hand *hand, unsigned released) {
  while (atomic_load(&hand->released) < released)
    thrd_yield();
}

/* So that what follows meets the other thread in each of its steps. */
static void dawdle(unsigned turns) {
  for (volatile unsigned i = 0; i < turns; i++)
    continue;
}

static presence_editor *open_filled(presence_heap *heap, unsigned keys) {
  struct names names;
  presence_state *empty = presence_state_new(heap);
  presence_editor *editor = presence_editor_open(empty);
  presence_state_release(empty);
  for (unsigned i = 0; i < keys; i++)
    if (presence_editor_track(editor, topic_of(&names, i % TOPICS), key_of(&names, i), pid(i),
                              str("{}")) != PRESENCE_OK)
      abort();
  for (unsigned i = 0; i < 40; i++)
    if (presence_editor_track(editor, topic_of(&names, 0), str("user_many"), pid(i), str("{}")) !=
        PRESENCE_OK)
      abort();
  return editor;
}

/* The editor finds objects shared that it is the last to hold when it has copied them. */
static void a_snapshot_is_dropped_in_the_midst_of_an_edit(void **state) {
  (void)state;
  struct memory memory;
  struct names names;
  struct hand hand;
  presence_heap *heap = memory_heap(&memory, false);
  presence_editor *editor = open_filled(heap, 300);
  open_hand(&hand);
  for (unsigned i = 0; i < 4 * steps(); i++) {
    presence_string topic = topic_of(&names, i % TOPICS);
    presence_string key = i % 4 ? key_of(&names, i % 300) : str("user_many");
    presence_pid who = pid(i % 4 ? 1000 : i % 40);
    presence_state_release(atomic_exchange(&hand.state, presence_editor_snapshot(editor)));
    dawdle(i % 400);
    size_t removed = 0;
    if (presence_editor_untrack(editor, topic, key, who, &removed) == PRESENCE_UNCHANGED)
      assert_int_equal(presence_editor_track(editor, topic, key, who, str("{}")), PRESENCE_OK);
  }
  close_hand(&hand);
  assert_null(presence__check(presence_editor_state(editor), NULL));
  presence_editor_discard(editor);
  presence_heap_free(heap);
  assert_int_equal(memory.blocks_alive, 0);
}

/* Two threads give up the last references of a heap that a third closes. */
static void the_last_references_go_at_the_same_time(void **state) {
  (void)state;
  struct hand hands[2];
  open_hand(&hands[0]);
  open_hand(&hands[1]);
  for (unsigned i = 1; i <= steps(); i++) {
    struct memory memory;
    presence_heap *heap = memory_heap(&memory, i % 2);
    presence_state *last = tracked(presence_state_new(heap), "t", "k", 1, "1");
    presence_state *other = i % 3 ? presence_state_retain(last) : presence_state_new(heap);
    atomic_store(&hands[0].state, last);
    dawdle(i % 100);
    atomic_store(&hands[1].state, other);
    dawdle(i / 100 % 100);
    presence_heap_free(heap);
    wait_for(&hands[0], i);
    wait_for(&hands[1], i);
    assert_int_equal(memory.blocks_alive, 0);
  }
  close_hand(&hands[0]);
  close_hand(&hands[1]);
}

/* A thread finds the heap open, and so frees a part of a large version only; the heap is closed at
   the same time. What the first left queued goes with whoever leaves last. */
static void a_heap_is_closed_while_a_large_version_goes(void **state) {
  (void)state;
  struct hand hand;
  open_hand(&hand);
  for (unsigned i = 1; i <= steps() / 5; i++) {
    struct memory memory;
    presence_heap *heap = memory_heap(&memory, i % 2);
    atomic_store(&hand.state, presence_editor_close(open_filled(heap, 300)));
    dawdle(i % 500);
    presence_heap_free(heap);
    wait_for(&hand, i);
    assert_int_equal(memory.blocks_alive, 0);
  }
  close_hand(&hand);
}

static void a_large_version_is_dropped_beside_edits(void **state) {
  (void)state;
  struct memory memory;
  struct names names;
  struct hand hand;
  presence_heap *heap = memory_heap(&memory, false);
  presence_editor *editor = open_filled(heap, 20000);
  presence_state *large = presence_editor_snapshot(editor), *empty = presence_state_new(heap), *out;
  presence_editor_discard(editor);
  open_hand(&hand);
  atomic_store(&hand.state, large);
  for (unsigned i = 0; i < 2000; i++) {
    assert_int_equal(
        presence_track(empty, topic_of(&names, 0), key_of(&names, 1), pid(1), str("1"), &out),
        PRESENCE_OK);
    presence_state_release(out);
  }
  wait_for(&hand, 1);
  close_hand(&hand);
  while (presence_heap_work(heap, 1000))
    continue;
  presence_heap_usage usage;
  presence_heap_stats(heap, &usage);
  assert_in_range(usage.live_bytes, 1, 100);
  presence_state_release(empty);
  presence_heap_free(heap);
  assert_int_equal(memory.blocks_alive, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(versions_are_shared_while_an_editor_goes_on),
      cmocka_unit_test(the_same_without_size_classes),
      cmocka_unit_test(the_last_one_out_takes_a_closed_heap_along),
      cmocka_unit_test(a_snapshot_is_dropped_in_the_midst_of_an_edit),
      cmocka_unit_test(the_last_references_go_at_the_same_time),
      cmocka_unit_test(a_heap_is_closed_while_a_large_version_goes),
      cmocka_unit_test(a_large_version_is_dropped_beside_edits),
  };
  return cmocka_run_group_tests_name("core: threads", tests, NULL, NULL);
}
