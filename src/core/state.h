/* States, and the one way in which they are edited. */
#ifndef PRESENCE_CORE_STATE_H
#define PRESENCE_CORE_STATE_H

#include "core/entry.h"
#include "core/trie.h"

struct presence_state {
  presence__refcount refs;
  uint32_t topics;
  presence_heap *heap;
  presence__slot root; /* of the trie of topics */
};

/* A *new* state that shares everything with state; NULL: out of memory. O(1). */
presence_state *presence__state_copy(const presence_state *state);

/* Frees a state whose count has come to 0, and gives up what it held. */
void presence__state_bury(presence_state *state);

/* Where (topic, key) stands in a state, found but not yet touched. */
struct presence__place {
  presence_string topic_name;
  presence_string key;
  uint64_t topic_hash;
  uint64_t key_hash;
  struct presence_topic *topic; /* NULL: nobody is on it */
  presence__slot entry;         /* 0: the key is not there; *borrowed* */
  bool topic_is_owned;          /* known to be held by this state alone, without its path */
  struct presence__path topic_path;
  struct presence__path key_path;
};

/* Fills *place. owned, when not NULL, is a topic of the state that nothing else holds: should it be
   the one, it is not searched. */
void presence__place_find(struct presence__place *place, const presence_state *state,
                          presence_string topic, presence_string key, struct presence_topic *owned);

/* The place is to be used on a copy that was made after it was found. */
void presence__place_rebase(struct presence__place *place, presence_state *copy);

/* Puts an entry (*taken* on success; 0: none) at a place found in this very state, which nobody
   else may hold, and changes the counts by tally. On success place->topic is the topic, held by
   this state alone, or NULL when it is gone. False: out of memory, and the content is as before. */
bool presence__place_put(presence_state *state, struct presence__place *place, presence__slot entry,
                         const struct presence__tally *tally);

#endif
