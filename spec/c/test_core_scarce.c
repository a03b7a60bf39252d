/* Memory that runs out in the midst of things: of a comparison, of taking over, of removing the
   last key of a topic; and memory that is only there once what waits is freed. */
#include "cmocka_all.h"
#include "core/hash.h"
#include "core_kit.h"

struct fixture {
  struct memory memory;
  presence_heap *heap;
};

static int set_up(void **state) {
  struct fixture *f = malloc(sizeof *f);
  static const unsigned char seed[16] = {9, 2};
  presence__hash_weaken(seed, UINT64_MAX);
  f->heap = memory_heap(&f->memory, true);
  *state = f;
  return 0;
}

static int tear_down(void **state) {
  struct fixture *f = *state;
  presence_heap_free(f->heap);
  long left = f->memory.blocks_alive;
  free(f);
  return left != 0;
}

static presence_editor *editor_of(struct fixture *f) {
  presence_state *empty = presence_state_new(f->heap);
  presence_editor *editor = presence_editor_open(empty);
  presence_state_release(empty);
  return editor;
}

/* A pid takes another's place among several, or the entry stays as it was. */
static void a_pid_takes_over_wholly_or_not_at_all(void **state) {
  struct fixture *f = *state;
  for (int count = 1; count < 40; count += 5) {
    presence_editor *editor = editor_of(f);
    for (int i = 0; i < count; i++)
      assert_int_equal(
          presence_editor_track_ref(editor, str("t"), str("k"), pid(i), str("{}"), str("r")),
          PRESENCE_OK);
    enum presence_status status = PRESENCE_OUT_OF_MEMORY;
    for (long n = 1; status == PRESENCE_OUT_OF_MEMORY; n++) {
      presence_state *before = presence_editor_snapshot(editor);
      f->memory.fail_at = f->memory.requests + n;
      status = presence_editor_take_over_ref(editor, str("t"), str("k"), pid(0), pid(99),
                                             str("{\"a\":1}"), str("r2"));
      f->memory.fail_at = 0;
      const presence_state *now = presence_editor_state(editor);
      assert_null(presence__check(now, NULL));
      assert_true(presence_equal(before, now) == (status != PRESENCE_OK));
      presence_state_release(before);
    }
    assert_int_equal(status, PRESENCE_OK);
    assert_null(presence_editor_get(editor, str("t"), str("k"), pid(0)));
    const presence_meta *meta = presence_editor_get(editor, str("t"), str("k"), pid(99));
    assert_true(is(presence_meta_data(meta), "{\"a\":1}"));
    presence_editor_discard(editor);
  }
}

/* Entries in which one pid has metas with refs and without, of several lengths. */
static presence_state *mixed(struct fixture *f, unsigned from, unsigned count) {
  presence_editor *source = editor_of(f), *editor = editor_of(f);
  char ref[24];
  for (unsigned i = from; i < from + count; i++) {
    presence_string key = str("k");
    snprintf(ref, sizeof ref, "%.*s", (int)(1 + i % 20), "aaaaaaaaaaaaaaaaaaaaaa");
    presence_editor_untrack(source, str("t"), key, pid(7), NULL);
    enum presence_status status =
        i % 3 ? presence_editor_track_ref(source, str("t"), key, pid(7),
                                          str(i % 4 ? "{}" : "{\"a\":1}"), str(ref))
              : presence_editor_track(source, str("t"), key, pid(7), str(i % 2 ? "{}" : "[]"));
    assert_int_equal(status, PRESENCE_OK);
    const presence_entry *one = presence_get(presence_editor_state(source), str("t"), key);
    assert_int_equal(presence_editor_join(editor, str("t"), key, one), PRESENCE_OK);
    if (i % 2)
      assert_int_equal(presence_editor_track(editor, str("t"), key, pid(i), str("1")), PRESENCE_OK);
  }
  presence_editor_discard(source);
  return presence_editor_close(editor);
}

/* Comparing large groups asks for memory; where there is none equality is found without, and a
   difference says so. */
