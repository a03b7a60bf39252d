/* Editing a state at a place: the topic's object and the way to it are made the state's own, then
   the trie of its keys is edited, then the counts follow. */
#include "core/state.h"

static bool is_named(const struct presence_topic *topic, presence_string name) {
  return topic->name->size == name.size &&
         presence__bytes_equal(topic->name->bytes, name.bytes, name.size);
}

static void find_topic(struct presence__place *place, const presence_state *state) {
  struct presence__name name = presence__name_of(place->topic_name);
  struct presence__probe probe = presence__probe_of(&name);
  place->topic_hash = probe.hash;
  /* The path is only followed for writing by place_put, on a state that may be edited. */
  presence__slot *root = (presence__slot *)&state->root;
  place->topic = presence__object(presence__trie_locate(root, &probe, &place->topic_path));
}

void presence__place_find(struct presence__place *place, const presence_state *state,
                          presence_string topic, presence_string key,
                          struct presence_topic *owned) {
  place->topic_name = topic;
  place->key = key;
  place->topic_is_owned = owned && is_named(owned, topic);
  if (place->topic_is_owned)
    place->topic = owned;
  else
    find_topic(place, state);
  struct presence__name name = presence__name_of(key);
  struct presence__probe probe = presence__probe_of(&name);
  place->key_hash = probe.hash;
  place->entry = 0;
  if (place->topic)
    place->entry = presence__trie_locate(&place->topic->root, &probe, &place->key_path);
}

static struct presence__text *new_name(presence_heap *heap, presence_string name) {
  struct presence__text *text = presence__take(heap, sizeof *text + name.size);
  if (!text) return NULL;
  presence__refs_init(&text->refs);
  text->size = (uint32_t)name.size;
  if (name.size) memcpy(text->bytes, name.bytes, name.size);
  return text;
}

/* A topic of one key joins the state. */
static bool add_topic(presence_state *state, struct presence__place *place, presence__slot entry,
                      const struct presence__tally *tally) {
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

static bool remove_topic(presence_state *state, struct presence__place *place) {
  if (place->topic_is_owned) find_topic(place, state);
  if (!presence__trie_remove(state->heap, &place->topic_path)) return false;
  place->topic = NULL;
  state->topics--;
  return true;
}

/* Makes the topic's object one that may be written. */
static bool own_topic(presence_state *state, struct presence__place *place) {
  if (place->topic_is_owned || presence__path_is_unique(&place->topic_path)) return true;
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

bool presence__place_put(presence_state *state, struct presence__place *place, presence__slot entry,
                         const struct presence__tally *tally) {
  presence_heap *heap = state->heap;
  if (!place->topic) return add_topic(state, place, entry, tally);
  if (!entry && place->topic->keys == 1) return remove_topic(state, place);
  if (!own_topic(state, place)) return false;
  struct presence_topic *topic = place->topic;
  if (!entry) {
    if (!presence__trie_remove(heap, &place->key_path)) return false;
    topic->keys--;
  } else if (place->entry) {
    if (!presence__trie_replace(heap, &place->key_path, entry)) return false;
  } else {
    if (!presence__trie_insert(heap, &place->key_path, place->key_hash, entry)) return false;
    topic->keys++;
  }
  topic->metas = (uint32_t)(topic->metas + tally->metas);
  topic->bytes = (uint64_t)((int64_t)topic->bytes + tally->bytes);
  return true;
}
