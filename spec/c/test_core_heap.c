/* Heaps: what is released is freed by and by, in bounded steps; empty chunks go back. */
#include <pthread.h>

#include "cmocka_all.h"
#include "core_kit.h"

static presence_state *grow(presence_heap *heap, int count) {
  presence_state *empty = presence_state_new(heap);
  presence_editor *editor = presence_editor_open(empty);
  presence_state_release(empty);
  char topic[16], key[16];
  for (int i = 0; i < count; i++) {
    snprintf(topic, sizeof topic, "t%d", i % 50);
    snprintf(key, sizeof key, "user%d", i);
    if (presence_editor_track(editor, str(topic), str(key), pid(i), str("{\"a\":1}")) !=
        PRESENCE_OK)
      abort();
  }
  return presence_editor_close(editor);
}

static presence_heap_usage usage_of(const presence_heap *heap) {
  presence_heap_usage usage;
  presence_heap_stats(heap, &usage);
  return usage;
}

static void a_large_state_is_released_in_bounded_steps(void **state) {
  (void)state;
  struct memory memory;
  presence_heap *heap = memory_heap(&memory, false);
  int count = (int)number_from("PRESENCE_COUNT", 1000000);
  presence_state *other = presence_state_new(heap), *out;
  presence_state *s = grow(heap, count);
  presence_heap_usage before = usage_of(heap), after;
  presence_state_release(s);
  after = usage_of(heap);
  assert_in_range(after.freed_objects - before.freed_objects, 1, 400);
  assert_true(after.work_waits);
  /* Other calls pay the rest, a little each. */
  unsigned calls = 0;
  for (; usage_of(heap).work_waits; calls++) {
    before = usage_of(heap);
    assert_int_equal(presence_track(other, str("t"), str("k"), pid(1), str("1"), &out),
                     PRESENCE_OK);
    presence_state_release(out);
    after = usage_of(heap);
    assert_in_range(after.freed_objects - before.freed_objects, 1, 800);
  }
  assert_in_range(calls, count / 800, count / 50);
  assert_in_range(after.live_bytes, 1, 100);
  /* The chunks went back, but for a few. */
  assert_in_range(memory.bytes_alive, 1, 200000);
  presence_state_release(other);
  presence_heap_free(heap);
  assert_int_equal(memory.blocks_alive, 0);
}

static void *free_all(void *context) {
  presence_heap_free(context);
  return NULL;
}

/* All at once, of a large state and of a key with many metas: in a loop, and not by recursion. */
static void freeing_needs_little_stack(void **state) {
  (void)state;
  struct memory memory;
  presence_heap *heap = memory_heap(&memory, false);
  presence_state *s = grow(heap, (int)number_from("PRESENCE_COUNT", 1000000));
  presence_editor *editor = presence_editor_open(s);
  presence_state_release(s);
  for (int i = 0; i < 10000; i++)
    assert_int_equal(presence_editor_track(editor, str("t"), str("k"), pid(i), str("1")),
                     PRESENCE_OK);
  presence_editor_discard(editor);
  assert_true(usage_of(heap).work_waits);
  pthread_attr_t attributes;
  pthread_t thread;
  assert_int_equal(pthread_attr_init(&attributes), 0);
  assert_int_equal(pthread_attr_setstacksize(&attributes, (size_t)64 * 1024), 0);
  assert_int_equal(pthread_create(&thread, &attributes, free_all, heap), 0);
  pthread_join(thread, NULL);
  pthread_attr_destroy(&attributes);
  assert_int_equal(memory.blocks_alive, 0);
}

static void work_may_be_done_when_idle(void **state) {
  (void)state;
  struct memory memory;
  presence_heap *heap = memory_heap(&memory, false);
  presence_state_release(grow(heap, 5000));
  unsigned calls = 1;
  uint64_t before = usage_of(heap).freed_objects;
  while (presence_heap_work(heap, 100)) {
    uint64_t now = usage_of(heap).freed_objects;
    assert_in_range(now - before, 1, 120);
    before = now;
    calls++;
  }
  assert_true(calls > 30);
  assert_int_equal(usage_of(heap).live_bytes, 0);
  assert_false(presence_heap_work(heap, 100));
  presence_heap_free(heap);
  assert_int_equal(memory.blocks_alive, 0);
}

static void closing_drains_what_waits(void **state) {
  (void)state;
  struct memory memory;
  presence_heap *heap = memory_heap(&memory, false);
  presence_state_release(grow(heap, 5000));
  assert_true(usage_of(heap).work_waits);
  presence_heap_free(heap);
  assert_int_equal(memory.blocks_alive, 0);
}

