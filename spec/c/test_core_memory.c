/* Every allocation may fail: the n-th one once, and from the n-th on, for every n, in every
   operation. Then nothing has changed, and nothing leaks. */
#include "cmocka_all.h"
#include "core_kit.h"

/* What operations work on. */
struct scene {
  struct memory memory;
  presence_heap *heap;
  presence_state *old; /* a few topics, an entry of one, of few and of many metas */
  presence_state *now; /* old, changed here and there */
  presence_editor *editor;
  presence_entry *entry;
  presence_string encoded;
};

struct operation {
  const char *name;
  enum presence_status (*run)(struct scene *scene);
};

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
  return tracked(s, "u", "k", 1, "1");
}

static void open_scene(struct scene *scene) {
  scene->heap = memory_heap(&scene->memory, true);
  scene->old = fill(scene->heap);
  presence_untrack(scene->old, str("u"), str("k"), pid(1), &scene->now);
  scene->now = tracked(scene->now, "t", "many", 3, "2");
  scene->now = tracked(scene->now, "t", "few", 9, "2");
  scene->now = tracked(scene->now, "v", "k", 3, "2");
  scene->editor = presence_editor_open(scene->old);
  presence_editor_track_ref(scene->editor, str("t"), str("runtime"), pid(100), str("{}"),
                            str("r1"));
  scene->entry = presence_entry_retain(presence_get(scene->old, str("t"), str("many")));
}

static void close_scene(struct scene *scene) {
  presence_entry_release(scene->heap, scene->entry);
  presence_editor_discard(scene->editor);
  presence_state_release(scene->old);
  presence_state_release(scene->now);
  presence_heap_free(scene->heap);
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
BY_HANDLE(editor_track_ref,
          presence_editor_track_ref(e, str("t"), str("new"), pid(1), str("{}"), str("r2")))
BY_HANDLE(editor_update_ref, presence_editor_update_ref(e, str("t"), str("runtime"), pid(100),
                                                        str("{\"a\":1}"), str("r2")))
BY_HANDLE(editor_take_over_ref,
          presence_editor_take_over_ref(e, str("t"), str("runtime"), pid(100), pid(101),
                                        str("{\"a\":1}"), str("r2")))
BY_HANDLE(editor_update, presence_editor_update(e, str("t"), str("many"), pid(5), str("7")))
BY_HANDLE(editor_untrack, presence_editor_untrack(e, str("t"), str("k3"), pid(3), NULL))
BY_HANDLE(editor_join, presence_editor_join(e, str("t"), str("k3"), scene->entry))
BY_HANDLE(editor_leave, presence_editor_leave(e, str("t"), str("many"), scene->entry, NULL))

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
  enum presence_status status = presence_decode(scene->heap, scene->encoded, &out);
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

static const struct operation operations[] = {
    {"track_key", track_key},
    {"track_topic", track_topic},
    {"track_second", track_second},
    {"track_ninth", track_ninth},
    {"track_many", track_many},
    {"track_many_again", track_many_again},
    {"update_one", update_one},
    {"update_few", update_few},
    {"update_many", update_many},
    {"untrack_key", untrack_key},
    {"untrack_topic", untrack_topic},
    {"untrack_few", untrack_few},
    {"untrack_many", untrack_many},
    {"untrack_ninth", untrack_ninth},
    {"editor_track", editor_track},
    {"editor_track_ref", editor_track_ref},
    {"editor_take_over_ref", editor_take_over_ref},
    {"editor_update_ref", editor_update_ref},
    {"editor_update", editor_update},
    {"editor_untrack", editor_untrack},
    {"editor_join", editor_join},
    {"editor_leave", editor_leave},
    {"difference", difference},
    {"patch", patch},
    {"diff_json", diff_json},
    {"decode", decode},
    {"make", make},
    {"open_and_close", open_and_close},
};

/* One operation with one failure. True: it did not come to fail. */
static bool fail_at(struct scene *scene, const struct operation *operation, long n, bool and_after,
                    const presence_state *old, const presence_state *now) {
  presence_state *before = presence_editor_snapshot(scene->editor);
  scene->memory.requests = scene->memory.failed = 0;
  scene->memory.fail_at = n;
  scene->memory.and_after = and_after;
  enum presence_status status = operation->run(scene);
  bool failed = scene->memory.failed > 0;
  scene->memory.fail_at = 0;
  if (status != PRESENCE_OK && !(status == PRESENCE_OUT_OF_MEMORY && failed))
    fail_msg("%s: %s at request %ld", operation->name, presence_status_word(status), n);
  if (status == PRESENCE_OUT_OF_MEMORY)
    assert_true(presence_equal(before, presence_editor_state(scene->editor)));
  assert_null(presence__check(presence_editor_state(scene->editor), NULL));
  assert_null(presence__check(scene->old, NULL));
  assert_null(presence__check(scene->now, NULL));
  assert_true(presence_equal(old, scene->old));
  assert_true(presence_equal(now, scene->now));
  presence_editor_reset(scene->editor, before);
  presence_state_release(before);
  return !failed;
}

static void every_operation_survives_every_failure(void **state) {
  (void)state;
  struct memory apart;
  struct text text;
  presence_heap *heap = memory_heap(&apart, false);
  struct scene scene;
  open_scene(&scene);
  assert_int_equal(presence_encode(scene.now, text_sink(&text)), PRESENCE_OK);
  scene.encoded = (presence_string){text.bytes, text.size};
  presence_state *old = fill(heap), *now;
  assert_int_equal(presence_decode(heap, scene.encoded, &now), PRESENCE_OK);
  for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
    for (int and_after = 0; and_after < 2; and_after++) {
      long n = 1;
      while (!fail_at(&scene, &operations[i], n, and_after, old, now))
        n++;
      /* make and the like ask seldom, but all ask. */
      assert_true(n > 1);
    }
  close_scene(&scene);
  assert_int_equal(scene.memory.blocks_alive, 0);
  assert_int_equal(scene.memory.bytes_alive, 0);
  presence_state_release(old);
  presence_state_release(now);
  presence_heap_free(heap);
  assert_int_equal(apart.blocks_alive, 0);
  free(text.bytes);
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
      cmocka_unit_test(a_pooled_heap_survives_failures),
      cmocka_unit_test(a_heap_needs_memory_itself),
  };
  return cmocka_run_group_tests_name("core: memory", tests, NULL, NULL);
}
