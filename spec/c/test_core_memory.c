/* Every allocation may fail: the n-th one once, and from the n-th on, for every n, in every
   operation, also where an editor's state is shared and where it is not, and where all hashes
   collide. Then nothing has changed, and nothing leaks. Every function that libpresence exports is
   called while memory fails: those that need none go on to work. */
#include "cmocka_all.h"
#include "core/hash.h"
#include "core_kit.h"

static void note(unsigned function);
#include "noted_exports.h"

static bool memory_is_failing;
static bool was_called[NOTED_COUNT]; /* while memory was failing */

static void note(unsigned function) {
  if (memory_is_failing) was_called[function] = true;
}

/* What operations work on. */
struct scene {
  struct memory memory;
  presence_heap *heap;
  presence_state *old; /* a few topics, an entry of one, of few and of many metas */
  presence_state *now; /* old, changed here and there */
  struct text old_content, now_content, content; /* encoded; the last is the editor's */
  presence_entry *entry;
  presence_entry *other; /* its key's in now */
  presence_editor *editor;
  presence_state *shared; /* the editor's, or NULL: nobody else holds it */
  presence_state *spare;  /* of the editor's content, to be let go */
};

/* Does it ask for memory? */
enum asks { SURELY, PERHAPS, NEVER };

struct operation {
  const char *name;
  enum presence_status (*run)(struct scene *scene);
  enum asks asks;
};

#define TEN "0123456789"
#define LONG_KEY TEN TEN TEN TEN TEN TEN TEN

static presence_state *fill(presence_heap *heap) {
  presence_state *s = presence_state_new(heap);
  char key[16];
  for (int i = 0; i < 40; i++) {
    snprintf(key, sizeof key, "k%d", i);
    s = tracked(s, "t", key, i, "1");
  }
  for (int i = 0; i < 8; i++)
    s = tracked(s, "t", "few", i, "1");
  for (int i = 0; i < 30; i++)
    s = tracked(s, "t", "many", i % 20, "1");
  for (int i = 0; i < 9; i++)
    s = tracked(s, "t", "nine", i, "1");
  for (int i = 0; i < 12; i++) {
    s = tracked(s, "t", LONG_KEY, i, "1");
    if (i == 0) s = tracked(s, "t", LONG_KEY "e", i, "1");
  }
  return tracked(s, "u", "k", 1, "1");
}

static presence_state *change(const presence_state *s) {
  presence_state *now;
  presence_untrack(s, str("u"), str("k"), pid(1), &now);
  now = tracked(now, "t", "many", 3, "2");
  now = tracked(now, "t", "few", 9, "2");
  return tracked(now, "v", "k", 3, "2");
}

/* What an editor begins with: what fill makes, and metas with refs. */
static presence_state *fill_with_refs(presence_heap *heap) {
  presence_state *s = fill(heap);
  presence_editor *editor = presence_editor_open(s);
  presence_state_release(s);
  presence_editor_track_ref(editor, str("t"), str("runtime"), pid(100), str("{}"), str("r1"));
  for (int i = 0; i < 12; i++)
    presence_editor_track_ref(editor, str("r"), str("many"), pid(i), str("{}"), str("r1"));
  return presence_editor_close(editor);
}

static struct text encoded(const presence_state *state) {
  struct text text;
  assert_int_equal(presence_encode(state, text_sink(&text)), PRESENCE_OK);
  return text;
}

static bool is_encoded(const presence_state *state, const struct text *content) {
  struct text text = encoded(state);
  bool same = text.size == content->size && memcmp(text.bytes, content->bytes, text.size) == 0;
  free(text.bytes);
  return same;
}

static presence_state *decoded(presence_heap *heap, const struct text *content) {
  presence_state *state = NULL;
  presence_string bytes = {content->bytes, content->size};
  assert_int_equal(presence_decode(heap, bytes, &state), PRESENCE_OK);
  return state;
}

