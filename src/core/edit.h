/* The edits themselves, for states and editors alike. */
#ifndef PRESENCE_CORE_EDIT_H
#define PRESENCE_CORE_EDIT_H

#include "core/state.h"

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

enum presence_status presence__edit_track(struct presence__target *target,
                                          const struct presence__want *want);
enum presence_status presence__edit_update(struct presence__target *target,
                                           const struct presence__want *want);
/* Tracks want in the place of what old_pid has there. */
enum presence_status presence__edit_take_over(struct presence__target *target,
                                              const struct presence__want *want,
                                              presence_pid old_pid);
/* Also sets *removed. */
enum presence_status presence__edit_untrack(struct presence__target *target, presence_string topic,
                                            presence_string key, presence_pid pid, size_t *removed);
enum presence_status presence__edit_join(struct presence__target *target, presence_string topic,
                                         presence_string key, const presence_entry *entry);
/* Also sets *removed. */
enum presence_status presence__edit_leave(struct presence__target *target, presence_string topic,
                                          presence_string key, const presence_entry *entry,
                                          size_t *removed);

/* Is it one JSON value? */
enum presence_status presence__check_meta(presence_string meta);

#endif
