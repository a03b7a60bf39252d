/* States edited by value (a new state each time) and by handle (in place where nobody looks). */
#include "core/edit.h"

struct presence_editor {
  presence_state *state;       /* shared while a snapshot of this very version is held */
  struct presence_topic *memo; /* the topic edited last; it and its path are the state's alone */
};

/* ---- By value ---- */

/* What an edit by value gives back. */
static enum presence_status finish(const struct presence__target *target,
                                   enum presence_status status, presence_state **out) {
  if (status == PRESENCE_OK) *out = target->out;
  if (status == PRESENCE_UNCHANGED) *out = presence_state_retain(target->state);
  return status;
}

enum presence_status presence_track(const presence_state *state, presence_string topic,
                                    presence_string key, presence_pid pid, presence_string meta,
                                    presence_state **out) {
  struct presence__target target = {state, NULL, NULL, NULL};
  struct presence__want want = {topic, key, pid, meta, {NULL, 0}, false};
  return finish(&target, presence__edit_track(&target, &want), out);
}

enum presence_status presence_untrack(const presence_state *state, presence_string topic,
                                      presence_string key, presence_pid pid, presence_state **out) {
  struct presence__target target = {state, NULL, NULL, NULL};
  size_t removed;
  return finish(&target, presence__edit_untrack(&target, topic, key, pid, &removed), out);
}

enum presence_status presence_update(const presence_state *state, presence_string topic,
                                     presence_string key, presence_pid pid, presence_string meta,
                                     presence_state **out) {
  struct presence__target target = {state, NULL, NULL, NULL};
  struct presence__want want = {topic, key, pid, meta, {NULL, 0}, false};
  return finish(&target, presence__edit_update(&target, &want), out);
}

/* ---- By handle ---- */

presence_editor *presence_editor_open(const presence_state *state) {
  presence_editor *editor = presence__take(state->heap, sizeof *editor);
  if (!editor) return NULL;
  editor->state = presence_state_retain(state);
  editor->memo = NULL;
  return editor;
}

presence_state *presence_editor_close(presence_editor *editor) {
  presence_state *state = editor->state;
  presence__give(state->heap, editor, sizeof *editor);
  return state;
}

void presence_editor_discard(presence_editor *editor) {
  if (editor) presence_state_release(presence_editor_close(editor));
}

const presence_state *presence_editor_state(presence_editor *editor) {
  /* Whoever looks may derive states from it, and these would share what the memo leads to. */
  editor->memo = NULL;
  return editor->state;
}

presence_state *presence_editor_snapshot(presence_editor *editor) {
  return presence_state_retain(presence_editor_state(editor));
}

void presence_editor_reset(presence_editor *editor, const presence_state *state) {
  presence_state *old = editor->state;
  editor->state = presence_state_retain(state);
  editor->memo = NULL;
  presence_state_release(old);
}

/* Leaves a shared state to the others; false: out of memory. */
static bool part(presence_editor *editor) {
  presence_state *shared = editor->state, *copy = presence__state_copy(shared);
  if (!copy) return false;
  if (presence__refs_down_shared(&shared->refs)) presence__state_bury(shared);
  editor->state = copy;
  editor->memo = NULL;
  return true;
}

/* The editor's state as something to edit in place; false: out of memory. */
static bool aim(presence_editor *editor, struct presence__target *target) {
  bool shared = !presence__refs_is_one(&editor->state->refs);
  if (__builtin_expect(shared, false) && !part(editor)) return false;
  *target = (struct presence__target){editor->state, editor->state, &editor->memo, NULL};
  return true;
}

static enum presence_status track(presence_editor *editor, const struct presence__want *want) {
  struct presence__target target;
  if (!aim(editor, &target)) return PRESENCE_OUT_OF_MEMORY;
  return presence__edit_track(&target, want);
}

static enum presence_status update(presence_editor *editor, const struct presence__want *want) {
  struct presence__target target;
  if (!aim(editor, &target)) return PRESENCE_OUT_OF_MEMORY;
  return presence__edit_update(&target, want);
}

enum presence_status presence_editor_track(presence_editor *editor, presence_string topic,
                                           presence_string key, presence_pid pid,
                                           presence_string meta) {
  struct presence__want want = {topic, key, pid, meta, {NULL, 0}, false};
  return track(editor, &want);
}

enum presence_status presence_editor_update(presence_editor *editor, presence_string topic,
                                            presence_string key, presence_pid pid,
                                            presence_string meta) {
  struct presence__want want = {topic, key, pid, meta, {NULL, 0}, false};
  return update(editor, &want);
}

enum presence_status presence_editor_track_ref(presence_editor *editor, presence_string topic,
                                               presence_string key, presence_pid pid,
                                               presence_string meta, presence_string ref) {
  struct presence__want want = {topic, key, pid, meta, ref, true};
  return track(editor, &want);
}

enum presence_status presence_editor_update_ref(presence_editor *editor, presence_string topic,
                                                presence_string key, presence_pid pid,
                                                presence_string meta, presence_string ref) {
  struct presence__want want = {topic, key, pid, meta, ref, true};
  return update(editor, &want);
}

enum presence_status presence_editor_take_over_ref(presence_editor *editor, presence_string topic,
                                                   presence_string key, presence_pid old_pid,
                                                   presence_pid pid, presence_string meta,
                                                   presence_string ref) {
  struct presence__want want = {topic, key, pid, meta, ref, true};
  struct presence__target target;
  if (!aim(editor, &target)) return PRESENCE_OUT_OF_MEMORY;
  return presence__edit_take_over(&target, &want, old_pid);
}

enum presence_status presence_editor_untrack(presence_editor *editor, presence_string topic,
                                             presence_string key, presence_pid pid,
                                             size_t *removed) {
  struct presence__target target;
  size_t unwanted;
  if (!aim(editor, &target)) return PRESENCE_OUT_OF_MEMORY;
  return presence__edit_untrack(&target, topic, key, pid, removed ? removed : &unwanted);
}

enum presence_status presence_editor_join(presence_editor *editor, presence_string topic,
                                          presence_string key, const presence_entry *entry) {
  struct presence__target target;
  if (!aim(editor, &target)) return PRESENCE_OUT_OF_MEMORY;
  return presence__edit_join(&target, topic, key, entry);
}

enum presence_status presence_editor_leave(presence_editor *editor, presence_string topic,
                                           presence_string key, const presence_entry *entry,
                                           size_t *removed) {
  struct presence__target target;
  size_t unwanted;
  if (!aim(editor, &target)) return PRESENCE_OUT_OF_MEMORY;
  return presence__edit_leave(&target, topic, key, entry, removed ? removed : &unwanted);
}

const presence_meta *presence_editor_get(presence_editor *editor, presence_string topic,
                                         presence_string key, presence_pid pid) {
  struct presence__pid own;
  if (presence__pid_init(&own, pid) != PRESENCE_OK) return NULL;
  struct presence__place place;
  presence__place_find(&place, editor->state, topic, key, editor->memo);
  return place.entry ? presence__entry_find(place.entry, &own.name) : NULL;
}
