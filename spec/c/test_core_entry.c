/* Metas and entries by themselves, and entries of many metas. */
#include "cmocka_all.h"
#include "core_kit.h"

struct fixture {
  struct memory memory;
  presence_heap *heap;
};

static int set_up(void **state) {
  struct fixture *f = malloc(sizeof *f);
  f->heap = memory_heap(&f->memory, false);
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

static presence_meta *meta_of(struct fixture *f, int64_t integer, const char *data) {
  presence_meta *meta = NULL;
  assert_int_equal(presence_meta_new(f->heap, pid(integer), str(data), &meta), PRESENCE_OK);
  return meta;
}

/* count metas of pids from `first` on. */
static presence_entry *entry_of(struct fixture *f, int first, size_t count) {
  const presence_meta **metas = calloc(count + 1, sizeof *metas);
  presence_entry *entry = NULL;
  for (size_t i = 0; i < count; i++)
    metas[i] = meta_of(f, first + (int)i, "{}");
  assert_int_equal(presence_entry_new(f->heap, metas, count, &entry), PRESENCE_OK);
  for (size_t i = 0; i < count; i++)
    presence_meta_release(f->heap, metas[i]);
  free(metas);
  return entry;
}

static void a_meta_is_a_pid_and_its_bytes(void **state) {
  struct fixture *f = *state;
  presence_meta *meta = NULL;
  const struct {
    presence_pid pid;
    const char *data;
    enum presence_status wanted;
  } cases[] = {
      {presence_pid_string("p\0q", 3), "\"x\"", PRESENCE_OK},
      {presence_pid_string("", 0), " 1", PRESENCE_OK},
      {pid(INT32_MIN), "null", PRESENCE_OK},
      {pid((int64_t)INT32_MAX + 1), "null", PRESENCE_OK},
      {pid(INT64_MIN), "null", PRESENCE_BAD_PID},
      {pid(1), "nul", PRESENCE_BAD_JSON},
      {pid(1), "\"\xc0\x80\"", PRESENCE_NOT_UTF8},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_int_equal(presence_meta_new(f->heap, cases[i].pid, str(cases[i].data), &meta),
                     cases[i].wanted);
    if (cases[i].wanted != PRESENCE_OK) continue;
    presence_pid back = presence_meta_pid(meta);
    assert_true((back.bytes != NULL) == (cases[i].pid.bytes != NULL));
    assert_true(back.integer == cases[i].pid.integer);
    assert_int_equal(back.size, cases[i].pid.size);
    if (back.bytes) assert_memory_equal(back.bytes, cases[i].pid.bytes, back.size);
    assert_true(is(presence_meta_data(meta), cases[i].data));
    presence_meta_release(f->heap, presence_meta_retain(meta));
    presence_meta_release(f->heap, meta);
  }
  presence_meta_release(f->heap, NULL);
}

static void metas_are_equal_by_pid_and_bytes(void **state) {
  struct fixture *f = *state;
  presence_meta *a = meta_of(f, 1, "1"), *b = meta_of(f, 1, "1"), *c = meta_of(f, 1, "2"), *d;
  presence_meta_new(f->heap, presence_pid_string("\1\0\0\0", 4), str("1"), &d);
  presence_meta *e = meta_of(f, 2, "1"), *g = meta_of(f, 1, "12");
  assert_true(presence_meta_equal(a, a));
  assert_true(presence_meta_equal(a, b));
  assert_false(presence_meta_equal(a, c));
  assert_false(presence_meta_equal(a, d));
  assert_false(presence_meta_equal(a, e));
  assert_false(presence_meta_equal(a, g));
  presence_meta *all[] = {a, b, c, d, e, g};
  for (size_t i = 0; i < 6; i++)
    presence_meta_release(f->heap, all[i]);
}

static void entries_of_any_size_keep_their_order(void **state) {
  struct fixture *f = *state;
  const size_t sizes[] = {0, 1, 2, 8, 9, 16, 17, 300, 5000};
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
    presence_entry *entry = entry_of(f, -40, sizes[s]);
    presence_meta_iter iter;
    assert_int_equal(presence_entry_count(entry), sizes[s]);
    presence_meta_iter_init(&iter, entry);
    for (size_t i = 0; i < sizes[s]; i++) {
      const presence_meta *meta = presence_meta_iter_next(&iter);
      assert_ptr_equal(meta, presence_entry_at(entry, i));
      assert_true(presence_meta_pid(meta).integer == (int64_t)i - 40);
      assert_ptr_equal(meta, presence_entry_find(entry, pid((int64_t)i - 40)));
    }
    assert_null(presence_meta_iter_next(&iter));
    presence_entry_release(f->heap, presence_entry_retain(entry));
    presence_entry_release(f->heap, entry);
  }
  presence_entry_release(f->heap, NULL);
  assert_int_equal(presence_entry_count(NULL), 0);
}

