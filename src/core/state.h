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

/* The part of the next that searches the topic. */
void presence__place_find_topic(struct presence__place *place, const presence_state *state);

/* Fills *place. owned, when not NULL, is a topic of the state that nothing else holds: should it be
   the one, it is not searched. */
PRESENCE__FAST void presence__place_find(struct presence__place *place, const presence_state *state,
                                         presence_string topic, presence_string key,
                                         struct presence_topic *owned) {
  place->topic_name = topic;
  place->key = key;
  place->topic_is_owned = owned && owned->name->size == topic.size &&
                          presence__bytes_equal(owned->name->bytes, topic.bytes, topic.size);
  place->topic = owned;
  if (!place->topic_is_owned) presence__place_find_topic(place, state);
  struct presence__probe probe = presence__probe_inline(key);
  place->key_hash = probe.hash;
  place->entry = 0;
  if (place->topic)
    place->entry = presence__trie_locate_inline(&place->topic->root, &probe, &place->key_path);
}

/* The place is to be used on a copy that was made after it was found. */
void presence__place_rebase(struct presence__place *place, presence_state *copy);

/* Parts of the next. A topic of one key joins the state; a topic leaves it; the topic's object and
   the way to it become the state's own. False: out of memory. */
bool presence__place_add_topic(presence_state *state, struct presence__place *place,
                               presence__slot entry, const struct presence__tally *tally);
bool presence__place_remove_topic(presence_state *state, struct presence__place *place);
bool presence__place_own_topic(presence_state *state, struct presence__place *place);

/* Puts an entry (*taken* on success; 0: none) at a place found in this very state, which nobody
   else may hold, and changes the counts by tally. On success place->topic is the topic, held by
   this state alone, or NULL when it is gone. False: out of memory, and the content is as before. */
PRESENCE__FAST bool presence__place_put(presence_state *state, struct presence__place *place,
                                        presence__slot entry, const struct presence__tally *tally) {
  presence_heap *heap = state->heap;
  if (!place->topic) return presence__place_add_topic(state, place, entry, tally);
  if (!entry && place->topic->keys == 1) return presence__place_remove_topic(state, place);
  if (!place->topic_is_owned && !presence__place_own_topic(state, place)) return false;
  struct presence_topic *topic = place->topic;
  if (!entry) {
    if (!presence__trie_remove(heap, &place->key_path)) return false;
    topic->keys--;
  } else if (place->entry) {
    if (!presence__trie_replace(heap, &place->key_path, entry)) return false;
  } else {
    if (!presence__trie_insert_inline(heap, &place->key_path, place->key_hash, entry)) return false;
    topic->keys++;
  }
  topic->metas = (uint32_t)(topic->metas + tally->metas);
  topic->bytes = (uint64_t)((int64_t)topic->bytes + tally->bytes);
  return true;
}

#endif
