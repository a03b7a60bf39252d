#include "core/node.h"

#include <string.h>

struct presence__list *presence__list_new(presence_heap *heap, uint32_t count) {
  struct presence__list *list = presence__take(heap, presence__list_size(count));
  if (!list) return NULL;
  presence__refs_init(&list->refs);
  list->count = count;
  list->slots[0] = 0;
  return list;
}

struct presence__node *presence__node_new(presence_heap *heap, uint32_t map) {
  struct presence__node *node = presence__take(heap, presence__node_size(presence__count(map)));
  if (!node) return NULL;
  presence__refs_init(&node->refs);
  node->map = map;
  return node;
}

bool presence__node_add(presence_heap *heap, presence__slot *at, unsigned digit,
                        presence__slot slot) {
  struct presence__node *old = presence__node_of(*at);
  if (presence__refs_is_one(&old->refs)) return presence__node_widen(heap, at, digit, slot);
  struct presence__node *node = presence__node_new(heap, old->map | presence__map_of(digit));
  if (!node) return false;
  unsigned index = presence__index(node->map, digit);
  unsigned after = presence__count(old->map) - index;
  node->slots[index] = slot;
  presence__share_slots(node->slots, old->slots, index);
  presence__share_slots(node->slots + index + 1, old->slots + index, after);
  presence__release_shared(heap, *at, &old->refs);
  *at = presence__slot_of(node, PRESENCE__NODE);
  return true;
}

bool presence__node_drop(presence_heap *heap, presence__slot *at, unsigned index) {
  struct presence__node *old = presence__node_of(*at);
  if (presence__refs_is_one(&old->refs)) {
    presence__slot dropped = old->slots[index];
    if (!presence__node_narrow(heap, at, index)) return false;
    presence__release(heap, dropped);
    return true;
  }
  struct presence__node *node = presence__node_new(heap, presence__map_without(old->map, index));
  if (!node) return false;
  unsigned after = presence__count(node->map) - index;
  presence__share_slots(node->slots, old->slots, index);
  presence__share_slots(node->slots + index, old->slots + index + 1, after);
  presence__release_shared(heap, *at, &old->refs);
  *at = presence__slot_of(node, PRESENCE__NODE);
  return true;
}
