/* States by value: every edit and look-up, what is refused, and walks. */
#include "cmocka_all.h"
#include "core_kit.h"

struct fixture {
  struct memory memory;
  presence_heap *heap;
  presence_state *empty;
};

static int set_up(void **state) {
  struct fixture *f = malloc(sizeof *f);
  f->heap = memory_heap(&f->memory, false);
  f->empty = presence_state_new(f->heap);
  *state = f;
  return 0;
}

static int tear_down(void **state) {
  struct fixture *f = *state;
  presence_state_release(f->empty);
  presence_heap_free(f->heap);
  long left = f->memory.blocks_alive;
  free(f);
  return left != 0;
}

static presence_state *start(struct fixture *f) {
  return presence_state_retain(f->empty);
}

static void an_empty_state_holds_nothing(void **state) {
  struct fixture *f = *state;
  presence_counts counts;
  presence_topic_iter topics;
  assert_int_equal(presence_count(f->empty, str("t")), 0);
  assert_null(presence_get(f->empty, str("t"), str("k")));
  assert_int_equal(presence_connections(f->empty, str("t"), str("k")), 0);
  assert_null(presence_find_topic(f->empty, str("t")));
  presence_topic_iter_init(&topics, f->empty);
  assert_null(presence_topic_iter_next(&topics));
  presence_stats(f->empty, &counts);
  assert_int_equal(counts.topics + counts.keys + counts.metas + counts.bytes, 0);
  assert_ptr_equal(presence_state_heap(f->empty), f->heap);
}

static void track_makes_a_new_state(void **state) {
  struct fixture *f = *state;
  presence_state *one = tracked(start(f), "room", "ann", 7, "{\"a\":1}");
  presence_state *two = tracked(presence_state_retain(one), "room", "ann", 8, " [1] ");
  const presence_entry *entry = presence_get(two, str("room"), str("ann"));
  assert_int_equal(presence_count(f->empty, str("room")), 0);
  assert_int_equal(presence_connections(one, str("room"), str("ann")), 1);
  assert_int_equal(presence_entry_count(entry), 2);
  assert_int_equal(presence_count(two, str("room")), 1);
  const presence_meta *first = presence_entry_at(entry, 0), *second = presence_entry_at(entry, 1);
  assert_true(is(presence_meta_data(first), "{\"a\":1}"));
  assert_true(is(presence_meta_data(second), " [1] "));
  assert_int_equal(presence_meta_pid(first).integer, 7);
  assert_null(presence_meta_pid(first).bytes);
  assert_int_equal(presence_meta_ref(first).size, 0);
  assert_null(presence_entry_at(entry, 2));
  assert_ptr_equal(presence_entry_find(entry, pid(8)), second);
  assert_null(presence_entry_find(entry, pid(9)));
  assert_null(presence_entry_find(entry, presence_pid_string("8", 1)));
  assert_null(presence_entry_find(NULL, pid(8)));
  presence_state_release(one);
  presence_state_release(two);
}

static void untrack_removes_every_meta_of_a_pid(void **state) {
  struct fixture *f = *state;
  presence_state *s = tracked(start(f), "t", "k", 1, "1"), *out;
  s = tracked(s, "t", "k", 2, "2");
  s = tracked(s, "t", "k", 1, "3");
  assert_int_equal(presence_untrack(s, str("t"), str("k"), pid(1), &out), PRESENCE_OK);
  assert_int_equal(presence_connections(out, str("t"), str("k")), 1);
  presence_state *none;
  assert_int_equal(presence_untrack(out, str("t"), str("k"), pid(2), &none), PRESENCE_OK);
  assert_null(presence_find_topic(none, str("t")));
  assert_true(presence_equal(none, f->empty));
  assert_int_equal(presence_connections(s, str("t"), str("k")), 3);
  presence_state_release(s);
  presence_state_release(out);
  presence_state_release(none);
}

static void untrack_of_nothing_is_the_same_state(void **state) {
  struct fixture *f = *state;
  presence_state *s = tracked(start(f), "t", "k", 1, "1"), *out;
  const struct {
    const char *topic, *key;
    presence_pid pid;
  } absent[] = {{"t", "k", pid(2)},    {"t", "k", presence_pid_string("1", 1)},
                {"t", "x", pid(1)},    {"x", "k", pid(1)},
                {"t", "\xff", pid(1)}, {"t", "k", presence_pid_string(NULL, 0)}};
  for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) {
    assert_int_equal(
        presence_untrack(s, str(absent[i].topic), str(absent[i].key), absent[i].pid, &out),
        PRESENCE_UNCHANGED);
    assert_ptr_equal(out, s);
    presence_state_release(out);
  }
  presence_state_release(s);
}

