/* Tracking, by value and by handle. */
#include "core/edit.h"

PRESENCE__FAST enum presence_status track(struct presence__target *target,
                                          const struct presence__want *want) {
  struct presence__paths paths;
  struct presence__pid pid;
  if (presence__are_too_large(want->topic, want->key)) return PRESENCE_TOO_LARGE;
  struct presence__place place = presence__find(target, want->topic, want->key, &paths);
  enum presence_status status = presence__check_names(&place);
  if (status == PRESENCE_OK) status = presence__pid_init(&pid, want->pid);
  if (status == PRESENCE_OK) status = presence__check_content(want);
  if (status != PRESENCE_OK) return status;
  presence_heap *heap = target->state->heap;
  if (want->is_runtime && place.entry && presence__entry_find(place.entry, &pid.name))
    return PRESENCE_ALREADY_TRACKED;
  if (presence__is_full(&place, 1)) return PRESENCE_TOO_LARGE;
  presence_meta *record;
  size_t size;
  status = presence__make_record(heap, &place, want, &pid.name, (presence_string){NULL, 0}, &record,
                                 &size);
  if (status != PRESENCE_OK) return status;
  presence__slot slot = presence__slot_of(record, PRESENCE__RECORD);
  if (!place.entry) {
    struct presence__tally one = {1, (int64_t)size};
    return presence__commit(target, &place, slot, one);
  }
  struct presence__tally tally = {0, 0};
  presence__slot entry = presence__own_entry(&place);
  bool done = presence__entry_add(heap, &entry, record, &tally);
  presence__release(heap, slot);
  if (!done) return presence__give_up(heap, entry, PRESENCE_OUT_OF_MEMORY);
  return presence__commit(target, &place, entry, tally);
}

enum presence_status presence_track(const presence_state *state, presence_string topic,
                                    presence_string key, presence_pid pid, presence_string meta,
                                    presence_state **out) {
  struct presence__target target = presence__aim_at_copy(state);
  struct presence__want want = {topic, key, pid, meta, {NULL, 0}, false};
  return presence__finish(&target, track(&target, &want), out);
}

enum presence_status presence_editor_track(presence_editor *editor, presence_string topic,
                                           presence_string key, presence_pid pid,
                                           presence_string meta) {
  struct presence__want want = {topic, key, pid, meta, {NULL, 0}, false};
  struct presence__target target;
  if (!presence__aim(editor, &target)) return PRESENCE_OUT_OF_MEMORY;
  return track(&target, &want);
}

enum presence_status presence_editor_track_ref(presence_editor *editor, presence_string topic,
                                               presence_string key, presence_pid pid,
                                               presence_string meta, presence_string ref) {
  struct presence__want want = {topic, key, pid, meta, ref, true};
  struct presence__target target;
  if (!presence__aim(editor, &target)) return PRESENCE_OUT_OF_MEMORY;
  return track(&target, &want);
}
