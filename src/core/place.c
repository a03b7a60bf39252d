/* The topic of a place: found, added, removed, and made the state's own. */
#include "core/state.h"

void presence__place_find_topic(struct presence__place *place, const presence_state *state) {
  struct presence__probe probe = presence__probe_inline(place->topic_name);
  place->topic_hash = probe.hash;
  /* The path is only followed for writing by place_put, on a state that may be edited. */
  presence__slot *root = (presence__slot *)&state->root;
  place->topic = presence__object(presence__trie_locate(root, &probe, &place->topic_path));
}

static struct presence__text *new_name(presence_heap *heap, presence_string name) {
  struct presence__text *text = presence__take(heap, sizeof *text + name.size);
  if (!text) return NULL;
  presence__refs_init(&text->refs);
  text->size = (uint32_t)name.size;
  if (name.size) memcpy(text->bytes, name.bytes, name.size);
  return text;
}

bool presence__place_add_topic(presence_state *state, struct presence__place *place,
                               presence__slot entry, const struct presence__tally *tally) {
  presence_heap *heap = state->heap;
  struct presence__text *name = new_name(heap, place->topic_name);
  struct presence_topic *topic = name ? presence__take(heap, sizeof *topic) : NULL;
  if (topic) {
    *topic = (struct presence_topic){1,
                                     (uint32_t)(place->topic_hash >> 32),
                                     entry,
                                     1,
                                     (uint32_t)tally->metas,
                                     (uint64_t)tally->bytes,
                                     name};
    presence__slot leaf = presence__slot_of(topic, PRESENCE__TOPIC);
    if (presence__trie_insert(heap, &place->topic_path, place->topic_hash, leaf)) {
      place->topic = topic;
      state->topics++;
      return true;
    }
    presence__give(heap, topic, sizeof *topic);
  }
  if (name) presence__give(heap, name, sizeof *name + name->size);
  return false;
}

bool presence__place_remove_topic(presence_state *state, struct presence__place *place) {
  if (place->topic_is_owned) presence__place_find_topic(place, state);
  if (!presence__trie_remove(state->heap, &place->topic_path)) return false;
  place->topic = NULL;
  state->topics--;
  return true;
}

bool presence__place_own_topic(presence_state *state, struct presence__place *place) {
  if (presence__path_is_unique(&place->topic_path)) return true;
  presence_heap *heap = state->heap;
  struct presence_topic *old = place->topic;
  struct presence_topic *topic = presence__take(heap, sizeof *topic);
  if (!topic) return false;
  presence__refs_init(&topic->refs);
  /* All behind the count, which others may be changing. */
  memcpy((char *)topic + sizeof topic->refs, (const char *)old + sizeof old->refs,
         sizeof *topic - sizeof topic->refs);
  presence__retain(topic->root);
  presence__refs_up(&topic->name->refs);
  presence__slot leaf = presence__slot_of(topic, PRESENCE__TOPIC);
  if (!presence__trie_replace(heap, &place->topic_path, leaf)) {
    presence__release(heap, leaf);
    return false;
  }
  place->topic = topic;
  presence__path_rebase(&place->key_path, &topic->root);
  return true;
}

void presence__place_rebase(struct presence__place *place, presence_state *copy) {
  presence__path_rebase(&place->topic_path, &copy->root);
}
