/* JSON of lists and differences, with and without refs. */
#include "cmocka_all.h"
#include "core_kit.h"

struct fixture {
  struct memory memory;
  presence_heap *heap;
  presence_state *empty;
  presence_editor *editor;
  struct text text;
};

static int set_up(void **state) {
  struct fixture *f = malloc(sizeof *f);
  f->heap = memory_heap(&f->memory, false);
  f->empty = presence_state_new(f->heap);
  f->editor = presence_editor_open(f->empty);
  f->text.bytes = NULL;
  *state = f;
  return 0;
}

static int tear_down(void **state) {
  struct fixture *f = *state;
  free(f->text.bytes);
  presence_editor_discard(f->editor);
  presence_state_release(f->empty);
  presence_heap_free(f->heap);
  long left = f->memory.blocks_alive;
  free(f);
  return left != 0;
}

static void expect_list(struct fixture *f, const presence_state *s, enum presence_view view,
                        const char *wanted) {
  free(f->text.bytes);
  presence_sink sink = text_sink(&f->text);
  assert_int_equal(presence_list_json(s, str("t"), view, sink), PRESENCE_OK);
  assert_string_equal(f->text.bytes, wanted);
}

static void expect_diff(struct fixture *f, const presence_state *old, const presence_state *now,
                        enum presence_view view, const char *wanted) {
  free(f->text.bytes);
  presence_sink sink = text_sink(&f->text);
  enum presence_status status = presence_diff_json(old, now, str("t"), view, sink);
  assert_int_equal(status, wanted ? PRESENCE_OK : PRESENCE_UNCHANGED);
  if (wanted)
    assert_string_equal(f->text.bytes, wanted);
  else
    assert_int_equal(f->text.size, 0);
}

static enum presence_status track_ref(struct fixture *f, int64_t integer, const char *meta,
                                      const char *ref) {
  return presence_editor_track_ref(f->editor, str("t"), str("k"), pid(integer), str(meta),
                                   str(ref));
}

static enum presence_status update_ref(struct fixture *f, int64_t integer, const char *meta,
                                       const char *ref) {
  return presence_editor_update_ref(f->editor, str("t"), str("k"), pid(integer), str(meta),
                                    str(ref));
}

static void lists(void **state) {
  struct fixture *f = *state;
  expect_list(f, f->empty, PRESENCE_PLAIN, "{}");
  presence_state *s = tracked(presence_state_retain(f->empty), "t", "k", 1, "1");
  s = tracked(s, "t", "k", 2, " {\"a\" : [] }");
  s = tracked(s, "u", "k", 2, "true");
  expect_list(f, s, PRESENCE_PLAIN, "{\"k\":{\"metas\":[1, {\"a\" : [] }]}}");
  expect_list(f, s, PRESENCE_WIRE, "{\"k\":{\"metas\":[1, {\"a\" : [] }]}}");
  presence_state_release(s);
}

static void keys_are_escaped(void **state) {
  struct fixture *f = *state;
  presence_state *s = NULL;
  presence_string key = {"\"\\/\n\0\x1f\xc3\xa9", 8};
  assert_int_equal(presence_track(f->empty, str("t"), key, pid(1), str("1"), &s), PRESENCE_OK);
  expect_list(f, s, PRESENCE_PLAIN, "{\"\\\"\\\\/\\n\\u0000\\u001f\xc3\xa9\":{\"metas\":[1]}}");
  presence_state_release(s);
}

/* A key that is cut into pieces to be escaped: characters of three bytes, at every offset. */
static void long_keys_are_escaped_in_pieces(void **state) {
  struct fixture *f = *state;
  for (size_t shift = 0; shift < 3; shift++) {
    char key[3000], wanted[3100];
    size_t size = 0;
    memset(key, 'a', shift);
    for (size = shift; size + 3 < 2000; size += 3)
      memcpy(key + size, "\xe2\x82\xac", 3);
    key[size] = '\0';
    presence_state *s = tracked(presence_state_retain(f->empty), "t", key, 1, "1");
    snprintf(wanted, sizeof wanted, "{\"%s\":{\"metas\":[1]}}", key);
    expect_list(f, s, PRESENCE_PLAIN, wanted);
    presence_state_release(s);
  }
}

