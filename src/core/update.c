/* One meta in the place of another: of the same pid, or of the connection that it takes over. */
#include "core/edit.h"

PRESENCE__FAST enum presence_status update(struct presence__target *target,
                                           const struct presence__want *want) {
  struct presence__pid pid;
  enum presence_status status = presence__pid_init(&pid, want->pid);
  if (status == PRESENCE_OK) status = presence__check_content(want);
  if (status != PRESENCE_OK) return status;
  presence_heap *heap = target->state->heap;
  struct presence__paths paths;
  struct presence__place place = presence__find(target, want->topic, want->key, &paths);
  const presence_meta *old = place.entry ? presence__entry_find(place.entry, &pid.name) : NULL;
  if (!old) return PRESENCE_NO_PRESENCE;
  presence_string data = presence_meta_data(old);
  if (data.size == want->meta.size && memcmp(data.bytes, want->meta.bytes, data.size) == 0)
    return PRESENCE_UNCHANGED;
  presence_meta *record;
  size_t size;
  status =
      presence__make_record(heap, &place, want, &pid.name, presence_meta_ref(old), &record, &size);
  if (status != PRESENCE_OK) return status;
  struct presence__tally tally = {0, 0};
  presence__slot entry = presence__own_entry(&place);
  bool done = presence__entry_replace(heap, &entry, record, &tally);
  presence__release(heap, presence__slot_of(record, PRESENCE__RECORD));
  if (!done) return presence__give_up(heap, entry, PRESENCE_OUT_OF_MEMORY);
  return presence__commit(target, &place, entry, tally);
}

static enum presence_status take_over(struct presence__target *target,
                                      const struct presence__want *want, presence_pid old_pid) {
  struct presence__pid pid;
  struct presence__pid from;
  enum presence_status status = presence__pid_init(&pid, want->pid);
  if (status == PRESENCE_OK) status = presence__pid_init(&from, old_pid);
  if (status == PRESENCE_OK) status = presence__check_content(want);
  if (status != PRESENCE_OK) return status;
  presence_heap *heap = target->state->heap;
  struct presence__paths paths;
  struct presence__place place = presence__find(target, want->topic, want->key, &paths);
  const presence_meta *old = place.entry ? presence__entry_find(place.entry, &from.name) : NULL;
  if (!old) return PRESENCE_NO_PRESENCE;
  if (presence__entry_find(place.entry, &pid.name)) return PRESENCE_ALREADY_TRACKED;
  presence_meta *record;
  size_t size;
  status =
      presence__make_record(heap, &place, want, &pid.name, presence_meta_ref(old), &record, &size);
  if (status != PRESENCE_OK) return status;
  struct presence__tally tally = {0, 0};
  presence__slot entry = presence__own_entry(&place);
  bool done = presence__entry_add(heap, &entry, record, &tally) &&
              presence__entry_remove_pid(heap, &entry, &from.name, &tally);
  presence__release(heap, presence__slot_of(record, PRESENCE__RECORD));
  if (!done) return presence__give_up(heap, entry, PRESENCE_OUT_OF_MEMORY);
  return presence__commit(target, &place, entry, tally);
}

enum presence_status presence_update(const presence_state *state, presence_string topic,
                                     presence_string key, presence_pid pid, presence_string meta,
                                     presence_state **out) {
  struct presence__target target = presence__aim_at_copy(state);
  struct presence__want want = {topic, key, pid, meta, {NULL, 0}, false};
  return presence__finish(&target, update(&target, &want), out);
}

enum presence_status presence_editor_update(presence_editor *editor, presence_string topic,
                                            presence_string key, presence_pid pid,
                                            presence_string meta) {
  struct presence__want want = {topic, key, pid, meta, {NULL, 0}, false};
  struct presence__target target;
  if (!presence__aim(editor, &target)) return PRESENCE_OUT_OF_MEMORY;
  return update(&target, &want);
}

enum presence_status presence_editor_update_ref(presence_editor *editor, presence_string topic,
                                                presence_string key, presence_pid pid,
                                                presence_string meta, presence_string ref) {
  struct presence__want want = {topic, key, pid, meta, ref, true};
  struct presence__target target;
  if (!presence__aim(editor, &target)) return PRESENCE_OUT_OF_MEMORY;
  return update(&target, &want);
}

enum presence_status presence_editor_take_over_ref(presence_editor *editor, presence_string topic,
                                                   presence_string key, presence_pid old_pid,
                                                   presence_pid pid, presence_string meta,
                                                   presence_string ref) {
  struct presence__want want = {topic, key, pid, meta, ref, true};
  struct presence__target target;
  if (!presence__aim(editor, &target)) return PRESENCE_OUT_OF_MEMORY;
  return take_over(&target, &want, old_pid);
}
