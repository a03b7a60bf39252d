/* Random edits against the naive model: every old version must stay what it was, whatever happens
   to later ones; diffs, patches and equality agree with the model; the invariants hold after every
   edit. The same under a good hash, one of few bits, and one where every name collides with every
   other. */
#include "cmocka_all.h"
#include "core/edit.h"
#include "core/hash.h"
#include "core_model.h"

#define VERSIONS 48u

struct version {
  presence_state *state;
  struct model model;
};

struct run {
  uint64_t seed;
  struct memory memory;
  presence_heap *heap;
  struct version versions[VERSIONS];
};

static void complain_not(const char *fault) {
  if (fault) fail_msg("%s", fault);
}

static void version_free(struct version *v) {
  presence_state_release(v->state);
  free(v->model.at);
}

static void begin(struct run *run, uint64_t seed, bool unpooled) {
  run->seed = seed;
  run->heap = memory_heap(&run->memory, unpooled);
  for (unsigned i = 0; i < VERSIONS; i++) {
    run->versions[i].state = presence_state_new(run->heap);
    model_init(&run->versions[i].model);
  }
}

static void end(struct run *run) {
  for (unsigned i = 0; i < VERSIONS; i++)
    version_free(&run->versions[i]);
  presence_heap_free(run->heap);
  assert_int_equal(run->memory.blocks_alive, 0);
}

/* One random edit by value. */
static void edit(struct run *run, struct version *v) {
  struct names n;
  struct presence p = model_any(&run->seed);
  presence_string topic = model_topic(&n, p.topic), key = model_key(&n, p.key);
  presence_pid own = model_pid(&n, p.pid);
  presence_string meta = model_meta(&n, p.meta);
  presence_state *out = NULL;
  enum presence_status status, wanted;
  unsigned what = below(&run->seed, 10);
  if (what < (v->model.count < 150 ? 6u : 3u) && v->model.count < MODEL_MAX) {
    wanted = PRESENCE_OK;
    status = presence_track(v->state, topic, key, own, meta, &out);
    model_track(&v->model, p);
  } else if (what < 8) {
    wanted = model_untrack(&v->model, p) ? PRESENCE_OK : PRESENCE_UNCHANGED;
    status = presence_untrack(v->state, topic, key, own, &out);
  } else {
    wanted = model_update(&v->model, p);
    status = presence_update(v->state, topic, key, own, meta, &out);
  }
  assert_int_equal(status, wanted);
  if (wanted == PRESENCE_NO_PRESENCE) return;
  assert_true((out == v->state) == (wanted == PRESENCE_UNCHANGED));
  presence_state_release(v->state);
  v->state = out;
  complain_not(presence__check(v->state, NULL));
}

/* A state made from an editor's must not follow its later edits, nor the other way round. */
static void derive(struct run *run, presence_editor *editor, const struct model *model) {
  struct version *spare = &run->versions[below(&run->seed, VERSIONS)];
  const presence_state *view = presence_editor_state(editor);
  complain_not(model_check(model, view));
  if (model->count >= MODEL_MAX) return;
  struct names n;
  struct presence p = model_any(&run->seed);
  presence_state *derived = NULL;
  assert_int_equal(presence_track(view, model_topic(&n, p.topic), model_key(&n, p.key),
                                  model_pid(&n, p.pid), model_meta(&n, p.meta), &derived),
                   PRESENCE_OK);
  if (spare->model.at != model->at) {
    version_free(spare);
    spare->state = derived;
    model_copy(&spare->model, model);
    model_track(&spare->model, p);
  } else {
    presence_state_release(derived);
  }
}

/* Some edits by handle, with a snapshot now and then that must stay as it was. */
static void edit_in_place(struct run *run, struct version *v) {
  presence_editor *editor = presence_editor_open(v->state);
  presence_state *snapshot = NULL;
  struct model then;
  for (unsigned edits = below(&run->seed, 40); edits > 0; edits--) {
    struct names n;
    struct presence p = model_any(&run->seed);
    presence_string topic = model_topic(&n, p.topic), key = model_key(&n, p.key);
    presence_pid own = model_pid(&n, p.pid);
    unsigned what = below(&run->seed, 10);
    if (what < 5 && v->model.count < 300) {
      assert_int_equal(presence_editor_track(editor, topic, key, own, model_meta(&n, p.meta)),
                       PRESENCE_OK);
      model_track(&v->model, p);
    } else if (what < 8) {
      size_t removed = 99, wanted = model_untrack(&v->model, p);
      enum presence_status status = presence_editor_untrack(editor, topic, key, own, &removed);
      assert_int_equal(status, wanted ? PRESENCE_OK : PRESENCE_UNCHANGED);
      assert_int_equal(removed, wanted);
    } else if (what < 9) {
      enum presence_status wanted = model_update(&v->model, p);
      assert_int_equal(presence_editor_update(editor, topic, key, own, model_meta(&n, p.meta)),
                       wanted);
    } else if (!snapshot) {
      snapshot = presence_editor_snapshot(editor);
      model_copy(&then, &v->model);
    }
    /* Not by presence_editor_state, which makes the editor forget which topic it edited last. */
    complain_not(presence__check(editor->state, NULL));
    if (below(&run->seed, 10) == 0) derive(run, editor, &v->model);
  }
  presence_state_release(v->state);
  v->state = presence_editor_close(editor);
  if (!snapshot) return;
  complain_not(model_check(&then, snapshot));
  presence_state_release(snapshot);
  free(then.at);
}