static void update_keeps_the_place(void **state) {
  struct fixture *f = *state;
  presence_state *s = tracked(start(f), "t", "k", 1, "1"), *out;
  s = tracked(s, "t", "k", 1, "2");
  s = tracked(s, "t", "k", 2, "3");
  assert_int_equal(presence_update(s, str("t"), str("k"), pid(1), str("9"), &out), PRESENCE_OK);
  const presence_entry *entry = presence_get(out, str("t"), str("k"));
  assert_true(is(presence_meta_data(presence_entry_at(entry, 0)), "1"));
  assert_true(is(presence_meta_data(presence_entry_at(entry, 1)), "9"));
  assert_true(is(presence_meta_data(presence_entry_at(entry, 2)), "3"));
  presence_state *same;
  assert_int_equal(presence_update(out, str("t"), str("k"), pid(1), str("9"), &same),
                   PRESENCE_UNCHANGED);
  assert_ptr_equal(same, out);
  presence_state *untouched = NULL;
  assert_int_equal(presence_update(s, str("t"), str("k"), pid(3), str("9"), &untouched),
                   PRESENCE_NO_PRESENCE);
  assert_int_equal(presence_update(s, str("x"), str("k"), pid(1), str("9"), &untouched),
                   PRESENCE_NO_PRESENCE);
  assert_int_equal(presence_update(s, str("t"), str("k"), pid(1), str("{"), &untouched),
                   PRESENCE_BAD_JSON);
  assert_null(untouched);
  presence_state_release(same);
  presence_state_release(out);
  presence_state_release(s);
}

static void what_is_bad_is_refused(void **state) {
  struct fixture *f = *state;
  char deep[131];
  memset(deep, '[', 65);
  memset(deep + 65, ']', 65);
  deep[130] = '\0';
  presence_string huge = {"", PRESENCE_MAX_NAME_BYTES + 1};
  presence_string huge_meta = {"", PRESENCE_MAX_META_BYTES + 1};
  int64_t most = PRESENCE_MAX_PID;
  const struct {
    presence_string topic, key;
    presence_pid pid;
    presence_string meta;
    enum presence_status wanted;
  } cases[] = {
      {str("\xff"), str("k"), pid(1), str("1"), PRESENCE_NOT_UTF8},
      {str("t"), str("\xed\xa0\x80"), pid(1), str("1"), PRESENCE_NOT_UTF8},
      {str("t"), str("k"), pid(most + 1), str("1"), PRESENCE_BAD_PID},
      {str("t"), str("k"), pid(-most - 1), str("1"), PRESENCE_BAD_PID},
      {str("t"), str("k"), pid(1), str("\"\xff\""), PRESENCE_NOT_UTF8},
      {str("t"), str("k"), pid(1), str(""), PRESENCE_BAD_JSON},
      {str("t"), str("k"), pid(1), str("nan"), PRESENCE_BAD_JSON},
      {str("t"), str("k"), pid(1), str("1 2"), PRESENCE_BAD_JSON},
      {str("t"), str("k"), pid(1), str(deep), PRESENCE_BAD_JSON},
      {huge, str("k"), pid(1), str("1"), PRESENCE_TOO_LARGE},
      {str("t"), huge, pid(1), str("1"), PRESENCE_TOO_LARGE},
      {str("t"), str("k"), presence_pid_string("", huge.size), str("1"), PRESENCE_TOO_LARGE},
      {str("t"), str("k"), pid(1), huge_meta, PRESENCE_TOO_LARGE},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    presence_state *out = NULL;
    assert_int_equal(
        presence_track(f->empty, cases[i].topic, cases[i].key, cases[i].pid, cases[i].meta, &out),
        cases[i].wanted);
    assert_null(out);
  }
  /* One level less is allowed. */
  deep[64] = '0';
  deep[129] = '\0';
  presence_state *out = tracked(start(f), "t", "k", most, deep);
  out = tracked(out, "t", "k", -most, "1");
  const presence_entry *entry = presence_get(out, str("t"), str("k"));
  assert_true(presence_meta_pid(presence_entry_at(entry, 0)).integer == most);
  assert_true(presence_meta_pid(presence_entry_at(entry, 1)).integer == -most);
  presence_state *none;
  assert_int_equal(presence_untrack(out, str("t"), str("k"), pid(most + 1), &none),
                   PRESENCE_BAD_PID);
  presence_state_release(out);
}

static void any_name_is_an_ordinary_name(void **state) {
  struct fixture *f = *state;
  size_t size = 1u << 20;
  char *large = malloc(size);
  memset(large, 'x', size);
  presence_string keys[] = {str(""),          {"\0", 1},          {"a\0b", 3},   {"a\0c", 3},
                            str("__proto__"), str("constructor"), {large, size}, {large, size - 1}};
  size_t count = sizeof keys / sizeof *keys;
  presence_state *s = start(f), *out;
  for (size_t i = 0; i < count; i++) {
    assert_int_equal(presence_track(s, keys[i], keys[i], pid((int64_t)i), str("0"), &out),
                     PRESENCE_OK);
    presence_state_release(s);
    s = out;
  }
  assert_null(presence__check(s, NULL));
  for (size_t i = 0; i < count; i++) {
    const presence_topic *topic = presence_find_topic(s, keys[i]);
    assert_int_equal(presence_topic_count(topic), 1);
    assert_int_equal(presence_topic_connections(topic), 1);
    assert_int_equal(presence_topic_name(topic).size, keys[i].size);
    assert_int_equal(presence_entry_count(presence_topic_get(topic, keys[i])), 1);
    assert_null(presence_topic_get(topic, str("no")));
  }
  presence_state_release(s);
  free(large);
}

