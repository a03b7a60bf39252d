/* Edges of the core that ordinary content does not come near: counts that are full, ages near their
   end, names that fit by chance. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "core/binary.h"
#include "core/hash.h"
#include "core/many.h"
#include "core/state.h"
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

static presence_state *state_of(struct fixture *f, int count, const char *meta) {
  presence_state *s = presence_state_new(f->heap);
  for (int i = 0; i < count; i++)
    s = tracked(s, "t", "k", i, meta);
  return s;
}

/* A count of 2^32 - 1 cannot be filled in a test: it is written. */
static void a_full_topic_takes_no_more(void **state) {
  struct fixture *f = *state;
  presence_state *s = state_of(f, 2, "1"), *out;
  presence_entry *entry = presence_entry_retain(presence_get(s, str("t"), str("k")));
  struct presence_topic *topic = (struct presence_topic *)presence_find_topic(s, str("t"));
  topic->metas = UINT32_MAX;
  assert_int_equal(presence_track(s, str("t"), str("k"), pid(9), str("1"), &out),
                   PRESENCE_TOO_LARGE);
  topic->metas = UINT32_MAX - 1;
  presence_editor *editor = presence_editor_open(s);
  assert_int_equal(presence_editor_join(editor, str("t"), str("k"), entry), PRESENCE_TOO_LARGE);
  presence_editor_discard(editor);
  assert_int_equal(presence_track(s, str("t"), str("k"), pid(9), str("1"), &out), PRESENCE_OK);
  assert_int_equal(presence_topic_connections(presence_find_topic(out, str("t"))), UINT32_MAX);
  presence_state_release(out);
  topic->metas = 2;
  assert_null(presence__check(s, NULL));
  presence_entry_release(f->heap, entry);
  presence_state_release(s);
  presence_entry *none = NULL;
  assert_int_equal(presence_entry_new(f->heap, NULL, (size_t)UINT32_MAX + 1, &none),
                   PRESENCE_TOO_LARGE);
  f->memory.fail_at = f->memory.requests + 1;
  assert_int_equal(presence_entry_new(f->heap, NULL, 0, &none), PRESENCE_OUT_OF_MEMORY);
  assert_null(none);
}

static void entries_do_not_join_names_that_are_too_large(void **state) {
  struct fixture *f = *state;
  presence_state *s = state_of(f, 1, "1");
  presence_editor *editor = presence_editor_open(s);
  const presence_entry *entry = presence_get(s, str("t"), str("k"));
  presence_string huge = {"x", PRESENCE_MAX_NAME_BYTES + 1};
  assert_int_equal(presence_editor_join(editor, huge, str("k"), entry), PRESENCE_TOO_LARGE);
  assert_int_equal(presence_editor_join(editor, str("t"), huge, entry), PRESENCE_TOO_LARGE);
  assert_int_equal(presence_topic_connections(presence_find_topic(s, str("t"))), 1);
  presence_editor_discard(editor);
  presence_state_release(s);
}

static void pids_out_of_range_are_nowhere(void **state) {
  struct fixture *f = *state;
  presence_state *s = state_of(f, 2, "1"), *out = NULL;
  presence_editor *editor = presence_editor_open(s);
  presence_pid far = pid(INT64_MAX), huge = presence_pid_string("x", PRESENCE_MAX_NAME_BYTES + 1);
  presence_string t = str("t"), k = str("k");
  assert_int_equal(presence_update(s, t, k, far, str("2"), &out), PRESENCE_BAD_PID);
  assert_int_equal(presence_update(s, t, k, huge, str("2"), &out), PRESENCE_TOO_LARGE);
  assert_int_equal(presence_update(s, t, k, pid(1), str("2 3"), &out), PRESENCE_BAD_JSON);
  assert_int_equal(presence_untrack(s, t, k, far, &out), PRESENCE_BAD_PID);
  assert_int_equal(presence_untrack(s, t, k, huge, &out), PRESENCE_UNCHANGED);
  assert_ptr_equal(out, s);
  presence_state_release(out);
  assert_int_equal(presence_topic_count(NULL), 0);
  assert_int_equal(presence_topic_connections(NULL), 0);
  assert_null(presence_editor_get(editor, t, k, far));
  assert_null(presence_editor_get(editor, t, str("l"), pid(1)));
  assert_null(presence_entry_find(presence_get(s, t, k), huge));
  assert_null(presence_entry_find(NULL, pid(1)));
  assert_int_equal(presence_editor_take_over_ref(editor, t, k, far, pid(7), str("{}"), str("r")),
                   PRESENCE_BAD_PID);
  assert_int_equal(presence_editor_take_over_ref(editor, t, k, pid(1), far, str("{}"), str("r")),
                   PRESENCE_BAD_PID);
  assert_int_equal(
      presence_editor_take_over_ref(editor, t, str("l"), pid(1), pid(7), str("{}"), str("r")),
      PRESENCE_NO_PRESENCE);
  presence_editor_discard(editor);
  presence_state_release(s);
}