/* Diff, patch and equality of two versions. */
static void compare(const struct version *a, const struct version *b) {
  presence_state *joins, *leaves, *patched;
  presence_counts counts;
  size_t joined = model_lacks(&b->model, &a->model), left = model_lacks(&a->model, &b->model);
  assert_int_equal(presence_diff(a->state, b->state, &joins, &leaves), PRESENCE_OK);
  complain_not(presence__check(joins, NULL));
  complain_not(presence__check(leaves, NULL));
  presence_stats(joins, &counts);
  assert_int_equal(counts.metas, joined);
  presence_stats(leaves, &counts);
  assert_int_equal(counts.metas, left);
  assert_int_equal(presence_equal(a->state, b->state), joined + left == 0);
  assert_int_equal(presence_patch(a->state, joins, leaves, &patched),
                   joined + left ? PRESENCE_OK : PRESENCE_UNCHANGED);
  complain_not(presence__check(patched, NULL));
  assert_true(presence_equal(patched, b->state));
  assert_true(presence_equal(b->state, patched));
  presence_state_release(joins);
  presence_state_release(leaves);
  presence_state_release(patched);
}

/* The same content put in in another order has the same memory to the byte: its shape is the same,
   entries of many metas apart, whose order is part of it. */
static void rebuild(struct run *run, const struct version *v) {
  presence_state *empty = presence_state_new(run->heap);
  presence_editor *editor = presence_editor_open(empty);
  presence_state_release(empty);
  for (unsigned i = v->model.count; i > 0; i--) {
    struct names n;
    struct presence p = v->model.at[i - 1];
    presence_editor_track(editor, model_topic(&n, p.topic), model_key(&n, p.key),
                          model_pid(&n, p.pid), model_meta(&n, p.meta));
  }
  presence_state *again = presence_editor_close(editor);
  complain_not(presence__check(again, NULL));
  assert_true(presence_equal(again, v->state));
  presence_state_release(again);
}

static void play(uint64_t seed, uint64_t steps, bool unpooled) {
  struct run *run = malloc(sizeof *run);
  begin(run, seed, unpooled);
  for (uint64_t step = 0; step < steps; step++) {
    struct version *from = &run->versions[below(&run->seed, VERSIONS)];
    struct version *to = &run->versions[below(&run->seed, VERSIONS)];
    if (from != to && below(&run->seed, 4) == 0) {
      version_free(to);
      to->state = presence_state_retain(from->state);
      model_copy(&to->model, &from->model);
    }
    for (unsigned edits = below(&run->seed, 8); edits > 0; edits--)
      edit(run, to);
    if (step % 8 == 0) edit_in_place(run, to);
    complain_not(model_check(&to->model, to->state));
    if (step % 4 == 0) complain_not(model_check(&from->model, from->state));
    if (step % 8 == 1) compare(from, to);
    if (step % 32 == 2) rebuild(run, to);
  }
  for (unsigned i = 0; i < VERSIONS; i++)
    complain_not(model_check(&run->versions[i].model, run->versions[i].state));
  end(run);
  free(run);
}

static void play_with(const char *name, uint64_t mask, bool unpooled) {
  uint64_t seed = seed_for(name), steps = number_from("PRESENCE_STEPS", 1500);
  unsigned char key[16];
  memcpy(key, &seed, 8);
  memcpy(key + 8, &seed, 8);
  presence__hash_weaken(key, mask);
  play(seed, steps, unpooled);
  presence__hash_weaken(key, UINT64_MAX);
}

static void agrees_with_the_model(void **state) {
  (void)state;
  play_with("a good hash", UINT64_MAX, false);
}

static void agrees_with_the_model_on_plain_memory(void **state) {
  (void)state;
  play_with("a good hash, unpooled", UINT64_MAX, true);
}

/* Collisions of the high half: hashes are computed anew, tries go deep. */
static void agrees_where_high_halves_collide(void **state) {
  (void)state;
  play_with("a few low bits", 0x7, false);
}

static void agrees_where_few_bits_differ(void **state) {
  (void)state;
  play_with("bits of every level", 0x1000000000000001u, false);
}

static void agrees_where_all_collide(void **state) {
  (void)state;
  play_with("a constant hash", 0, false);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(agrees_with_the_model),
      cmocka_unit_test(agrees_with_the_model_on_plain_memory),
      cmocka_unit_test(agrees_where_high_halves_collide),
      cmocka_unit_test(agrees_where_few_bits_differ),
      cmocka_unit_test(agrees_where_all_collide),
  };
  return cmocka_run_group_tests_name("core: model", tests, NULL, NULL);
}