/* Whatever is held keeps the heap, in whatever order things are given up. */
static void a_closed_heap_goes_with_the_last_thing_in_it(void **state) {
  (void)state;
  struct memory memory;
  presence_heap *heap = memory_heap(&memory, false);
  presence_state *s = tracked(grow(heap, 1000), "t", "k", 1, "1"), *out;
  presence_entry *entry = presence_entry_retain(presence_get(s, str("t"), str("k")));
  presence_meta *meta = presence_meta_retain(presence_entry_at(entry, 0));
  presence_editor *editor = presence_editor_open(s);
  presence_heap_free(heap);
  assert_int_equal(presence_untrack(s, str("t"), str("k"), pid(1), &out), PRESENCE_OK);
  presence_state_release(out);
  presence_state_release(s);
  assert_int_equal(presence_editor_untrack(editor, str("t"), str("k"), pid(1), NULL), PRESENCE_OK);
  presence_editor_discard(editor);
  assert_true(is(presence_meta_data(presence_entry_at(entry, 0)), "1"));
  presence_entry_release(heap, entry);
  assert_true(memory.blocks_alive > 0);
  presence_meta_release(heap, meta);
  assert_int_equal(memory.blocks_alive, 0);
}

static void memory_that_waits_is_used_before_more_is_refused(void **state) {
  (void)state;
  struct memory memory;
  presence_heap *heap = memory_heap(&memory, false);
  presence_state *s = grow(heap, 5000);
  /* More than lies free, less than is given back. */
  const size_t size = memory.bytes_alive / 2;
  char *large = calloc(1, size + 1);
  memset(large, '7', size);
  memory.limit = memory.bytes_alive;
  presence_meta *meta = NULL;
  assert_int_equal(presence_meta_new(heap, pid(1), str(large), &meta), PRESENCE_OUT_OF_MEMORY);
  presence_state_release(s);
  memory.failed = 0;
  assert_int_equal(presence_meta_new(heap, pid(1), str(large), &meta), PRESENCE_OK);
  assert_true(memory.failed > 0);
  presence_meta_release(heap, meta);
  presence_heap_free(heap);
  assert_int_equal(memory.blocks_alive, 0);
  free(large);
}

static void objects_of_any_size_are_had(void **state) {
  (void)state;
  struct memory memory;
  presence_heap *heap = memory_heap(&memory, false);
  presence_state *s = presence_state_new(heap);
  for (size_t size = 3; size < 3000; size += 7) {
    char meta[3001];
    memset(meta, 'x', size);
    meta[0] = meta[size - 1] = '"';
    meta[size] = '\0';
    s = tracked(s, "t", "k", (int64_t)size, meta);
  }
  assert_null(presence__check(s, NULL));
  for (size_t size = 3; size < 3000; size += 7) {
    presence_state *out;
    assert_int_equal(presence_untrack(s, str("t"), str("k"), pid((int64_t)size), &out),
                     PRESENCE_OK);
    presence_state_release(s);
    s = out;
  }
  while (presence_heap_work(heap, 1000))
    continue;
  assert_in_range(usage_of(heap).live_bytes, 1, 100);
  presence_state_release(s);
  presence_heap_free(heap);
  assert_int_equal(memory.blocks_alive, 0);
}

static void the_default_allocator_does(void **state) {
  (void)state;
  presence_heap *heap = presence_heap_new(NULL);
  presence_state *s = grow(heap, 3000);
  assert_int_equal(presence_count(s, str("t1")), 60);
  assert_true(usage_of(heap).held_bytes >= usage_of(heap).live_bytes);
  assert_true(usage_of(heap).allocated_bytes >= usage_of(heap).live_bytes);
  presence_state_release(s);
  presence_heap_free(heap);
}

/* The process's key is fixed by the first heap. */
static void the_hash_is_seeded_once(void **state) {
  (void)state;
  unsigned char seed[16] = {1};
  assert_false(presence_hash_seed(seed));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_large_state_is_released_in_bounded_steps),
      cmocka_unit_test(freeing_needs_little_stack),
      cmocka_unit_test(work_may_be_done_when_idle),
      cmocka_unit_test(closing_drains_what_waits),
      cmocka_unit_test(a_closed_heap_goes_with_the_last_thing_in_it),
      cmocka_unit_test(memory_that_waits_is_used_before_more_is_refused),
      cmocka_unit_test(objects_of_any_size_are_had),
      cmocka_unit_test(the_default_allocator_does),
      cmocka_unit_test(the_hash_is_seeded_once),
  };
  return cmocka_run_group_tests_name("core: heaps", tests, NULL, NULL);
}