static void comparing_without_memory(void **state) {
  struct fixture *f = *state;
  presence_state *a = mixed(f, 0, 60), *b = mixed(f, 25, 70), *again = mixed(f, 0, 60);
  const presence_entry *in_a = presence_get(a, str("t"), str("k"));
  const presence_entry *in_b = presence_get(b, str("t"), str("k"));
  const presence_entry *in_again = presence_get(again, str("t"), str("k"));
  presence_entry *whole, *difference;
  assert_int_equal(presence_entry_difference(f->heap, in_b, in_a, &whole), PRESENCE_OK);
  assert_true(presence_entry_count(whole) > 16);
  for (int and_after = 0; and_after < 2; and_after++) {
    enum presence_status status = PRESENCE_OUT_OF_MEMORY;
    for (long n = 1; status != PRESENCE_OK; n++) {
      f->memory.fail_at = f->memory.requests + n;
      f->memory.and_after = and_after;
      bool equal = presence_entry_equal(f->heap, in_a, in_again);
      bool other = presence_entry_equal(f->heap, in_a, in_b);
      f->memory.fail_at = f->memory.requests + n;
      difference = NULL;
      status = presence_entry_difference(f->heap, in_b, in_a, &difference);
      f->memory.fail_at = 0;
      assert_true(equal && !other);
      assert_true((status == PRESENCE_OK) == (difference != NULL));
      if (difference) assert_true(presence_entry_equal(f->heap, difference, whole));
      presence_entry_release(f->heap, difference);
    }
  }
  assert_int_equal(presence_entry_difference(f->heap, in_a, in_a, &difference), PRESENCE_OK);
  assert_null(difference);
  presence_entry_release(f->heap, whole);
  presence_state_release(a);
  presence_state_release(b);
  presence_state_release(again);
}

/* Two groups of thousands that share nearly all: what both hold is not collected. */
static void comparing_takes_memory_for_what_differs(void **state) {
  struct fixture *f = *state;
  enum { metas = 8000 };
  presence_editor *editor = editor_of(f);
  presence_meta *meta;
  const presence_meta *one[1];
  presence_state *before = NULL, *after;
  for (int i = 0; i <= metas; i++) {
    presence_entry *entry;
    if (i == metas) before = presence_editor_snapshot(editor);
    assert_int_equal(presence_meta_new(f->heap, pid(7), str(i == metas ? "1" : "2"), &meta),
                     PRESENCE_OK);
    one[0] = meta;
    assert_int_equal(presence_entry_new(f->heap, one, 1, &entry), PRESENCE_OK);
    assert_int_equal(presence_editor_join(editor, str("t"), str("k"), entry), PRESENCE_OK);
    presence_entry_release(f->heap, entry);
    presence_meta_release(f->heap, meta);
  }
  after = presence_editor_close(editor);
  presence_entry *difference;
  const presence_entry *old = presence_get(before, str("t"), str("k"));
  f->memory.limit = f->memory.bytes_alive + 20000;
  assert_int_equal(
      presence_entry_difference(f->heap, presence_get(after, str("t"), str("k")), old, &difference),
      PRESENCE_OK);
  f->memory.limit = 0;
  assert_int_equal(presence_entry_count(difference), 1);
  presence_entry_release(f->heap, difference);
  presence_state_release(before);
  presence_state_release(after);
}

/* The last key of a topic, and of a collision of topics, where memory runs out. */
static void topics_that_cannot_go_stay(void **state) {
  struct fixture *f = *state;
  static const unsigned char seed[16] = {5};
  for (int collide = 0; collide < 2; collide++) {
    presence__hash_weaken(seed, collide ? 0 : UINT64_MAX);
    presence_state *s = presence_state_new(f->heap), *out;
    char name[16];
    for (int i = 0; i < 40; i++) {
      snprintf(name, sizeof name, "t%d", i);
      s = tracked(s, name, "k", 1, "1");
    }
    for (int edit = 0; edit < 2; edit++) {
      enum presence_status status = PRESENCE_OUT_OF_MEMORY;
      for (long n = 1; status == PRESENCE_OUT_OF_MEMORY; n++) {
        f->memory.fail_at = f->memory.requests + n;
        status = edit ? presence_untrack(s, str("t7"), str("k"), pid(1), &out)
                      : presence_update(s, str("t7"), str("k"), pid(1), str("2"), &out);
        f->memory.fail_at = 0;
        assert_null(presence__check(s, NULL));
        assert_int_equal(presence_count(s, str("t7")), 1);
      }
      assert_int_equal(status, PRESENCE_OK);
      presence_state_release(out);
    }
    presence_state_release(s);
  }
  presence__hash_weaken(seed, UINT64_MAX);
}

/* Objects of one size, all chunks of which are full: those that wait to be freed are the only ones
   to be had. */
static void what_waits_makes_room_in_its_own_chunks(void **state) {
  (void)state;
  struct memory memory;
  presence_heap *heap = memory_heap(&memory, false);
  static presence_meta *held[20000];
  presence_meta *last = NULL;
  size_t count = 0;
  presence_state *s = presence_state_new(heap);
  for (int i = 0; i < 3000; i++) {
    char key[16];
    snprintf(key, sizeof key, "k%07d", i);
    s = tracked(s, "t", key, i, "12345678");
  }
  memory.limit = memory.bytes_alive;
  presence_state_release(s);
  /* Metas of the size of those records (8 bytes of key there, of data here). */
  while (count < sizeof held / sizeof *held &&
         presence_meta_new(heap, pid(1), str("1234567812345678"), &last) == PRESENCE_OK)
    held[count++] = last;
  assert_in_range(count, 3000, 19999);
  while (count > 0)
    presence_meta_release(heap, held[--count]);
  presence_heap_free(heap);
  assert_int_equal(memory.blocks_alive, 0);
}