/* The integer 1 is stored in four bytes; so is this string of the same bytes. */
static void an_integer_and_a_string_of_its_bytes_differ(void **state) {
  struct fixture *f = *state;
  int32_t one = 1;
  char bytes[4];
  memcpy(bytes, &one, sizeof bytes);
  presence_pid text = presence_pid_string(bytes, 4);
  for (int count = 1; count < 40; count += 19) {
    presence_state *s = state_of(f, count + 1, "1"), *out;
    const presence_entry *entry = presence_get(s, str("t"), str("k"));
    assert_non_null(presence_entry_find(entry, pid(1)));
    assert_null(presence_entry_find(entry, text));
    assert_int_equal(presence_untrack(s, str("t"), str("k"), text, &out), PRESENCE_UNCHANGED);
    presence_state_release(out);
    presence_state_release(s);
  }
}

static void joins_and_leaves_of_nothing_change_nothing(void **state) {
  struct fixture *f = *state;
  presence_state *s = state_of(f, 3, "1"), *other = state_of(f, 3, "2"), *many, *out;
  presence_editor *editor = presence_editor_open(s);
  presence_entry *none;
  size_t removed = 9;
  assert_int_equal(presence_entry_new(f->heap, NULL, 0, &none), PRESENCE_OK);
  assert_int_equal(presence_editor_join(editor, str("t"), str("k"), none), PRESENCE_UNCHANGED);
  assert_int_equal(presence_editor_leave(editor, str("t"), str("k"), none, &removed),
                   PRESENCE_UNCHANGED);
  assert_int_equal(removed, 0);
  const presence_entry *others = presence_get(other, str("t"), str("k"));
  assert_int_equal(presence_editor_leave(editor, str("t"), str("k"), others, &removed),
                   PRESENCE_UNCHANGED);
  assert_int_equal(presence_editor_leave(editor, str("t"), str("l"), others, NULL),
                   PRESENCE_UNCHANGED);
  assert_int_equal(presence_editor_leave(editor, str("u"), str("k"), others, NULL),
                   PRESENCE_UNCHANGED);
  assert_true(presence_equal(presence_editor_state(editor), s));
  presence_editor_discard(editor);
  presence_state *empty = presence_state_new(f->heap);
  assert_int_equal(presence_patch(s, empty, other, &out), PRESENCE_UNCHANGED);
  presence_state_release(out);
  presence_state_release(empty);
  many = state_of(f, 30, "1");
  editor = presence_editor_open(many);
  assert_int_equal(presence_editor_leave(editor, str("t"), str("k"), others, NULL),
                   PRESENCE_UNCHANGED);
  presence_editor_discard(editor);
  presence_entry_release(f->heap, none);
  presence_state_release(s);
  presence_state_release(other);
  presence_state_release(many);
}

