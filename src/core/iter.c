/* Walks over one trie, in the order of hashes (and of names, where hashes are equal). */
#include "core/state.h"

/* A stack of nodes and collisions with the number of their slots still to come. Slots of a node lie
   in descending order, those of a collision in ascending order. */
static void push(presence_trie_iter *iter, presence__slot slot) {
  uint32_t left = 1;
  if (presence__tag_of(slot) == PRESENCE__NODE)
    left = presence__count(((const struct presence__node *)presence__object(slot))->map);
  else if (presence__tag_of(slot) == PRESENCE__COLLISION)
    left = ((const struct presence__list *)presence__object(slot))->count;
  iter->place[iter->depth] = slot;
  iter->left[iter->depth] = left;
  iter->depth++;
}

static void start(presence_trie_iter *iter, presence__slot root) {
  iter->depth = 0;
  if (root) push(iter, root);
}

/* The next leaf, or 0. */
static presence__slot next(presence_trie_iter *iter) {
  while (iter->depth > 0) {
    uint32_t top = iter->depth - 1;
    presence__slot slot = iter->place[top];
    if (iter->left[top] == 0) {
      iter->depth--;
      continue;
    }
    uint32_t left = --iter->left[top];
    if (presence__tag_of(slot) == PRESENCE__NODE) {
      slot = ((const struct presence__node *)presence__object(slot))->slots[left];
    } else if (presence__tag_of(slot) == PRESENCE__COLLISION) {
      const struct presence__list *list = presence__object(slot);
      return list->slots[list->count - 1 - left];
    } else {
      return slot;
    }
    if (presence__tag_of(slot) != PRESENCE__NODE && presence__tag_of(slot) != PRESENCE__COLLISION)
      return slot;
    push(iter, slot);
  }
  return 0;
}

_Static_assert(PRESENCE_ITER_DEPTH >= PRESENCE__LEVELS + 1, "a walk holds every level");

void presence_topic_iter_init(presence_topic_iter *iter, const presence_state *state) {
  start(&iter->trie, state->root);
}

const presence_topic *presence_topic_iter_next(presence_topic_iter *iter) {
  return presence__object(next(&iter->trie));
}

void presence_entry_iter_init(presence_entry_iter *iter, const presence_topic *topic) {
  start(&iter->trie, topic ? topic->root : 0);
}

const presence_entry *presence_entry_iter_next(presence_entry_iter *iter, presence_string *key) {
  presence__slot leaf = next(&iter->trie);
  if (!leaf) return NULL;
  struct presence__name name = presence__leaf_name(leaf);
  *key = (presence_string){name.bytes, name.size};
  return presence__entry_of(leaf);
}

/* Is a leaf at or before a place in the order of the walk? */
static bool is_past(presence__slot leaf, const struct presence__probe *probe) {
  uint64_t hash = presence__leaf_hash(leaf, probe->hash);
  if (hash != probe->hash) return hash < probe->hash;
  struct presence__name name = presence__leaf_name(leaf);
  return presence__names_compare(&name, &probe->name) <= 0;
}

void presence_entry_iter_seek(presence_entry_iter *iter, const presence_topic *topic,
                              presence_string key) {
  struct presence__name name = presence__name_of(key);
  struct presence__probe probe = presence__probe_of(&name);
  presence_trie_iter *trie = &iter->trie;
  presence_entry_iter_init(iter, topic);
  while (trie->depth > 0) {
    uint32_t top = trie->depth - 1;
    presence__slot slot = trie->place[top];
    if (presence__tag_of(slot) != PRESENCE__NODE) {
      const struct presence__list *list = presence__object(slot);
      bool collision = presence__tag_of(slot) == PRESENCE__COLLISION;
      while (trie->left[top] > 0 &&
             is_past(collision ? list->slots[list->count - trie->left[top]] : slot, &probe))
        trie->left[top]--;
      return;
    }
    /* Slots of digits below the key's are done; the key's own, if there, is gone into. */
    const struct presence__node *node = presence__object(slot);
    uint32_t from = presence__map_from(node->map, presence__digit(probe.hash, top));
    trie->left[top] = presence__count(from);
    if (!presence__map_has(from)) return;
    push(trie, node->slots[--trie->left[top]]);
  }
}