/* Each of its bytes takes six. */
static void a_long_key_of_control_characters_is_escaped(void **state) {
  struct fixture *f = *state;
  enum { bytes = 600 };
  char key[bytes], wanted[6 * bytes + 32];
  memset(key, 1, sizeof key);
  size_t at = (size_t)snprintf(wanted, sizeof wanted, "{\"");
  for (size_t i = 0; i < bytes; i++)
    at += (size_t)snprintf(wanted + at, sizeof wanted - at, "\\u0001");
  snprintf(wanted + at, sizeof wanted - at, "\":{\"metas\":[1]}}");
  presence_state *s;
  assert_int_equal(
      presence_track(f->empty, str("t"), (presence_string){key, bytes}, pid(1), str("1"), &s),
      PRESENCE_OK);
  expect_list(f, s, PRESENCE_PLAIN, wanted);
  presence_state_release(s);
}

static void differences(void **state) {
  struct fixture *f = *state;
  presence_state *one = tracked(presence_state_retain(f->empty), "t", "k", 1, "1");
  presence_state *two = tracked(presence_state_retain(one), "t", "k", 2, "2"), *three;
  presence_state *elsewhere = tracked(presence_state_retain(one), "u", "k", 1, "1");
  assert_int_equal(presence_update(two, str("t"), str("k"), pid(1), str("9"), &three), PRESENCE_OK);
  expect_diff(f, f->empty, f->empty, PRESENCE_PLAIN, NULL);
  expect_diff(f, one, elsewhere, PRESENCE_PLAIN, NULL);
  expect_diff(f, f->empty, one, PRESENCE_PLAIN,
              "{\"joins\":{\"k\":{\"metas\":[1]}},\"leaves\":{}}");
  expect_diff(f, one, f->empty, PRESENCE_PLAIN,
              "{\"joins\":{},\"leaves\":{\"k\":{\"metas\":[1]}}}");
  expect_diff(f, one, two, PRESENCE_PLAIN, "{\"joins\":{\"k\":{\"metas\":[2]}},\"leaves\":{}}");
  expect_diff(f, two, three, PRESENCE_PLAIN,
              "{\"joins\":{\"k\":{\"metas\":[9]}},\"leaves\":{\"k\":{\"metas\":[1]}}}");
  expect_diff(f, three, one, PRESENCE_PLAIN,
              "{\"joins\":{\"k\":{\"metas\":[1]}},\"leaves\":{\"k\":{\"metas\":[9,2]}}}");
  presence_state_release(one);
  presence_state_release(two);
  presence_state_release(three);
  presence_state_release(elsewhere);
}

static void refs_show_on_the_wire_alone(void **state) {
  struct fixture *f = *state;
  assert_int_equal(track_ref(f, 1, "{\"a\":1}", "r1"), PRESENCE_OK);
  assert_int_equal(track_ref(f, 2, "{}", "r2"), PRESENCE_OK);
  assert_int_equal(track_ref(f, 3, "{ }", "r3"), PRESENCE_OK);
  presence_state *s = presence_editor_snapshot(f->editor);
  expect_list(f, s, PRESENCE_PLAIN, "{\"k\":{\"metas\":[{\"a\":1},{},{ }]}}");
  expect_list(f, s, PRESENCE_WIRE,
              "{\"k\":{\"metas\":[{\"a\":1,\"phx_ref\":\"r1\"},{\"phx_ref\":\"r2\"},"
              "{ \"phx_ref\":\"r3\"}]}}");
  assert_int_equal(update_ref(f, 1, "{\"b\":2}", "r4"), PRESENCE_OK);
  presence_state *now = presence_editor_snapshot(f->editor);
  expect_diff(f, s, now, PRESENCE_WIRE,
              "{\"joins\":{\"k\":{\"metas\":[{\"b\":2,\"phx_ref\":\"r4\",\"phx_ref_prev\":\"r1\"}"
              "]}},\"leaves\":{\"k\":{\"metas\":[{\"a\":1,\"phx_ref\":\"r1\"}]}}}");
  const presence_entry *entry = presence_get(now, str("t"), str("k"));
  assert_true(is(presence_meta_ref(presence_entry_at(entry, 0)), "r4"));
  assert_true(is(presence_meta_ref(presence_entry_at(entry, 1)), "r2"));
  presence_state_release(now);
  /* Back to the same bytes: a change all the same, for the ref is another. */
  assert_int_equal(update_ref(f, 1, "{\"a\":1}", "r5"), PRESENCE_OK);
  now = presence_editor_snapshot(f->editor);
  assert_false(presence_equal(s, now));
  expect_diff(f, s, now, PRESENCE_PLAIN,
              "{\"joins\":{\"k\":{\"metas\":[{\"a\":1}]}},"
              "\"leaves\":{\"k\":{\"metas\":[{\"a\":1}]}}}");
  presence_state_release(s);
  presence_state_release(now);
}