/* Names of one length, and where all hashes are equal, that are not the same. */
static void joins_under_another_key_of_the_same_hash(void **state) {
  struct fixture *f = *state;
  static const unsigned char seed[16] = {1};
  for (int collide = 0; collide < 2; collide++) {
    presence__hash_weaken(seed, collide ? 0 : UINT64_MAX);
    presence_state *s = state_of(f, 2, "1");
    presence_editor *editor = presence_editor_open(s);
    const presence_entry *entry = presence_get(s, str("t"), str("k"));
    assert_int_equal(presence_editor_join(editor, str("t"), str("l"), entry), PRESENCE_OK);
    presence_state *joined = presence_editor_close(editor);
    assert_null(presence__check(joined, NULL));
    assert_int_equal(presence_connections(joined, str("t"), str("l")), 2);
    presence_state_release(joined);
    presence_state_release(s);
  }
  presence__hash_weaken(seed, UINT64_MAX);
}

/* As many metas of the same two pids, shared out otherwise. */
static void groups_of_other_sizes_differ(void **state) {
  struct fixture *f = *state;
  presence_state *a = presence_state_new(f->heap), *b = presence_state_new(f->heap);
  for (int i = 0; i < 20; i++) {
    a = tracked(a, "t", "k", i < 10, "1");
    b = tracked(b, "t", "k", i < 7, "1");
  }
  assert_false(presence_equal(a, b));
  assert_true(presence_equal(a, a));
  presence_state_release(a);
  presence_state_release(b);
}

/* A key of many metas, all of one pid, goes with that pid. */
static void a_pid_may_be_all_there_is(void **state) {
  struct fixture *f = *state;
  presence_state *s = presence_state_new(f->heap), *out;
  for (int i = 0; i < 40; i++)
    s = tracked(s, "t", "k", 7, i % 2 ? "1" : "2");
  presence_editor *editor = presence_editor_open(s);
  size_t removed;
  assert_int_equal(presence_editor_untrack(editor, str("t"), str("k"), pid(7), &removed),
                   PRESENCE_OK);
  assert_int_equal(removed, 40);
  presence_editor_discard(editor);
  assert_int_equal(presence_untrack(s, str("t"), str("k"), pid(7), &out), PRESENCE_OK);
  assert_int_equal(presence_connections(out, str("t"), str("k")), 0);
  assert_null(presence__check(out, NULL));
  presence_state_release(out);
  presence_state_release(s);
}

/* Ages only grow; here they are near the end of 64 bits. */
static void ages_fill_every_level(void **state) {
  struct fixture *f = *state;
  presence_state *s = state_of(f, 12, "1"), *out;
  struct presence_topic *topic = (struct presence_topic *)presence_find_topic(s, str("t"));
  struct presence__many *many = presence__object(topic->root);
  many->next_age = UINT64_MAX - 64;
  for (int i = 12; i < 40; i++)
    s = tracked(s, "t", "k", i, "1");
  assert_null(presence__check(s, NULL));
  const presence_entry *entry = presence_get(s, str("t"), str("k"));
  for (size_t i = 0; i < 40; i++)
    assert_int_equal(presence_meta_pid(presence_entry_at(entry, i)).integer, i);
  presence_meta_iter iter;
  presence_meta_iter_init(&iter, entry);
  for (size_t i = 0; i < 40; i++)
    assert_int_equal(presence_meta_pid(presence_meta_iter_next(&iter)).integer, i);
  assert_null(presence_meta_iter_next(&iter));
  assert_int_equal(presence_untrack(s, str("t"), str("k"), pid(39), &out), PRESENCE_OK);
  assert_null(presence__check(out, NULL));
  presence_state_release(out);
  presence_state_release(s);
}

static void a_cursor_beside_a_single_key(void **state) {
  struct fixture *f = *state;
  presence_state *s = tracked(presence_state_new(f->heap), "t", "k", 1, "1");
  unsigned behind = 0;
  char name[16];
  for (unsigned i = 0; i < 64; i++) {
    presence_entry_iter iter;
    presence_string key;
    snprintf(name, sizeof name, "other%u", i);
    presence_entry_iter_seek(&iter, presence_find_topic(s, str("t")), str(name));
    behind += presence_entry_iter_next(&iter, &key) != NULL;
    assert_null(presence_entry_iter_next(&iter, &key));
  }
  assert_in_range(behind, 1, 63);
  presence_state_release(s);
}

