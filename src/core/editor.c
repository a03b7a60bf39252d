/* Handles on states that are edited in place where nobody looks. */
#include "core/edit.h"

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

const presence_meta *presence_editor_get(presence_editor *editor, presence_string topic,
                                         presence_string key, presence_pid pid) {
  struct presence__pid own;
  if (presence__pid_init(&own, pid) != PRESENCE_OK) return NULL;
  struct presence__paths paths;
  struct presence__place place =
      presence__place_of(editor->state, topic, key, editor->memo, &paths);
  return place.entry ? presence__entry_find(place.entry, &own.name) : NULL;
}