static void runtime_edits_refuse_what_they_must(void **state) {
  struct fixture *f = *state;
  char large[PRESENCE_MAX_REF_BYTES + 2];
  memset(large, 'r', sizeof large - 1);
  large[sizeof large - 1] = '\0';
  assert_int_equal(track_ref(f, 1, "{}", "r1"), PRESENCE_OK);
  assert_int_equal(track_ref(f, 1, "{\"a\":1}", "r2"), PRESENCE_ALREADY_TRACKED);
  assert_int_equal(track_ref(f, 2, "[]", "r2"), PRESENCE_NOT_OBJECT);
  assert_int_equal(track_ref(f, 2, "{", "r2"), PRESENCE_NOT_OBJECT);
  assert_int_equal(track_ref(f, 2, "{}", ""), PRESENCE_BAD_REF);
  assert_int_equal(track_ref(f, 2, "{}", "a\"b"), PRESENCE_BAD_REF);
  assert_int_equal(track_ref(f, 2, "{}", "a\\"), PRESENCE_BAD_REF);
  assert_int_equal(track_ref(f, 2, "{}", "\xc3\xa9"), PRESENCE_BAD_REF);
  assert_int_equal(track_ref(f, 2, "{}", large), PRESENCE_TOO_LARGE);
  assert_int_equal(track_ref(f, PRESENCE_MAX_PID + 1, "{}", "r2"), PRESENCE_BAD_PID);
  assert_int_equal(update_ref(f, 1, "{}", "r2"), PRESENCE_UNCHANGED);
  assert_int_equal(update_ref(f, 2, "{}", "r2"), PRESENCE_NO_PRESENCE);
  assert_int_equal(update_ref(f, 1, "3", "r2"), PRESENCE_NOT_OBJECT);
  const presence_meta *meta = presence_editor_get(f->editor, str("t"), str("k"), pid(1));
  assert_true(is(presence_meta_ref(meta), "r1"));
  assert_null(presence_editor_get(f->editor, str("t"), str("k"), pid(2)));
  assert_null(presence_editor_get(f->editor, str("t"), str("x"), pid(1)));
  assert_null(presence_editor_get(f->editor, str("x"), str("k"), pid(1)));
  /* The longest refs there are, twice in one meta. */
  large[PRESENCE_MAX_REF_BYTES] = '\0';
  assert_int_equal(update_ref(f, 1, "{\"a\":1}", large), PRESENCE_OK);
  large[0] = 'q';
  assert_int_equal(update_ref(f, 1, "{\"a\":2}", large), PRESENCE_OK);
  meta = presence_editor_get(f->editor, str("t"), str("k"), pid(1));
  assert_true(is(presence_meta_ref(meta), large));
}

static enum presence_status take_over(struct fixture *f, int64_t old_pid, int64_t new_pid,
                                      const char *meta, const char *ref) {
  return presence_editor_take_over_ref(f->editor, str("t"), str("k"), pid(old_pid), pid(new_pid),
                                       str(meta), str(ref));
}