/* A form that ends with a whole block has no shorter one behind it. */
static void forms_of_whole_blocks(void **state) {
  struct fixture *f = *state;
  unsigned whole_blocks = 0;
  for (size_t pad = 3900; pad < 4200; pad++) {
    char *meta = malloc(pad + 1);
    memset(meta, '1', pad);
    meta[pad] = '\0';
    presence_state *s = tracked(presence_state_new(f->heap), "t", "k", 1, meta), *back;
    struct text text;
    assert_int_equal(presence_encode(s, text_sink(&text)), PRESENCE_OK);
    whole_blocks += (text.size - PRESENCE__CHECKSUM_BYTES) % PRESENCE__BLOCK_BYTES == 0;
    presence_string bytes = {text.bytes, text.size};
    assert_int_equal(presence_decode(f->heap, bytes, &back), PRESENCE_OK);
    assert_true(presence_equal(s, back));
    presence_state_release(back);
    presence_state_release(s);
    free(text.bytes);
    free(meta);
  }
  assert_int_equal(whole_blocks, 1);
}

/* Pieces below, at and above what is written at a time, in every order. */
static void texts_of_any_size_are_written_in_order(void **state) {
  struct fixture *f = *state;
  static const size_t sizes[] = {1, 4096, 200, 4095, 3000, 4097, 8192, 100, 4090, 1500, 2600, 5};
  enum { count = sizeof sizes / sizeof *sizes };
  for (unsigned first = 0; first < count; first++) {
    presence_state *s = presence_state_new(f->heap);
    struct text wanted, text;
    text_sink(&wanted);
    char key[1100];
    memset(key, 'k', sizeof key);
    key[1 + first * 97] = '\0';
    text_write(&wanted, "{\"", 2);
    text_write(&wanted, key, strlen(key));
    text_write(&wanted, "\":{\"metas\":[", 12);
    for (unsigned i = 0; i < count; i++) {
      char *meta = malloc(sizes[(first + i) % count] + 1);
      memset(meta, '1' + (int)i % 9, sizes[(first + i) % count]);
      meta[sizes[(first + i) % count]] = '\0';
      s = tracked(s, "t", key, i, meta);
      if (i > 0) text_write(&wanted, ",", 1);
      text_write(&wanted, meta, strlen(meta));
      free(meta);
    }
    text_write(&wanted, "]}}", 3);
    assert_int_equal(presence_list_json(s, str("t"), PRESENCE_WIRE, text_sink(&text)), PRESENCE_OK);
    assert_int_equal(text.size, wanted.size);
    assert_memory_equal(text.bytes, wanted.bytes, wanted.size);
    presence_state_release(s);
    free(text.bytes);
    free(wanted.bytes);
  }
}

static void refs_are_checked_with_their_metas(void **state) {
  struct fixture *f = *state;
  presence_editor *editor = editor_of(f);
  presence_string large = {"{}", PRESENCE_MAX_META_BYTES + 1}, t = str("t"), k = str("k");
  presence_string long_ref = {"r", PRESENCE_MAX_REF_BYTES + 1};
  assert_int_equal(presence_editor_track_ref(editor, t, k, pid(1), large, str("r")),
                   PRESENCE_TOO_LARGE);
  assert_int_equal(presence_editor_track_ref(editor, t, k, pid(1), str("{}"), long_ref),
                   PRESENCE_TOO_LARGE);
  static const char *const no_objects[] = {"", "{", "}", "[]", "[}", "{]", "1", "{\"a\":1", "\"}"};
  for (size_t i = 0; i < sizeof no_objects / sizeof *no_objects; i++)
    assert_int_equal(presence_editor_track_ref(editor, t, k, pid(1), str(no_objects[i]), str("r")),
                     PRESENCE_NOT_OBJECT);
  static const char *const bad_refs[] = {"", "a\"", "\\", "\x1f", "\x7f", "\xc3\xa9"};
  for (size_t i = 0; i < sizeof bad_refs / sizeof *bad_refs; i++)
    assert_int_equal(presence_editor_track_ref(editor, t, k, pid(1), str("{}"), str(bad_refs[i])),
                     PRESENCE_BAD_REF);
  assert_int_equal(presence_editor_track_ref(editor, t, k, pid(1), str("{}"), str(" ~")),
                   PRESENCE_OK);
  presence_editor_discard(editor);
}

