/* The topic of a place: found, added, removed, and made the state's own. */
#include "core/state.h"

struct presence_topic *presence__locate_topic(const presence_state *state, presence_string name,
                                              struct presence__path *path, uint64_t *hash) {
  struct presence__probe probe = presence__probe_inline(name);
  *hash = probe.hash;
  /* The path is only followed for writing by place_put, on a state that may be edited. */
  presence__slot *root = (presence__slot *)&state->root;
  return presence__object(presence__trie_locate_inline(root, &probe, path));
}

struct presence_topic *presence__add_topic(presence_state *state, struct presence__place place,
                                           presence__slot entry, struct presence__tally tally) {
  presence_heap *heap = state->heap;
  struct presence__text *name = presence__text_new(heap, place.topic_name);
  struct presence_topic *topic = name ? presence__take(heap, sizeof *topic) : NULL;
  if (topic) {
    *topic = (struct presence_topic){1,
                                     (uint32_t)(place.topic_hash >> 32),
                                     entry,
                                     1,
                                     (uint32_t)tally.metas,
                                     (uint64_t)tally.bytes,
                                     name};
    presence__slot leaf = presence__slot_of(topic, PRESENCE__TOPIC);
    if (presence__trie_insert(heap, &place.paths->topic, place.topic_hash, leaf)) {
      state->topics++;
      return topic;
    }
    presence__give(heap, topic, sizeof *topic);
  }
  if (name) presence__text_release(heap, name);
  return NULL;
}

bool presence__remove_topic(presence_state *state, struct presence__place place) {
  struct presence__path *path = &place.paths->topic;
  if (place.topic_is_owned)
    presence__locate_topic(state, place.topic_name, path, &place.topic_hash);
  if (!presence__trie_remove(state->heap, path, place.topic_hash)) return false;
  state->topics--;
  return true;
}

struct presence_topic *presence__own_topic(presence_state *state, struct presence_topic *old,
                                           struct presence__paths *paths) {
  if (presence__path_is_unique(&paths->topic)) return old;
  presence_heap *heap = state->heap;
  struct presence_topic *topic = presence__take(heap, sizeof *topic);
  if (!topic) return NULL;
  presence__refs_init(&topic->refs);
  /* All behind the count, which others may be changing. */
  memcpy((char *)topic + sizeof topic->refs, (const char *)old + sizeof old->refs,
         sizeof *topic - sizeof topic->refs);
  presence__retain(topic->root);
  presence__refs_up(&topic->name->refs);
  presence__slot leaf = presence__slot_of(topic, PRESENCE__TOPIC);
  if (!presence__trie_replace(heap, &paths->topic, leaf)) {
    presence__release(heap, leaf);
    return NULL;
  }
  presence__path_rebase(&paths->key, &topic->root);
  return topic;
}