static void open_scene(struct scene *scene) {
  *scene = (struct scene){0};
  scene->heap = memory_heap(&scene->memory, true);
  scene->old = fill(scene->heap);
  scene->now = change(scene->old);
  scene->spare = fill_with_refs(scene->heap);
  scene->old_content = encoded(scene->old);
  scene->now_content = encoded(scene->now);
  scene->content = encoded(scene->spare);
  scene->entry = presence_entry_retain(presence_get(scene->old, str("t"), str("many")));
  scene->other = presence_entry_retain(presence_get(scene->now, str("t"), str("many")));
}

static void close_scene(struct scene *scene) {
  presence_entry_release(scene->heap, scene->other);
  presence_entry_release(scene->heap, scene->entry);
  presence_editor_discard(scene->editor);
  presence_state_release(scene->shared);
  presence_state_release(scene->spare);
  presence_state_release(scene->old);
  presence_state_release(scene->now);
  presence_heap_free(scene->heap);
  free(scene->old_content.bytes);
  free(scene->now_content.bytes);
  free(scene->content.bytes);
}

/* Who else looks at the editor's state, and whether the editor remembers a topic. */
enum mode { SHARED, ALONE, ALONE_WITH_MEMO };

/* The editor anew. */
static void set_up(struct scene *scene, enum mode mode) {
  presence_state_release(scene->shared);
  scene->shared = decoded(scene->heap, &scene->content);
  if (!scene->spare) scene->spare = decoded(scene->heap, &scene->content);
  if (!scene->editor) scene->editor = presence_editor_open(scene->shared);
  presence_editor_reset(scene->editor, scene->shared);
  if (mode == SHARED) return;
  presence_state_release(scene->shared);
  scene->shared = NULL;
  if (mode == ALONE) return;
  presence_editor_track(scene->editor, str("t"), str("passing"), pid(1), str("1"));
  presence_editor_untrack(scene->editor, str("t"), str("passing"), pid(1), NULL);
}

/* Gives the result of an edit by value up again; what it was is the business of other tests. */
static enum presence_status done(enum presence_status status, presence_state *out) {
  if (status == PRESENCE_OK) {
    assert_null(presence__check(out, NULL));
    presence_state_release(out);
  }
  return status;
}

#define BY_VALUE(name, call)                                                                       \
  static enum presence_status name(struct scene *scene) {                                          \
    presence_state *out = NULL;                                                                    \
    const presence_state *s = scene->old;                                                          \
    (void)s;                                                                                       \
    enum presence_status status = call;                                                            \
    return done(status, out);                                                                      \
  }

BY_VALUE(track_key, presence_track(s, str("t"), str("new"), pid(1), str("1"), &out))
BY_VALUE(track_topic, presence_track(s, str("new"), str("k"), pid(1), str("1"), &out))
BY_VALUE(track_second, presence_track(s, str("t"), str("k1"), pid(99), str("1"), &out))
BY_VALUE(track_ninth, presence_track(s, str("t"), str("few"), pid(99), str("1"), &out))
BY_VALUE(track_many, presence_track(s, str("t"), str("many"), pid(99), str("1"), &out))
BY_VALUE(track_many_again, presence_track(s, str("t"), str("many"), pid(15), str("1"), &out))
BY_VALUE(track_long_key, presence_track(s, str("t"), str(LONG_KEY "new"), pid(1), str("1"), &out))
BY_VALUE(track_long_second, presence_track(s, str("t"), str(LONG_KEY "e"), pid(99), str("1"), &out))
BY_VALUE(track_long_many, presence_track(s, str("t"), str(LONG_KEY), pid(99), str("1"), &out))
BY_VALUE(untrack_long_key, presence_untrack(s, str("t"), str(LONG_KEY "e"), pid(0), &out))
BY_VALUE(update_one, presence_update(s, str("t"), str("k1"), pid(1), str("22"), &out))
BY_VALUE(update_few, presence_update(s, str("t"), str("few"), pid(1), str("22"), &out))
BY_VALUE(update_many, presence_update(s, str("t"), str("many"), pid(1), str("22"), &out))
BY_VALUE(untrack_key, presence_untrack(s, str("t"), str("k1"), pid(1), &out))
BY_VALUE(untrack_topic, presence_untrack(s, str("u"), str("k"), pid(1), &out))
BY_VALUE(untrack_few, presence_untrack(s, str("t"), str("few"), pid(1), &out))
BY_VALUE(untrack_many, presence_untrack(s, str("t"), str("many"), pid(1), &out))
BY_VALUE(untrack_ninth, presence_untrack(s, str("t"), str("nine"), pid(1), &out))

