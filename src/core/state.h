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

/* The ways to a topic in its state, and to a key in that topic. */
struct presence__paths {
  struct presence__path topic;
  struct presence__path key;
};

/* Where (topic, key) stands in a state, found but not yet touched. Its paths are apart from it, so
   that what is here may stay in registers. */
struct presence__place {
  presence_string topic_name;
  presence_string key;
  uint64_t topic_hash;
  uint64_t key_hash;
  struct presence_topic *topic; /* NULL: nobody is on it */
  presence__slot entry;         /* 0: the key is not there; *borrowed* */
  bool topic_is_owned;          /* known to be held by this state alone, without its path */
  struct presence__paths *paths;
};

/* The topic of a name, *borrowed*, or NULL; fills *path and *hash. */
struct presence_topic *presence__locate_topic(const presence_state *state, presence_string name,
                                              struct presence__path *path, uint64_t *hash);

/* The place of a key, whose ways go into *paths. owned, when not NULL, is a topic of the state that
   nothing else holds: should it be the one, it is not searched. */
PRESENCE__FAST struct presence__place presence__place_of(const presence_state *state,
                                                         presence_string topic, presence_string key,
                                                         struct presence_topic *owned,
                                                         struct presence__paths *paths) {
  struct presence__place place;
  place.topic_name = topic;
  place.key = key;
  place.paths = paths;
  place.topic = owned;
  place.topic_hash = 0;
  place.topic_is_owned = owned && owned->name->size == topic.size &&
                         presence__bytes_equal(owned->name->bytes, topic.bytes, topic.size);
  if (!place.topic_is_owned) {
    uint64_t hash;
    place.topic = presence__locate_topic(state, topic, &paths->topic, &hash);
    place.topic_hash = hash;
  }
  struct presence__probe probe = presence__probe_inline(key);
  place.key_hash = probe.hash;
  place.entry = 0;
  if (place.topic)
    place.entry = presence__trie_locate_inline(&place.topic->root, &probe, &paths->key);
  return place;
}

/* Parts of the next. A topic of one key joins the state, and is returned; a topic leaves it; the
   topic's object, which is returned, and the way to it become the state's own. NULL and false: out
   of memory. */
struct presence_topic *presence__add_topic(presence_state *state, struct presence__place place,
                                           presence__slot entry, struct presence__tally tally);
bool presence__remove_topic(presence_state *state, struct presence__place place);
struct presence_topic *presence__own_topic(presence_state *state, struct presence_topic *old,
                                           struct presence__paths *paths);

/* Puts an entry (*taken* on success; 0: none) at a place found in this very state, which nobody
   else may hold, and changes the counts by tally. On success place->topic is the topic, held by
   this state alone, or NULL when it is gone. False: out of memory, and the content is as before. */
PRESENCE__FAST bool presence__place_put(presence_state *state, struct presence__place *place,
                                        presence__slot entry, struct presence__tally tally) {
  presence_heap *heap = state->heap;
  struct presence_topic *topic = place->topic;
  struct presence__path *path = &place->paths->key;
  if (!topic) {
    place->topic = presence__add_topic(state, *place, entry, tally);
    return place->topic != NULL;
  }
  if (!entry && topic->keys == 1) {
    place->topic = NULL;
    return presence__remove_topic(state, *place);
  }
  if (!place->topic_is_owned) {
    topic = presence__own_topic(state, topic, place->paths);
    if (!topic) return false;
    place->topic = topic;
  }
  if (!entry) {
    bool is_record = presence__tag_of(place->entry) == PRESENCE__RECORD;
    bool done =
        is_record && path->found == PRESENCE__MATCH
            ? presence__trie_remove_record(heap, path, place->key_hash, (size_t)-tally.bytes)
            : presence__trie_remove(heap, path, place->key_hash);
    if (!done) return false;
    topic->keys--;
  } else if (place->entry) {
    if (!presence__trie_replace(heap, path, entry)) return false;
  } else {
    if (!presence__trie_insert_inline(heap, path, place->key_hash, entry)) return false;
    topic->keys++;
  }
  topic->metas = (uint32_t)(topic->metas + tally.metas);
  topic->bytes = (uint64_t)((int64_t)topic->bytes + tally.bytes);
  return true;
}

#endif
