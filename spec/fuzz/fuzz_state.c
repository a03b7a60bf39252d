/* Edits of states against the naive model: by value, by editor, under good and terrible hashes,
   with requests for memory that fail. The invariant checker runs after every edit, and every
   version must stay what it was. */
#include "core/hash.h"
#include "core_model.h"
#include "fuzz_kit.h"

enum { versions = 4, most_presences = 250 };

struct version {
  presence_state *state;
  struct model model;
};

struct world {
  struct input in;
  struct memory memory;
  presence_heap *heap;
  struct version version[versions];
};

static struct presence any_presence(struct world *w) {
  /* Few names make entries of many metas and edits that meet. */
  unsigned place = input_byte(&w->in), rest = input_byte(&w->in);
  unsigned topic = place % 8 < 5 ? place % 8 : 1;
  unsigned key = place / 8 < 24 ? place / 8 : place / 8 % 2;
  return (struct presence){(unsigned char)topic, (unsigned char)key,
                           (unsigned char)(rest % MODEL_PIDS),
                           (unsigned char)(rest / MODEL_PIDS % MODEL_METAS)};
}

static void check_version(const struct version *v) {
  LAW_NO_FAULT(model_check(&v->model, v->state));
}

static void check_edit(const presence_state *state, const struct model *model, struct presence p) {
  size_t keys = 0, metas = 0;
  LAW_NO_FAULT(presence__check(state, NULL));
  LAW_NO_FAULT(model_check_key(model, state, p.topic, p.key, &keys, &metas));
}

static void forget(struct version *v) {
  presence_state_release(v->state);
  free(v->model.at);
}

static void become(struct version *to, const struct version *from) {
  if (to == from) return;
  forget(to);
  to->state = presence_state_retain(from->state);
  model_copy(&to->model, &from->model);
}

enum what { TRACK, UNTRACK, UPDATE };

/* What an edit should say; changes the model. */
static enum presence_status expect(struct model *model, enum what what, struct presence p,
                                   size_t *removed) {
  *removed = 0;
  switch (what) {
  case TRACK:
    model_track(model, p);
    return PRESENCE_OK;
  case UNTRACK:
    *removed = model_untrack(model, p);
    return *removed ? PRESENCE_OK : PRESENCE_UNCHANGED;
  default:
    return model_update(model, p);
  }
}

static enum presence_status edit_by_value(const presence_state *state, enum what what,
                                          struct presence p, presence_state **out) {
  struct names n;
  presence_string topic = model_topic(&n, p.topic), key = model_key(&n, p.key);
  presence_pid own = model_pid(&n, p.pid);
  switch (what) {
  case TRACK:
    return presence_track(state, topic, key, own, model_meta(&n, p.meta), out);
  case UNTRACK:
    return presence_untrack(state, topic, key, own, out);
  default:
    return presence_update(state, topic, key, own, model_meta(&n, p.meta), out);
  }
}

static enum presence_status edit_by_editor(presence_editor *editor, enum what what,
                                           struct presence p, size_t *removed) {
  struct names n;
  presence_string topic = model_topic(&n, p.topic), key = model_key(&n, p.key);
  presence_pid own = model_pid(&n, p.pid);
  switch (what) {
  case TRACK:
    return presence_editor_track(editor, topic, key, own, model_meta(&n, p.meta));
  case UNTRACK:
    return presence_editor_untrack(editor, topic, key, own, removed);
  default:
    return presence_editor_update(editor, topic, key, own, model_meta(&n, p.meta));
  }
}

static enum what any_edit(struct world *w, const struct model *model) {
  unsigned roll = input_below(&w->in, 8);
  if (roll < 5) return model->count < most_presences ? TRACK : UNTRACK;
  return roll < 7 ? UNTRACK : UPDATE;
}

/* Lets the n-th next request for memory fail, or none. */
static void arm(struct world *w, unsigned nth, bool and_after) {
  w->memory.requests = 0;
  w->memory.failed = 0;
  w->memory.fail_at = nth;
  w->memory.and_after = and_after;
}

static void value_edit(struct world *w, struct version *v, unsigned fail_at, bool and_after) {
  enum what what = any_edit(w, &v->model);
  struct presence p = any_presence(w);
  presence_state *out = NULL;
  size_t removed;
  arm(w, fail_at, and_after);
  enum presence_status status = edit_by_value(v->state, what, p, &out);
  bool failed = w->memory.failed > 0;
  arm(w, 0, false);
  if (failed && status == PRESENCE_OUT_OF_MEMORY) {
    LAW(out == NULL);
    check_edit(v->state, &v->model, p);
    return;
  }
  enum presence_status wanted = expect(&v->model, what, p, &removed);
  LAW(status == wanted);
  if (wanted == PRESENCE_NO_PRESENCE) return;
  LAW((out == v->state) == (wanted == PRESENCE_UNCHANGED));
  presence_state_release(v->state);
  v->state = out;
  check_edit(v->state, &v->model, p);
}