static void difference(struct fixture *f, int first_a, size_t count_a, int first_b, size_t count_b,
                       size_t wanted) {
  presence_entry *a = entry_of(f, first_a, count_a), *b = entry_of(f, first_b, count_b), *out;
  assert_int_equal(presence_entry_difference(f->heap, a, b, &out), PRESENCE_OK);
  assert_int_equal(presence_entry_count(out), wanted);
  if (wanted == 0) assert_null(out);
  int64_t last = INT64_MIN;
  for (size_t i = 0; i < wanted; i++) {
    int64_t integer = presence_meta_pid(presence_entry_at(out, i)).integer;
    assert_true(integer > last);
    assert_false(integer >= first_b && integer < first_b + (int64_t)count_b);
    last = integer;
  }
  assert_true(presence_entry_equal(f->heap, a, b) == (first_a == first_b && count_a == count_b));
  assert_true(presence_entry_equal(f->heap, a, a));
  presence_entry_release(f->heap, a);
  presence_entry_release(f->heap, b);
  presence_entry_release(f->heap, out);
}

static void differences_are_of_multisets(void **state) {
  struct fixture *f = *state;
  difference(f, 0, 1, 0, 1, 0);
  difference(f, 0, 1, 1, 1, 1);
  difference(f, 0, 5, 3, 5, 3);
  difference(f, 0, 8, 0, 9, 0);
  difference(f, 0, 9, 0, 8, 1);
  difference(f, 0, 8, 4, 100, 4);
  difference(f, 0, 100, 4, 8, 92);
  difference(f, 0, 100, 50, 100, 50);
  difference(f, 0, 3, 9, 0, 3);
}

/* Metas of one pid: equal and unequal ones, in another order, more and fewer of them. */
static void one_pid_may_have_many_metas(void **state) {
  struct fixture *f = *state;
  enum { COUNT = 600 };
  const presence_meta *kinds[3] = {meta_of(f, 1, "1"), meta_of(f, 1, "2"), meta_of(f, 2, "1")};
  const presence_meta *metas[COUNT], *turned[COUNT];
  for (size_t i = 0; i < COUNT; i++)
    turned[COUNT - 1 - i] = metas[i] = kinds[i % 5 == 0 ? 1 : i % 7 == 0 ? 2 : 0];
  presence_entry *a, *b, *fewer, *out;
  assert_int_equal(presence_entry_new(f->heap, metas, COUNT, &a), PRESENCE_OK);
  assert_int_equal(presence_entry_new(f->heap, turned, COUNT, &b), PRESENCE_OK);
  assert_int_equal(presence_entry_new(f->heap, metas + 35, COUNT - 35, &fewer), PRESENCE_OK);
  assert_true(presence_entry_equal(f->heap, a, b));
  assert_false(presence_entry_equal(f->heap, a, fewer));
  assert_int_equal(presence_entry_difference(f->heap, a, b, &out), PRESENCE_OK);
  assert_null(out);
  assert_int_equal(presence_entry_difference(f->heap, a, fewer, &out), PRESENCE_OK);
  assert_int_equal(presence_entry_count(out), 35);
  turned[0] = kinds[metas[COUNT - 1] == kinds[0] ? 1 : 0];
  presence_entry *other;
  assert_int_equal(presence_entry_new(f->heap, turned, COUNT, &other), PRESENCE_OK);
  assert_false(presence_entry_equal(f->heap, a, other));
  /* Without memory to sort in, the answers are the same. */
  f->memory.fail_at = f->memory.requests + 1;
  f->memory.and_after = true;
  assert_true(presence_entry_equal(f->heap, a, b));
  assert_false(presence_entry_equal(f->heap, a, other));
  assert_true(f->memory.failed > 0);
  f->memory.fail_at = 0;
  presence_entry *all[] = {a, b, fewer, out, other};
  for (size_t i = 0; i < 5; i++)
    presence_entry_release(f->heap, all[i]);
  for (size_t i = 0; i < 3; i++)
    presence_meta_release(f->heap, kinds[i]);
}