#define BY_HANDLE(name, call)                                                                      \
  static enum presence_status name(struct scene *scene) {                                          \
    presence_editor *e = scene->editor;                                                            \
    return call;                                                                                   \
  }

BY_HANDLE(editor_track, presence_editor_track(e, str("t"), str("new"), pid(1), str("1")))
BY_HANDLE(editor_track_topic, presence_editor_track(e, str("new"), str("new"), pid(1), str("1")))
BY_HANDLE(editor_track_second, presence_editor_track(e, str("t"), str("k1"), pid(99), str("1")))
BY_HANDLE(editor_track_ninth, presence_editor_track(e, str("t"), str("few"), pid(99), str("1")))
BY_HANDLE(editor_track_many, presence_editor_track(e, str("t"), str("many"), pid(15), str("1")))
BY_HANDLE(editor_track_ref,
          presence_editor_track_ref(e, str("t"), str("new"), pid(1), str("{}"), str("r2")))
BY_HANDLE(editor_update_ref, presence_editor_update_ref(e, str("t"), str("runtime"), pid(100),
                                                        str("{\"a\":1}"), str("r2")))
BY_HANDLE(editor_take_over_ref,
          presence_editor_take_over_ref(e, str("t"), str("runtime"), pid(100), pid(101),
                                        str("{\"a\":1}"), str("r2")))
BY_HANDLE(editor_take_over_many, presence_editor_take_over_ref(e, str("r"), str("many"), pid(3),
                                                               pid(101), str("{}"), str("r2")))
BY_HANDLE(editor_update, presence_editor_update(e, str("t"), str("k3"), pid(3), str("7")))
BY_HANDLE(editor_update_few, presence_editor_update(e, str("t"), str("few"), pid(3), str("7")))
BY_HANDLE(editor_update_many, presence_editor_update(e, str("t"), str("many"), pid(5), str("7")))
BY_HANDLE(editor_untrack, presence_editor_untrack(e, str("t"), str("k3"), pid(3), NULL))
BY_HANDLE(editor_untrack_few, presence_editor_untrack(e, str("t"), str("few"), pid(3), NULL))
BY_HANDLE(editor_untrack_many, presence_editor_untrack(e, str("t"), str("many"), pid(3), NULL))
BY_HANDLE(editor_untrack_ninth, presence_editor_untrack(e, str("t"), str("nine"), pid(3), NULL))
BY_HANDLE(editor_untrack_topic, presence_editor_untrack(e, str("u"), str("k"), pid(1), NULL))
BY_HANDLE(editor_join, presence_editor_join(e, str("t"), str("k3"), scene->entry))
BY_HANDLE(editor_join_long, presence_editor_join(e, str("t"), str(LONG_KEY), scene->entry))
BY_HANDLE(editor_join_new_long,
          presence_editor_join(e, str("t"), str(LONG_KEY "new"), scene->entry))
BY_HANDLE(editor_untrack_long,
          presence_editor_untrack(e, str("t"), str(LONG_KEY "e"), pid(0), NULL))
BY_HANDLE(editor_join_many, presence_editor_join(e, str("t"), str("many"), scene->entry))
BY_HANDLE(editor_leave, presence_editor_leave(e, str("t"), str("many"), scene->entry, NULL))
BY_HANDLE(editor_leave_some, presence_editor_leave(e, str("t"), str("few"), scene->entry, NULL))

static enum presence_status difference(struct scene *scene) {
  presence_state *joins = NULL, *leaves;
  enum presence_status status = presence_diff(scene->old, scene->now, &joins, &leaves);
  if (status == PRESENCE_OK) presence_state_release(leaves);
  return done(status, joins);
}

