/* An editor remembers the topic it edited last, until somebody looks at its state. Here nobody
   looks for a while: topics come and go under the memory of it, with and without snapshots held. */
#include "cmocka_all.h"
#include "core/hash.h"
#include "core_model.h"

static void expect_no(const char *fault) {
  if (fault) fail_msg("%s", fault);
}

static struct presence any(uint64_t *seed) {
  /* One topic of one key among fuller ones: it keeps coming and going. */
  unsigned topic = below(seed, 4), keys = topic == 2 ? 1 : topic == 3 ? 40 : 3;
  return (struct presence){(unsigned char)topic, (unsigned char)below(seed, keys),
                           (unsigned char)below(seed, 4), (unsigned char)below(seed, MODEL_METAS)};
}

static void edit(presence_editor *editor, struct model *model, uint64_t *seed) {
  struct names n;
  struct presence p = any(seed);
  presence_string topic = model_topic(&n, p.topic), key = model_key(&n, p.key);
  presence_pid own = model_pid(&n, p.pid);
  size_t removed = 99;
  switch (model->count < 200 ? below(seed, 5) : 3) {
  case 0:
  case 1:
    assert_int_equal(presence_editor_track(editor, topic, key, own, model_meta(&n, p.meta)),
                     PRESENCE_OK);
    model_track(model, p);
    break;
  case 2:
    assert_int_equal(presence_editor_update(editor, topic, key, own, model_meta(&n, p.meta)),
                     model_update(model, p));
    break;
  default: {
    unsigned wanted = model_untrack(model, p);
    assert_int_equal(presence_editor_untrack(editor, topic, key, own, &removed),
                     wanted ? PRESENCE_OK : PRESENCE_UNCHANGED);
    assert_int_equal(removed, wanted);
  }
  }
}

static void play(uint64_t mask) {
  uint64_t seed = seed_for("memo");
  unsigned char key[16] = {0};
  presence__hash_weaken(key, mask);
  struct memory memory;
  presence_heap *heap = memory_heap(&memory, false);
  presence_state *empty = presence_state_new(heap), *held = presence_state_retain(empty);
  presence_editor *editor = presence_editor_open(empty);
  presence_state_release(empty);
  struct model model, then;
  model_init(&model);
  model_copy(&then, &model);
  for (unsigned round = 0; round < 200; round++) {
    for (unsigned edits = below(&seed, 24); edits > 0; edits--)
      edit(editor, &model, &seed);
    if (round % 3 == 0) {
      presence_state_release(held);
      held = presence_editor_snapshot(editor);
      free(then.at);
      model_copy(&then, &model);
    } else {
      expect_no(model_check(&model, presence_editor_state(editor)));
    }
    expect_no(model_check(&then, held));
  }
  free(model.at);
  free(then.at);
  presence_state_release(held);
  presence_editor_discard(editor);
  presence_heap_free(heap);
  assert_int_equal(memory.blocks_alive, 0);
  presence__hash_weaken(key, UINT64_MAX);
}

static void topics_come_and_go_unseen(void **state) {
  (void)state;
  play(UINT64_MAX);
}

static void topics_of_one_hash_come_and_go_unseen(void **state) {
  (void)state;
  play(0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(topics_come_and_go_unseen),
      cmocka_unit_test(topics_of_one_hash_come_and_go_unseen),
  };
  return cmocka_run_group_tests_name("core: an editor's memory", tests, NULL, NULL);
}