/* The cost of an edit of a key with very many metas, in bytes of memory asked for. */
static void a_key_of_100000_connections_is_edited_cheaply(void **state) {
  struct fixture *f = *state;
  presence_state *s = presence_state_new(f->heap), *out;
  presence_editor *editor = presence_editor_open(s);
  presence_state_release(s);
  for (int64_t i = 0; i < 100000; i++)
    assert_int_equal(presence_editor_track(editor, str("t"), str("k"), pid(i), str("{}")),
                     PRESENCE_OK);
  s = presence_editor_close(editor);
  assert_null(presence__check(s, NULL));
  presence_heap_usage before, after;
  presence_heap_stats(f->heap, &before);
  assert_int_equal(presence_untrack(s, str("t"), str("k"), pid(77777), &out), PRESENCE_OK);
  presence_heap_stats(f->heap, &after);
  assert_in_range(after.allocated_bytes - before.allocated_bytes, 1, 2500);
  assert_int_equal(presence_connections(out, str("t"), str("k")), 99999);
  assert_int_equal(presence_connections(s, str("t"), str("k")), 100000);
  assert_null(presence__check(out, NULL));
  before = after;
  presence_entry *gone;
  const presence_entry *a = presence_get(s, str("t"), str("k"));
  const presence_entry *b = presence_get(out, str("t"), str("k"));
  assert_int_equal(presence_entry_difference(f->heap, a, b, &gone), PRESENCE_OK);
  presence_heap_stats(f->heap, &after);
  assert_in_range(after.allocated_bytes - before.allocated_bytes, 1, 1000);
  assert_int_equal(presence_entry_count(gone), 1);
  assert_true(presence_meta_pid(presence_entry_at(gone, 0)).integer == 77777);
  presence_entry_release(f->heap, gone);
  presence_state_release(s);
  presence_state_release(out);
}

/* Ages grow for ever under churn; what is there stays in order and findable. */
static void churn_keeps_the_order(void **state) {
  struct fixture *f = *state;
  presence_state *s = presence_state_new(f->heap);
  presence_editor *editor = presence_editor_open(s);
  presence_state_release(s);
  for (int64_t i = 0; i < 20000; i++) {
    presence_editor_track(editor, str("t"), str("k"), pid(i), str("1"));
    if (i >= 12) presence_editor_untrack(editor, str("t"), str("k"), pid(i - 12), NULL);
  }
  s = presence_editor_close(editor);
  assert_null(presence__check(s, NULL));
  const presence_entry *entry = presence_get(s, str("t"), str("k"));
  assert_int_equal(presence_entry_count(entry), 12);
  for (size_t i = 0; i < 12; i++)
    assert_true(presence_meta_pid(presence_entry_at(entry, i)).integer == 19988 + (int64_t)i);
  presence_state_release(s);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(a_meta_is_a_pid_and_its_bytes),
      TEST(metas_are_equal_by_pid_and_bytes),
      TEST(entries_of_any_size_keep_their_order),
      TEST(differences_are_of_multisets),
      TEST(one_pid_may_have_many_metas),
      TEST(a_key_of_100000_connections_is_edited_cheaply),
      TEST(churn_keeps_the_order),
  };
  return cmocka_run_group_tests_name("core: entries", tests, NULL, NULL);
}