static enum presence_status patch(struct scene *scene) {
  presence_state *out = NULL;
  enum presence_status status = presence_patch(scene->old, scene->now, scene->old, &out);
  return done(status, out);
}

static enum presence_status diff_json(struct scene *scene) {
  struct text text;
  enum presence_status status =
      presence_diff_json(scene->old, scene->now, str("t"), PRESENCE_WIRE, text_sink(&text));
  free(text.bytes);
  return status;
}

static enum presence_status decode(struct scene *scene) {
  presence_state *out = NULL;
  presence_string bytes = {scene->content.bytes, scene->content.size};
  enum presence_status status = presence_decode(scene->heap, bytes, &out);
  return done(status, out);
}

static enum presence_status make(struct scene *scene) {
  presence_meta *meta;
  presence_entry *entry;
  enum presence_status status = presence_meta_new(scene->heap, pid(1), str("1"), &meta);
  if (status != PRESENCE_OK) return status;
  const presence_meta *metas[20];
  for (size_t i = 0; i < 20; i++)
    metas[i] = meta;
  status = presence_entry_new(scene->heap, metas, 20, &entry);
  presence_meta_release(scene->heap, meta);
  if (status == PRESENCE_OK) presence_entry_release(scene->heap, entry);
  return status;
}

static enum presence_status open_and_close(struct scene *scene) {
  presence_state *only = presence_state_of_topic(scene->old, str("t"));
  if (!only) return PRESENCE_OUT_OF_MEMORY;
  presence_editor *editor = presence_editor_open(only);
  presence_state_release(only);
  if (!editor) return PRESENCE_OUT_OF_MEMORY;
  presence_state_release(presence_editor_close(editor));
  return PRESENCE_OK;
}

static enum presence_status new_heap(struct scene *scene) {
  presence_heap_options options = {{memory_allocate, memory_release, &scene->memory}, false};
  presence_heap *heap = presence_heap_new(&options);
  if (!heap) return PRESENCE_OUT_OF_MEMORY;
  presence_state *s = presence_state_new(heap);
  presence_state_release(s);
  presence_heap_free(heap);
  return s ? PRESENCE_OK : PRESENCE_OUT_OF_MEMORY;
}

static enum presence_status entry_difference(struct scene *scene) {
  presence_entry *more = NULL;
  enum presence_status status =
      presence_entry_difference(scene->heap, scene->other, scene->entry, &more);
  if (status != PRESENCE_OK) return status;
  assert_int_equal(presence_entry_count(more), 1);
  presence_entry_release(scene->heap, more);
  return status;
}

/* Comparing may use memory, and never needs it. */
static enum presence_status equality(struct scene *scene) {
  assert_false(presence_equal(scene->old, scene->now));
  assert_false(presence_entry_equal(scene->heap, scene->entry, scene->other));
  presence_state *twin = presence_state_retain(presence_editor_state(scene->editor));
  assert_true(presence_equal(twin, presence_editor_state(scene->editor)));
  assert_false(presence_equal(twin, scene->old));
  presence_state_release(twin);
  return PRESENCE_OK;
}

/* ---- What needs no memory at all ---- */

static enum presence_status names_and_pids(struct scene *scene) {
  (void)scene;
  static const unsigned char seed[16] = {1};
  assert_true(is(presence_string_of("abc"), "abc"));
  assert_int_equal(presence_pid_integer(7).integer, 7);
  assert_int_equal(presence_pid_string("abc", 3).size, 3);
  assert_string_equal(presence_status_word(PRESENCE_DAMAGED), "damaged");
  assert_non_null(presence_version());
  assert_false(presence_hash_seed(seed));
  return PRESENCE_OK;
}