#ifdef NDEBUG
#define ASSERTS false
#else
#define ASSERTS true
#endif

/* True when the process ends in an assertion that does this. */
static bool is_asserted_against(presence_editor *editor, const char *meta) {
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    /* What the assertion prints would look like a failure of this one. */
    fclose(stderr);
    presence_editor_track_ref(editor, str("t"), str("k"), pid(1), str(meta), str("r"));
    _exit(0);
  }
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

/* What presence.h says of metas that are taken at their word. */
static void builds_with_assertions_look_into_metas_with_a_ref(void **state) {
  struct fixture *f = *state;
  presence_editor *editor = editor_of(f);
  static const char *const broken[] = {
      "{a}",    "{\"a\":1,}",      "{\"a\":1}{}",
      "{\xff}", "{\"phx_ref\":1}", "{\"a\":1,\"phx\\u005fref_prev\":\"x\"}",
  };
  for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
    assert_int_equal(is_asserted_against(editor, broken[i]), ASSERTS);
  assert_false(is_asserted_against(editor, "{\"a\":{\"phx_ref\":1}}"));
  presence_editor_discard(editor);
}

/* What a heap holds is little more than what lives in it. */
static void chunks_are_filled(void **state) {
  (void)state;
  struct memory memory;
  presence_heap *heap = memory_heap(&memory, false);
  presence_state *empty = presence_state_new(heap);
  presence_editor *editor = presence_editor_open(empty);
  presence_state_release(empty);
  for (int i = 0; i < 20000; i++) {
    char key[16];
    snprintf(key, sizeof key, "key%06d", i);
    assert_int_equal(presence_editor_track(editor, str("t"), str(key), pid(i), str("{\"a\":1}")),
                     PRESENCE_OK);
  }
  presence_heap_usage usage;
  while (presence_heap_work(heap, 1000))
    continue;
  presence_heap_stats(heap, &usage);
  assert_in_range(usage.held_bytes, usage.live_bytes, usage.live_bytes / 2 * 3);
  assert_int_equal(memory.bytes_alive, usage.held_bytes + sizeof *heap);
  presence_editor_discard(editor);
  presence_heap_free(heap);
  assert_int_equal(memory.blocks_alive, 0);
}

static void options_may_name_no_allocator(void **state) {
  (void)state;
  presence_heap_options options = {.unpooled = true};
  presence_heap *heap = presence_heap_new(&options);
  presence_state *s = tracked(presence_state_new(heap), "t", "k", 1, "1");
  assert_null(presence__check(s, NULL));
  presence_state_release(s);
  presence_heap_free(heap);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(a_full_topic_takes_no_more),
      TEST(entries_do_not_join_names_that_are_too_large),
      TEST(pids_out_of_range_are_nowhere),
      TEST(an_integer_and_a_string_of_its_bytes_differ),
      TEST(joins_and_leaves_of_nothing_change_nothing),
      TEST(joins_under_another_key_of_the_same_hash),
      TEST(groups_of_other_sizes_differ),
      TEST(a_pid_may_be_all_there_is),
      TEST(ages_fill_every_level),
      TEST(a_cursor_beside_a_single_key),
      TEST(forms_of_whole_blocks),
      TEST(texts_of_any_size_are_written_in_order),
      TEST(refs_are_checked_with_their_metas),
      TEST(builds_with_assertions_look_into_metas_with_a_ref),
      cmocka_unit_test(chunks_are_filled),
      cmocka_unit_test(options_may_name_no_allocator),
  };
  return cmocka_run_group_tests_name("core: edges", tests, NULL, NULL);
}
