/* Untracking, by value and by handle. */
#include "core/edit.h"

PRESENCE__FAST enum presence_status untrack(struct presence__target *target, presence_string topic,
                                            presence_string key, presence_pid pid,
                                            size_t *removed) {
  struct presence__pid own;
  *removed = 0;
  enum presence_status status = presence__pid_init(&own, pid);
  if (status != PRESENCE_OK) return status == PRESENCE_TOO_LARGE ? PRESENCE_UNCHANGED : status;
  presence_heap *heap = target->state->heap;
  struct presence__paths paths;
  struct presence__place place = presence__find(target, topic, key, &paths);
  if (!place.entry) return PRESENCE_UNCHANGED;
  struct presence__tally tally = {0, 0};
  if (presence__tag_of(place.entry) == PRESENCE__RECORD) {
    /* By far the most frequent. */
    const presence_meta *record = presence__object(place.entry);
    struct presence__name only = presence__record_pid(record);
    if (!presence__names_equal(&only, &own.name)) return PRESENCE_UNCHANGED;
    tally = (struct presence__tally){-1, -(int64_t)presence__record_size(record)};
    status = presence__commit(target, &place, 0, tally);
    if (status == PRESENCE_OK) *removed = 1;
    return status;
  }
  presence__slot entry = presence__own_entry(&place);
  if (!presence__entry_remove_pid(heap, &entry, &own.name, &tally))
    return presence__give_up(heap, entry, PRESENCE_OUT_OF_MEMORY);
  if (tally.metas == 0) return presence__give_up(heap, entry, PRESENCE_UNCHANGED);
  status = presence__commit(target, &place, entry, tally);
  if (status == PRESENCE_OK) *removed = (size_t)-tally.metas;
  return status;
}

enum presence_status presence_untrack(const presence_state *state, presence_string topic,
                                      presence_string key, presence_pid pid, presence_state **out) {
  struct presence__target target = presence__aim_at_copy(state);
  size_t removed;
  return presence__finish(&target, untrack(&target, topic, key, pid, &removed), out);
}

enum presence_status presence_editor_untrack(presence_editor *editor, presence_string topic,
                                             presence_string key, presence_pid pid,
                                             size_t *removed) {
  size_t unwanted;
  struct presence__target target;
  if (!presence__aim(editor, &target)) return PRESENCE_OUT_OF_MEMORY;
  return untrack(&target, topic, key, pid, removed ? removed : &unwanted);
}
