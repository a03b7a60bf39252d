#include "core/state.h"

#include "core/walk.h"

presence_state *presence_state_new(presence_heap *heap) {
  presence_state *state = presence__take(heap, sizeof *state);
  if (state) *state = (presence_state){1, 0, heap, 0};
  return state;
}

presence_state *presence__state_copy(const presence_state *state) {
  presence_state *copy = presence_state_new(state->heap);
  if (!copy) return NULL;
  copy->topics = state->topics;
  copy->root = state->root ? presence__retain(state->root) : 0;
  return copy;
}

presence_state *presence_state_retain(const presence_state *state) {
  presence_state *shared = (presence_state *)state;
  presence__refs_up(&shared->refs);
  return shared;
}

void presence__state_bury(presence_state *state) {
  presence__release(state->heap, state->root);
  presence__give(state->heap, state, sizeof *state);
}

void presence_state_release(const presence_state *state) {
  if (!state) return;
  presence_state *shared = (presence_state *)state;
  presence_heap *heap = shared->heap;
  presence__heap_enter(heap);
  if (presence__refs_down(&shared->refs)) presence__state_bury(shared);
  presence__heap_settle(heap);
}

presence_heap *presence_state_heap(const presence_state *state) {
  return state->heap;
}

presence_state *presence_state_of_topic(const presence_state *state, presence_string topic) {
  presence_state *only = presence_state_new(state->heap);
  const presence_topic *found = presence_find_topic(state, topic);
  if (!only || !found) return only;
  only->topics = 1;
  only->root = presence__retain(presence__slot_of(found, PRESENCE__TOPIC));
  return only;
}

/* ---- Looking up ---- */

const presence_topic *presence_find_topic(const presence_state *state, presence_string name) {
  if (!state->root) return NULL;
  struct presence__probe probe = presence__probe_inline(name);
  presence__slot leaf = presence__trie_candidate(state->root, probe.hash);
  if (!leaf) return NULL;
  if (presence__tag_of(leaf) == PRESENCE__COLLISION)
    leaf = presence__trie_find(leaf, &probe);
  else {
    const struct presence_topic *topic = presence__object(leaf);
    if (topic->hash != (uint32_t)(probe.hash >> 32) || topic->name->size != name.size ||
        !presence__bytes_equal(topic->name->bytes, name.bytes, name.size))
      return NULL;
  }
  return presence__object(leaf);
}

presence_string presence_topic_name(const presence_topic *topic) {
  return (presence_string){topic->name->bytes, topic->name->size};
}

size_t presence_topic_count(const presence_topic *topic) {
  return topic ? topic->keys : 0;
}

size_t presence_topic_connections(const presence_topic *topic) {
  return topic ? topic->metas : 0;
}

const presence_entry *presence_topic_get(const presence_topic *topic, presence_string key) {
  if (!topic) return NULL;
  struct presence__probe probe = presence__probe_inline(key);
  presence__slot leaf = presence__trie_candidate(topic->root, probe.hash);
  if (!leaf) return NULL;
  if (presence__tag_of(leaf) == PRESENCE__RECORD) {
    const presence_meta *record = presence__object(leaf);
    bool found = presence__record_is_of(record, (uint32_t)(probe.hash >> 32), key);
    return found ? presence__entry_of(leaf) : NULL;
  }
  /* The leaf by itself is a trie, so this goes on from it. */
  return presence__entry_of(presence__trie_find(leaf, &probe));
}

const presence_entry *presence_get(const presence_state *state, presence_string topic,
                                   presence_string key) {
  return presence_topic_get(presence_find_topic(state, topic), key);
}

size_t presence_count(const presence_state *state, presence_string topic) {
  return presence_topic_count(presence_find_topic(state, topic));
}

size_t presence_connections(const presence_state *state, presence_string topic,
                            presence_string key) {
  return presence_entry_count(presence_get(state, topic, key));
}

void presence_stats(const presence_state *state, presence_counts *counts) {
  *counts = (presence_counts){.topics = state->topics};
  presence_topic_iter iter;
  presence_topic_iter_init(&iter, state);
  for (const presence_topic *topic; (topic = presence_topic_iter_next(&iter));) {
    counts->keys += topic->keys;
    counts->metas += topic->metas;
    counts->bytes += topic->bytes;
  }
}