static enum presence_status look(struct scene *scene) {
  const presence_state *s = scene->old;
  const presence_topic *topic = presence_find_topic(s, str("t"));
  presence_counts counts;
  presence_stats(s, &counts);
  assert_int_equal(counts.topics, 2);
  assert_int_equal(presence_count(s, str("t")), 45);
  assert_int_equal(presence_connections(s, str("t"), str("few")), 8);
  assert_true(is(presence_topic_name(topic), "t"));
  assert_int_equal(presence_topic_count(topic), 45);
  assert_int_equal(presence_topic_connections(topic), 100);
  assert_ptr_equal(presence_topic_get(topic, str("many")), scene->entry);
  assert_ptr_equal(presence_get(s, str("t"), str("many")), scene->entry);
  assert_ptr_equal(presence_state_heap(s), scene->heap);
  presence_state_release(presence_state_retain(s));
  presence_state_release(presence_editor_snapshot(scene->editor));
  assert_non_null(presence_editor_get(scene->editor, str("t"), str("many"), pid(3)));
  return PRESENCE_OK;
}

static enum presence_status look_at_an_entry(struct scene *scene) {
  const presence_entry *entry = presence_entry_retain(scene->entry);
  const presence_meta *meta = presence_entry_find(entry, pid(3));
  assert_int_equal(presence_entry_count(entry), 30);
  assert_ptr_equal(presence_entry_at(entry, 23), meta);
  presence_meta *held = presence_meta_retain(meta);
  presence_entry_release(scene->heap, entry);
  assert_int_equal(presence_meta_pid(held).integer, 3);
  assert_true(is(presence_meta_data(held), "1"));
  assert_int_equal(presence_meta_ref(held).size, 0);
  assert_true(presence_meta_equal(held, presence_entry_at(scene->other, 3)));
  presence_meta_release(scene->heap, held);
  size_t count = 0;
  presence_meta_iter metas;
  presence_meta_iter_init(&metas, scene->entry);
  while (presence_meta_iter_next(&metas))
    count++;
  assert_int_equal(count, 30);
  return PRESENCE_OK;
}

static enum presence_status walk(struct scene *scene) {
  size_t topics = 0, keys = 0, rest = 0;
  presence_string key;
  presence_topic_iter topic_iter;
  presence_topic_iter_init(&topic_iter, scene->old);
  for (const presence_topic *topic; (topic = presence_topic_iter_next(&topic_iter)); topics++) {
    presence_entry_iter entries;
    presence_entry_iter_init(&entries, topic);
    for (; presence_entry_iter_next(&entries, &key); keys++) {
      presence_entry_iter behind = entries;
      presence_entry_iter_seek(&behind, topic, key);
      rest += presence_entry_iter_next(&behind, &key) != NULL;
    }
  }
  assert_int_equal(topics, 2);
  assert_int_equal(keys, 46);
  assert_int_equal(rest, 44);
  return PRESENCE_OK;
}

static enum presence_status walk_differences(struct scene *scene) {
  size_t changes = 0, in_topic = 0;
  presence_change change;
  presence_diff_iter iter;
  presence_diff_iter_init(&iter, scene->old, scene->now);
  while (presence_diff_iter_next(&iter, &change))
    changes++;
  presence_diff_iter_init_topic(&iter, scene->old, scene->now, str("t"));
  while (presence_diff_iter_next(&iter, &change))
    in_topic++;
  assert_int_equal(changes, 4);
  assert_int_equal(in_topic, 2);
  return PRESENCE_OK;
}

static bool count_bytes(void *context, const char *bytes, size_t size) {
  (void)bytes;
  *(size_t *)context += size;
  return true;
}

static enum presence_status write(struct scene *scene) {
  size_t bytes[4] = {0};
  presence_sink sinks[4];
  for (int i = 0; i < 4; i++)
    sinks[i] = (presence_sink){count_bytes, &bytes[i]};
  const presence_state *s = scene->old;
  assert_int_equal(presence_list_json(s, str("t"), PRESENCE_WIRE, sinks[0]), PRESENCE_OK);
  assert_int_equal(presence_encode(s, sinks[1]), PRESENCE_OK);
  assert_int_equal(presence_join_diff_json(str("k"), str("1"), sinks[2]), PRESENCE_OK);
  assert_int_equal(presence_leave_diff_json(str("k"), str("1"), sinks[3]), PRESENCE_OK);
  assert_true(bytes[0] > 500 && bytes[1] > 500);
  assert_int_equal(bytes[2], strlen("{\"joins\":{\"k\":{\"metas\":[1]}},\"leaves\":{}}"));
  assert_int_equal(bytes[3], bytes[2]);
  return PRESENCE_OK;
}