/* Every chunk keeps half of its objects, so that none is emptied. */
static void what_waits_makes_room_between_what_stays(void **state) {
  (void)state;
  struct memory memory;
  presence_heap *heap = memory_heap(&memory, false);
  static presence_meta *held[20000];
  size_t count = 0;
  presence_state *empty = presence_state_new(heap);
  presence_editor *goes = presence_editor_open(empty), *stays = presence_editor_open(empty);
  for (int i = 0; i < 6000; i++) {
    char key[16];
    snprintf(key, sizeof key, "k%07d", i / 2);
    assert_int_equal(
        presence_editor_track(i % 2 ? goes : stays, str("t"), str(key), pid(i), str("12345678")),
        PRESENCE_OK);
  }
  memory.limit = memory.bytes_alive;
  while (presence_meta_new(heap, pid(1), str("1234567812345678"), &held[count]) == PRESENCE_OK)
    count++;
  size_t before = count;
  presence_editor_discard(goes);
  while (presence_meta_new(heap, pid(1), str("1234567812345678"), &held[count]) == PRESENCE_OK)
    count++;
  assert_in_range(count - before, 2900, 3100);
  while (count > 0)
    presence_meta_release(heap, held[--count]);
  presence_editor_discard(stays);
  presence_state_release(empty);
  presence_heap_free(heap);
  assert_int_equal(memory.blocks_alive, 0);
}

/* Chunks that are kept for later are given back for what needs another size. */
static void spare_chunks_make_room_for_large_objects(void **state) {
  (void)state;
  struct memory memory;
  presence_heap *heap = memory_heap(&memory, false);
  presence_state *s = presence_state_new(heap);
  for (int i = 0; i < 1000; i++) {
    char key[16];
    snprintf(key, sizeof key, "k%d", i);
    s = tracked(s, "t", key, i, "1");
  }
  presence_state_release(s);
  while (presence_heap_work(heap, 1000))
    continue;
  char large[4001];
  memset(large, '7', sizeof large - 1);
  large[sizeof large - 1] = '\0';
  memory.limit = memory.bytes_alive;
  presence_meta *meta = NULL;
  assert_int_equal(presence_meta_new(heap, pid(1), str(large), &meta), PRESENCE_OK);
  assert_true(memory.failed > 0);
  presence_meta_release(heap, meta);
  presence_heap_free(heap);
  assert_int_equal(memory.blocks_alive, 0);
}

/* What a failed call had made so far does not stay behind. */
static void a_failed_entry_leaves_nothing(void **state) {
  struct fixture *f = *state;
  const presence_meta *metas[20];
  for (size_t i = 0; i < 20; i++) {
    presence_meta *meta;
    assert_int_equal(presence_meta_new(f->heap, pid((int64_t)i), str("1"), &meta), PRESENCE_OK);
    metas[i] = meta;
  }
  presence_heap_usage before, after;
  presence_heap_stats(f->heap, &before);
  enum presence_status status = PRESENCE_OUT_OF_MEMORY;
  for (long n = 1; status != PRESENCE_OK; n++) {
    presence_entry *entry = NULL;
    f->memory.fail_at = f->memory.requests + n;
    status = presence_entry_new(f->heap, metas, 20, &entry);
    f->memory.fail_at = 0;
    if (entry) presence_entry_release(f->heap, entry);
    presence_heap_stats(f->heap, &after);
    assert_false(after.work_waits);
    assert_int_equal(after.live_bytes, before.live_bytes);
  }
  for (size_t i = 0; i < 20; i++)
    presence_meta_release(f->heap, metas[i]);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(a_pid_takes_over_wholly_or_not_at_all),
      TEST(comparing_without_memory),
      TEST(comparing_takes_memory_for_what_differs),
      TEST(a_failed_entry_leaves_nothing),
      TEST(topics_that_cannot_go_stay),
      cmocka_unit_test(what_waits_makes_room_in_its_own_chunks),
      cmocka_unit_test(what_waits_makes_room_between_what_stays),
      cmocka_unit_test(spare_chunks_make_room_for_large_objects),
  };
  return cmocka_run_group_tests_name("core: scarce memory", tests, NULL, NULL);
}