static void walks_see_everything_once(void **state) {
  struct fixture *f = *state;
  presence_state *s = start(f);
  char key[16];
  for (int i = 0; i < 3000; i++) {
    snprintf(key, sizeof key, "k%d", i);
    s = tracked(s, i % 3 ? "big" : "small", key, i, "0");
  }
  presence_topic_iter topics;
  presence_topic_iter_init(&topics, s);
  size_t topic_count = 0, key_count = 0;
  bool seen[3000] = {false};
  for (const presence_topic *topic; (topic = presence_topic_iter_next(&topics)); topic_count++) {
    presence_entry_iter entries;
    presence_string name;
    presence_entry_iter_init(&entries, topic);
    for (const presence_entry *entry; (entry = presence_entry_iter_next(&entries, &name));) {
      int number = (int)presence_meta_pid(presence_entry_at(entry, 0)).integer;
      snprintf(key, sizeof key, "k%d", number);
      assert_true(is(name, key));
      assert_false(seen[number]);
      seen[number] = true;
      key_count++;
    }
  }
  assert_int_equal(topic_count, 2);
  assert_int_equal(key_count, 3000);
  presence_entry_iter none;
  presence_string name;
  presence_entry_iter_init(&none, NULL);
  assert_null(presence_entry_iter_next(&none, &name));
  presence_state_release(s);
}

static void a_topic_can_be_had_alone(void **state) {
  struct fixture *f = *state;
  presence_state *s = tracked(tracked(start(f), "a", "k", 1, "1"), "b", "k", 1, "1");
  presence_state *only = presence_state_of_topic(s, str("b"));
  presence_state *none = presence_state_of_topic(s, str("c"));
  presence_state_release(s);
  assert_int_equal(presence_count(only, str("b")), 1);
  assert_int_equal(presence_count(only, str("a")), 0);
  assert_null(presence__check(only, NULL));
  assert_true(presence_equal(none, f->empty));
  only = tracked(only, "b", "l", 2, "2");
  assert_null(presence__check(only, NULL));
  presence_state_release(only);
  presence_state_release(none);
}

static void statistics_count_records(void **state) {
  struct fixture *f = *state;
  presence_state *s = tracked(tracked(start(f), "a", "k", 1, "1"), "b", "k", 1, "[22]"), *out;
  presence_counts counts;
  presence_stats(s, &counts);
  assert_int_equal(counts.topics, 2);
  assert_int_equal(counts.keys, 2);
  assert_int_equal(counts.metas, 2);
  assert_int_equal(counts.bytes, 2 * (16 + 1 + 4) + 1 + 4);
  assert_int_equal(presence_update(s, str("a"), str("k"), pid(1), str("333"), &out), PRESENCE_OK);
  presence_stats(out, &counts);
  assert_int_equal(counts.bytes, 2 * (16 + 1 + 4) + 3 + 4);
  presence_state_release(s);
  presence_state_release(out);
}

static void statuses_have_words(void **state) {
  (void)state;
  assert_string_equal(presence_status_word(PRESENCE_OK), "ok");
  assert_string_equal(presence_status_word(PRESENCE_NO_PRESENCE), "nopresence");
  assert_string_equal(presence_status_word(PRESENCE_ALREADY_TRACKED), "already_tracked");
  assert_string_equal(presence_status_word(PRESENCE_WRITE_FAILED), "write_failed");
  for (int i = 0; i <= PRESENCE_WRITE_FAILED; i++)
    assert_string_not_equal(presence_status_word((enum presence_status)i), "unknown");
  assert_string_equal(presence_status_word((enum presence_status)99), "unknown");
  assert_string_equal(presence_version(), "0.1.0");
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(an_empty_state_holds_nothing),
      TEST(track_makes_a_new_state),
      TEST(untrack_removes_every_meta_of_a_pid),
      TEST(untrack_of_nothing_is_the_same_state),
      TEST(update_keeps_the_place),
      TEST(what_is_bad_is_refused),
      TEST(any_name_is_an_ordinary_name),
      TEST(walks_see_everything_once),
      TEST(a_topic_can_be_had_alone),
      TEST(statistics_count_records),
      TEST(statuses_have_words),
  };
  return cmocka_run_group_tests_name("core: states", tests, NULL, NULL);
}