/* The last of a state, and all that waits then. */
static enum presence_status let_go(struct scene *scene) {
  presence_heap_usage usage;
  presence_state_release(scene->spare);
  scene->spare = NULL;
  presence_editor_reset(scene->editor, scene->old);
  while (presence_heap_work(scene->heap, 10))
    continue;
  presence_heap_stats(scene->heap, &usage);
  assert_false(usage.work_waits);
  return PRESENCE_OK;
}

static enum presence_status discard(struct scene *scene) {
  presence_editor_discard(scene->editor);
  scene->editor = NULL;
  return PRESENCE_OK;
}

#define ROW(function)                                                                              \
  { #function, function, SURELY }

static const struct operation operations[] = {
    ROW(track_key),
    ROW(track_topic),
    ROW(track_second),
    ROW(track_ninth),
    ROW(track_many),
    ROW(track_many_again),
    ROW(track_long_key),
    ROW(track_long_second),
    ROW(track_long_many),
    ROW(untrack_long_key),
    ROW(update_one),
    ROW(update_few),
    ROW(update_many),
    ROW(untrack_key),
    ROW(untrack_topic),
    ROW(untrack_few),
    ROW(untrack_many),
    ROW(untrack_ninth),
    ROW(editor_track),
    ROW(editor_track_topic),
    ROW(editor_track_second),
    ROW(editor_track_ninth),
    ROW(editor_track_many),
    ROW(editor_track_ref),
    ROW(editor_take_over_ref),
    ROW(editor_take_over_many),
    ROW(editor_update_ref),
    ROW(editor_update),
    ROW(editor_update_few),
    ROW(editor_update_many),
    ROW(editor_untrack),
    ROW(editor_untrack_few),
    ROW(editor_untrack_many),
    ROW(editor_untrack_ninth),
    ROW(editor_untrack_topic),
    ROW(editor_join),
    ROW(editor_join_long),
    ROW(editor_join_new_long),
    ROW(editor_untrack_long),
    ROW(editor_join_many),
    ROW(editor_leave),
    ROW(editor_leave_some),
    ROW(difference),
    ROW(entry_difference),
    {"equality", equality, PERHAPS},
    ROW(patch),
    ROW(diff_json),
    ROW(decode),
    ROW(make),
    ROW(open_and_close),
    ROW(new_heap),
    {"names_and_pids", names_and_pids, NEVER},
    {"look", look, NEVER},
    {"look_at_an_entry", look_at_an_entry, NEVER},
    {"walk", walk, NEVER},
    {"walk_differences", walk_differences, NEVER},
    {"write", write, NEVER},
    {"let_go", let_go, NEVER},
    {"discard", discard, NEVER},
};

static void check_whole(const struct scene *scene) {
  assert_null(presence__check(scene->old, NULL));
  assert_null(presence__check(scene->now, NULL));
  assert_true(is_encoded(scene->old, &scene->old_content));
  assert_true(is_encoded(scene->now, &scene->now_content));
  if (scene->shared) assert_true(is_encoded(scene->shared, &scene->content));
}

/* One operation with one failure. True: it did not come to fail. */
static bool fail_at(struct scene *scene, enum mode mode, const struct operation *operation, long n,
                    bool and_after) {
  set_up(scene, mode);
  scene->memory.requests = scene->memory.failed = 0;
  scene->memory.fail_at = n;
  scene->memory.and_after = and_after;
  memory_is_failing = true;
  enum presence_status status = operation->run(scene);
  memory_is_failing = false;
  bool failed = scene->memory.failed > 0;
  scene->memory.fail_at = 0;
  if (status != PRESENCE_OK && !(status == PRESENCE_OUT_OF_MEMORY && failed))
    fail_msg("%s: %s at request %ld", operation->name, presence_status_word(status), n);
  if (failed && operation->asks == NEVER) fail_msg("%s: asked for memory", operation->name);
  const presence_state *edited = scene->editor ? presence_editor_state(scene->editor) : NULL;
  if (edited) assert_null(presence__check(edited, NULL));
  if (status == PRESENCE_OUT_OF_MEMORY) assert_true(is_encoded(edited, &scene->content));
  check_whole(scene);
  return !failed;
}

static void fail_everywhere(uint64_t mask) {
  static const unsigned char seed[16] = {4, 5};
  presence__hash_weaken(seed, mask);
  /* Checkers that are slow look at every few requests. */
  const long stride = (long)number_from("PRESENCE_STRIDE", 1);
  struct scene scene;
  open_scene(&scene);
  for (enum mode mode = SHARED; mode <= ALONE_WITH_MEMO; mode++)
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
      for (int and_after = 0; and_after < 2; and_after++) {
        long n = 1;
        while (!fail_at(&scene, mode, &operations[i], n, and_after))
          n += stride;
        /* Alone, a leaf that leaves a node of two may move up without memory. */
        if (operations[i].asks == SURELY && mode == SHARED && n == 1)
          fail_msg("%s: asked for no memory", operations[i].name);
      }
  close_scene(&scene);
  assert_int_equal(scene.memory.blocks_alive, 0);
  assert_int_equal(scene.memory.bytes_alive, 0);
  presence__hash_weaken(seed, UINT64_MAX);
}

static void every_operation_survives_every_failure(void **state) {
  (void)state;
  fail_everywhere(UINT64_MAX);
}

static void so_it_does_where_all_hashes_are_equal(void **state) {
  (void)state;
  fail_everywhere(0);
}

/* Runs behind the two above. */
static void every_exported_function_was_called_while_memory_failed(void **state) {
  (void)state;
  unsigned missing = 0;
  for (unsigned i = 0; i < NOTED_COUNT; i++) {
    if (was_called[i]) continue;
    printf("not called while memory failed: %s\n", noted_names[i]);
    missing++;
  }
  assert_int_equal(missing, 0);
}

/* The same where failures are of whole chunks. */
static void a_pooled_heap_survives_failures(void **state) {
  (void)state;
  for (long n = 1; n < 200; n++) {
    struct memory memory;
    presence_heap *heap = memory_heap(&memory, false);
    presence_state *s = presence_state_new(heap), *out;
    char key[16];
    memory.requests = 0;
    memory.fail_at = n;
    memory.and_after = n % 2;
    size_t count = 0;
    for (int i = 0; i < 2000; i++) {
      snprintf(key, sizeof key, "k%d", i);
      enum presence_status status = presence_track(s, str("t"), str(key), pid(i), str("1"), &out);
      if (status == PRESENCE_OUT_OF_MEMORY) continue;
      assert_int_equal(status, PRESENCE_OK);
      presence_state_release(s);
      s = out;
      count++;
    }
    assert_int_equal(presence_count(s, str("t")), count);
    assert_null(presence__check(s, NULL));
    presence_state_release(s);
    presence_heap_free(heap);
    assert_int_equal(memory.blocks_alive, 0);
    if (memory.failed == 0) return;
  }
}

static void a_heap_needs_memory_itself(void **state) {
  (void)state;
  struct memory memory = {.fail_at = 1};
  presence_heap_options options = {{memory_allocate, memory_release, &memory}, false};
  assert_null(presence_heap_new(&options));
  presence_heap *heap = presence_heap_new(&options);
  assert_non_null(heap);
  memory.fail_at = memory.requests + 1;
  assert_null(presence_state_new(heap));
  presence_heap_free(heap);
  assert_int_equal(memory.blocks_alive, 0);
  presence_heap_free(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_operation_survives_every_failure),
      cmocka_unit_test(so_it_does_where_all_hashes_are_equal),
      cmocka_unit_test(every_exported_function_was_called_while_memory_failed),
      cmocka_unit_test(a_pooled_heap_survives_failures),
      cmocka_unit_test(a_heap_needs_memory_itself),
  };
  return cmocka_run_group_tests_name("core: memory", tests, NULL, NULL);
}
