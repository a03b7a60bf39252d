/* What every edit goes through, laid out in each: calls and the passing of structs would be a third
   of its cost. Edits are one file a kind: track, untrack, update (and take over), group (join and
   leave). */
#ifndef PRESENCE_CORE_EDIT_H
#define PRESENCE_CORE_EDIT_H

#include "core/state.h"
#include "core/suffix.h"
#include "text/utf8.h"

struct presence_editor {
  presence_state *state;       /* shared while a snapshot of this very version is held */
  struct presence_topic *memo; /* the topic edited last; it and its path are the state's alone */
};

/* What is edited: a state that stays as it is, *out becoming the new one; or, when in_place, a
   state that nobody else holds. */
struct presence__target {
  const presence_state *state;
  presence_state *in_place;
  struct presence_topic **memo; /* the topic edited last, held by in_place alone; NULL: no memo */
  presence_state *out;
};

/* A meta to be tracked or put in place of another. */
struct presence__want {
  presence_string topic;
  presence_string key;
  presence_pid pid;
  presence_string meta;
  presence_string ref;
  bool is_runtime; /* a JSON object with a ref, at most once under its pid */
};

/* ---- Targets ---- */

/* Leaves a shared state to the others; false: out of memory. */
bool presence__editor_part(presence_editor *editor);

/* The editor's state as something to edit in place; false: out of memory. */
PRESENCE__FAST bool presence__aim(presence_editor *editor, struct presence__target *target) {
  bool shared = !presence__refs_is_one(&editor->state->refs);
  if (__builtin_expect(shared, false) && !presence__editor_part(editor)) return false;
  *target = (struct presence__target){editor->state, editor->state, &editor->memo, NULL};
  return true;
}

/* A state of which another is to be made. */
PRESENCE__FAST struct presence__target presence__aim_at_copy(const presence_state *state) {
  return (struct presence__target){state, NULL, NULL, NULL};
}

/* What an edit by value gives back. */
PRESENCE__FAST enum presence_status presence__finish(const struct presence__target *target,
                                                     enum presence_status status,
                                                     presence_state **out) {
  if (status == PRESENCE_OK) *out = target->out;
  if (status == PRESENCE_UNCHANGED) *out = presence_state_retain(target->state);
  return status;
}

/* ---- Checks ---- */

/* Is it one JSON value? */
enum presence_status presence__check_meta(presence_string meta);

PRESENCE__FAST enum presence_status presence__check_name(presence_string name) {
  /* Short names of ASCII need no call. */
  if (name.size - 8 <= 8 &&
      ((presence__load8(name.bytes) | presence__load8(name.bytes + name.size - 8)) &
       0x8080808080808080u) == 0)
    return PRESENCE_OK;
  return presence__utf8_valid(name.bytes, name.size) ? PRESENCE_OK : PRESENCE_NOT_UTF8;
}

/* What is wrong with meta and ref by themselves. */
PRESENCE__FAST enum presence_status presence__check_content(const struct presence__want *want) {
  if (!want->is_runtime) return presence__check_meta(want->meta);
  return presence__suffix_check(want->meta, want->ref);
}

/* True when count more metas would be more than can be counted. */
PRESENCE__FAST bool presence__is_full(const struct presence__place *place, size_t count) {
  uint32_t metas = place->topic ? place->topic->metas : 0;
  return count > UINT32_MAX - metas;
}

/* ---- Places ---- */

PRESENCE__FAST struct presence__place presence__find(const struct presence__target *target,
                                                     presence_string topic, presence_string key,
                                                     struct presence__paths *paths) {
  return presence__place_of(target->state, topic, key, target->memo ? *target->memo : NULL, paths);
}

/* What is wrong with a place's names where it is to be added to: those that are there already have
   been checked. */
PRESENCE__FAST enum presence_status presence__check_names(const struct presence__place *place) {
  enum presence_status status =
      place->topic ? PRESENCE_OK : presence__check_name(place->topic_name);
  return status == PRESENCE_OK && !place->entry ? presence__check_name(place->key) : status;
}

PRESENCE__FAST bool presence__are_too_large(presence_string topic, presence_string key) {
  return topic.size > PRESENCE_MAX_NAME_BYTES || key.size > PRESENCE_MAX_NAME_BYTES;
}

/* A reference of one's own to the entry of a place. */
PRESENCE__FAST presence__slot presence__own_entry(const struct presence__place *place) {
  return place->entry ? presence__retain(place->entry) : 0;
}

/* Part of the next. By value: what is passed by its address could not stay in registers where keys
   are short. */
presence_meta *presence__make_record_of_long_key(presence_heap *heap, struct presence__place place,
                                                 struct presence__name pid, presence_string meta,
                                                 presence_string suffix, size_t *size);

/* The record that a track or update puts. */
PRESENCE__FAST enum presence_status
presence__make_record(presence_heap *heap, const struct presence__place *place,
                      const struct presence__want *want, const struct presence__name *pid,
                      presence_string old_ref, presence_meta **out, size_t *size) {
  struct presence__suffix suffix;
  suffix.size = 0;
  if (want->is_runtime) presence__suffix_write(&suffix, want->meta, want->ref, old_ref);
  const presence_string behind = {suffix.bytes, suffix.size};
  if (__builtin_expect(place->key.size > PRESENCE__SHORT_KEY_BYTES, false)) {
    size_t bytes = 0;
    *out = presence__make_record_of_long_key(heap, *place, *pid, want->meta, behind, &bytes);
    *size = bytes;
  } else {
    struct presence__parts parts = {place->key, place->key_hash, pid, want->meta, behind, 0};
    *out = presence__record_inline(heap, &parts, size);
  }
  return *out ? PRESENCE_OK : PRESENCE_OUT_OF_MEMORY;
}

/* ---- Ends ---- */

/* Puts a new entry (*taken* in any case; 0: none) at a place. */
PRESENCE__FAST enum presence_status presence__commit(struct presence__target *target,
                                                     struct presence__place *place,
                                                     presence__slot entry,
                                                     struct presence__tally tally) {
  presence_heap *heap = target->state->heap;
  presence_state *state = target->in_place;
  if (!state && (state = presence__state_copy(target->state)))
    presence__path_rebase(&place->paths->topic, &state->root);
  bool done = state && presence__place_put(state, place, entry, tally);
  if (done) {
    if (target->memo) *target->memo = place->topic;
    target->out = state;
  } else {
    presence__release(heap, entry);
    if (state && !target->in_place) presence__state_bury(state);
  }
  presence__heap_pay(heap);
  return done ? PRESENCE_OK : PRESENCE_OUT_OF_MEMORY;
}

/* Drops what an edit that ran out of memory left, or ends one that changed nothing. */
PRESENCE__FAST enum presence_status presence__give_up(presence_heap *heap, presence__slot entry,
                                                      enum presence_status status) {
  presence__release(heap, entry);
  presence__heap_pay(heap);
  return status;
}

#endif