/* Edits by an editor, with snapshots and resets between them. */
static void editor_session(struct world *w, struct version *v, struct version *other) {
  presence_editor *editor = presence_editor_open(v->state);
  LAW(editor != NULL);
  for (unsigned edits = input_below(&w->in, 32); edits > 0 && input_left(&w->in); edits--) {
    unsigned roll = input_below(&w->in, 16);
    if (roll == 0) {
      forget(other);
      other->state = presence_editor_snapshot(editor);
      model_copy(&other->model, &v->model);
    } else if (roll == 1) {
      presence_editor_reset(editor, other->state);
      free(v->model.at);
      model_copy(&v->model, &other->model);
    } else {
      enum what what = any_edit(w, &v->model);
      struct presence p = any_presence(w);
      size_t removed = 99, wanted_removed;
      arm(w, roll == 2 ? 1 + input_below(&w->in, 12) : 0, false);
      enum presence_status status = edit_by_editor(editor, what, p, &removed);
      bool failed = w->memory.failed > 0;
      arm(w, 0, false);
      if (!failed || status != PRESENCE_OUT_OF_MEMORY) {
        LAW(status == expect(&v->model, what, p, &wanted_removed));
        LAW(what != UNTRACK || removed == wanted_removed);
      }
      /* A look clears the editor's memo of its last topic: not after every edit. */
      if (roll > 12 || failed) check_edit(presence_editor_state(editor), &v->model, p);
    }
  }
  presence_state_release(v->state);
  v->state = presence_editor_close(editor);
  check_version(v);
  check_version(other);
}

/* A state of the same content, put in in another order, is equal and walks in the same order. */
static void rebuild(struct world *w, const struct version *v) {
  presence_state *again = presence_state_new(w->heap), *next;
  LAW(again != NULL);
  for (unsigned i = v->model.count; i > 0; i--) {
    LAW(edit_by_value(again, TRACK, v->model.at[i - 1], &next) == PRESENCE_OK);
    presence_state_release(again);
    again = next;
  }
  LAW_NO_FAULT(presence__check(again, NULL));
  LAW(presence_equal(again, v->state) && presence_equal(v->state, again));
  for (unsigned topic = 0; topic < MODEL_TOPICS; topic++) {
    struct names n;
    presence_string name = model_topic(&n, topic), key, same;
    presence_entry_iter a, b;
    presence_entry_iter_init(&a, presence_find_topic(again, name));
    presence_entry_iter_init(&b, presence_find_topic(v->state, name));
    while (presence_entry_iter_next(&a, &key)) {
      LAW(presence_entry_iter_next(&b, &same) != NULL);
      LAW(same_bytes(key.bytes, key.size, same.bytes, same.size));
    }
    LAW(presence_entry_iter_next(&b, &same) == NULL);
  }
  presence_state_release(again);
}

/* A topic alone, and a walk of it that starts anew behind every key. */
static void read_topic(struct world *w, const struct version *v) {
  struct names n;
  presence_string name = model_topic(&n, input_below(&w->in, MODEL_TOPICS)), key = {NULL, 0};
  presence_state *alone = presence_state_of_topic(v->state, name);
  LAW(alone != NULL);
  LAW_NO_FAULT(presence__check(alone, NULL));
  const presence_topic *topic = presence_find_topic(alone, name);
  LAW(topic == presence_find_topic(v->state, name));
  size_t seen = 0, metas = 0;
  presence_entry_iter iter;
  presence_entry_iter_init(&iter, topic);
  for (const presence_entry *entry; (entry = presence_entry_iter_next(&iter, &key)); seen++) {
    LAW(entry == presence_topic_get(topic, key));
    metas += presence_entry_count(entry);
    for (size_t i = 0; i < presence_entry_count(entry); i++)
      LAW(presence_entry_find(entry, presence_meta_pid(presence_entry_at(entry, i))) != NULL);
    presence_entry_iter_seek(&iter, topic, key);
  }
  LAW(seen == presence_topic_count(topic));
  LAW(metas == presence_topic_connections(topic));
  presence_state_release(alone);
}

static void step(struct world *w) {
  unsigned roll = input_byte(&w->in);
  struct version *v = &w->version[roll & 3], *other = &w->version[(roll >> 2) & 3];
  switch (roll >> 4) {
  case 0:
    become(v, other);
    break;
  case 1:
  case 2:
    if (v != other) editor_session(w, v, other);
    break;
  case 3:
    rebuild(w, v);
    break;
  case 4:
    read_topic(w, v);
    break;
  case 5:
    LAW(presence_equal(v->state, other->state) ==
        (model_lacks(&v->model, &other->model) + model_lacks(&other->model, &v->model) == 0));
    break;
  case 6:
    (void)presence_heap_work(w->heap, input_below(&w->in, 16));
    break;
  case 7:
  case 8:
    value_edit(w, v, 1 + input_below(&w->in, 12), roll & 4);
    break;
  default:
    value_edit(w, v, 0, false);
  }
}

static void begin(struct world *w) {
  static const uint64_t masks[] = {UINT64_MAX, 0, 7, 0x1000000000000001u, 0xff00000000000000u};
  static const unsigned char seed[16] = {1, 2, 3};
  unsigned roll = input_byte(&w->in);
  presence__hash_weaken(seed, masks[roll % 5]);
  w->heap = memory_heap(&w->memory, roll & 128);
  LAW(w->heap != NULL);
  for (unsigned i = 0; i < versions; i++) {
    w->version[i].state = presence_state_new(w->heap);
    model_init(&w->version[i].model);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  struct world *w = calloc(1, sizeof *w);
  w->in = (struct input){bytes, bytes + size};
  begin(w);
  while (input_left(&w->in))
    step(w);
  for (unsigned i = 0; i < versions; i++) {
    check_version(&w->version[i]);
    forget(&w->version[i]);
  }
  presence_heap_free(w->heap);
  LAW(w->memory.blocks_alive == 0);
  free(w);
  return 0;
}