static void one_pid_takes_the_place_of_another(void **state) {
  struct fixture *f = *state;
  assert_int_equal(track_ref(f, 1, "{}", "r1"), PRESENCE_OK);
  presence_state *before = presence_editor_snapshot(f->editor);
  assert_int_equal(take_over(f, 2, 3, "{}", "r2"), PRESENCE_NO_PRESENCE);
  assert_int_equal(take_over(f, 1, 1, "{}", "r2"), PRESENCE_ALREADY_TRACKED);
  assert_int_equal(take_over(f, 1, 2, "[]", "r2"), PRESENCE_NOT_OBJECT);
  assert_int_equal(take_over(f, 1, 2, "{}", ""), PRESENCE_BAD_REF);
  assert_int_equal(take_over(f, PRESENCE_MAX_PID + 1, 2, "{}", "r2"), PRESENCE_BAD_PID);
  assert_int_equal(take_over(f, 1, 2, "{}", "r2"), PRESENCE_OK);
  assert_null(presence_editor_get(f->editor, str("t"), str("k"), pid(1)));
  presence_state *now = presence_editor_snapshot(f->editor);
  assert_int_equal(presence_connections(now, str("t"), str("k")), 1);
  presence_sink sink = text_sink(&f->text);
  assert_int_equal(presence_diff_json(before, now, str("t"), PRESENCE_WIRE, sink), PRESENCE_OK);
  assert_string_equal(
      f->text.bytes,
      "{\"joins\":{\"k\":{\"metas\":[{\"phx_ref\":\"r2\",\"phx_ref_prev\":\"r1\"}]}},"
      "\"leaves\":{\"k\":{\"metas\":[{\"phx_ref\":\"r1\"}]}}}");
  presence_state_release(before);
  presence_state_release(now);
}

static void single_events(void **state) {
  struct fixture *f = *state;
  presence_sink sink = text_sink(&f->text);
  assert_int_equal(presence_join_diff_json(str("a\"b"), str(" {} "), sink), PRESENCE_OK);
  assert_string_equal(f->text.bytes, "{\"joins\":{\"a\\\"b\":{\"metas\":[ {} ]}},\"leaves\":{}}");
  free(f->text.bytes);
  sink = text_sink(&f->text);
  assert_int_equal(presence_leave_diff_json(str("k"), str("1"), sink), PRESENCE_OK);
  assert_string_equal(f->text.bytes, "{\"joins\":{},\"leaves\":{\"k\":{\"metas\":[1]}}}");
  f->text.size = 0;
  assert_int_equal(presence_join_diff_json(str("\xff"), str("1"), sink), PRESENCE_NOT_UTF8);
  assert_int_equal(presence_join_diff_json(str("k"), str("[1"), sink), PRESENCE_BAD_JSON);
  assert_int_equal(presence_leave_diff_json(str("k"), str("\"\xff\""), sink), PRESENCE_NOT_UTF8);
  assert_int_equal(f->text.size, 0);
}

/* A sink that takes so many bytes and no more: every writer stops and says so. */
static void a_sink_may_refuse(void **state) {
  struct fixture *f = *state;
  presence_state *s = presence_state_retain(f->empty);
  char meta[6000] = "\"", key[16];
  memset(meta + 1, 'x', 5000);
  strcpy(meta + 5001, "\"");
  for (int i = 0; i < 40; i++) {
    snprintf(key, sizeof key, "k%d", i);
    s = tracked(s, "t", key, i, i % 4 ? "{\"some\":\"thing\"}" : meta);
  }
  presence_sink sink = text_sink(&f->text);
  assert_int_equal(presence_list_json(s, str("t"), PRESENCE_PLAIN, sink), PRESENCE_OK);
  size_t whole = f->text.size;
  assert_int_equal(f->text.bytes[whole - 1], '}');
  for (size_t room = 0; room < whole; room += 1 + whole / 50) {
    f->text.size = 0;
    f->text.room = room;
    assert_int_equal(presence_list_json(s, str("t"), PRESENCE_PLAIN, sink), PRESENCE_WRITE_FAILED);
    f->text.room = room;
    assert_int_equal(presence_diff_json(s, f->empty, str("t"), PRESENCE_WIRE, sink),
                     PRESENCE_WRITE_FAILED);
    f->text.room = room;
    assert_int_equal(presence_encode(s, sink), PRESENCE_WRITE_FAILED);
    f->text.room = 5;
    assert_int_equal(presence_join_diff_json(str("k"), str(meta), sink), PRESENCE_WRITE_FAILED);
  }
  presence_state_release(s);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(lists),
      TEST(keys_are_escaped),
      TEST(long_keys_are_escaped_in_pieces),
      TEST(a_long_key_of_control_characters_is_escaped),
      TEST(differences),
      TEST(refs_show_on_the_wire_alone),
      TEST(runtime_edits_refuse_what_they_must),
      TEST(one_pid_takes_the_place_of_another),
      TEST(single_events),
      TEST(a_sink_may_refuse),
  };
  return cmocka_run_group_tests_name("core: JSON", tests, NULL, NULL);
}
