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
  return presence__node_with(heap, map, presence__count(map));
}

bool presence__node_add(presence_heap *heap, presence__slot *at, unsigned digit,
                        presence__slot slot) {
  struct presence__node *old = presence__node_of(*at);
  if (presence__refs_is_one(&old->refs)) return presence__node_widen(heap, at, digit, slot);
  unsigned count = presence__count(old->map);
  uint32_t map = old->map | presence__map_of(digit);
  struct presence__node *node = presence__node_with(heap, map, count + 1);
  if (!node) return false;
  unsigned index = presence__index(map, digit);
  node->slots[index] = slot;
  presence__share_slots(node->slots, old->slots, index);
  presence__share_slots(node->slots + index + 1, old->slots + index, count - index);
  presence__release_shared(heap, *at, &old->refs);
  *at = presence__slot_of(node, PRESENCE__NODE);
  return true;
}

bool presence__node_drop(presence_heap *heap, presence__slot *at, unsigned digit) {
  struct presence__node *old = presence__node_of(*at);
  if (presence__refs_is_one(&old->refs)) {
    presence__slot dropped = old->slots[presence__index(old->map, digit)];
    if (!presence__node_narrow(heap, at, digit)) return false;
    presence__release(heap, dropped);
    return true;
  }
  unsigned count = presence__count(old->map) - 1;
  uint32_t map = old->map ^ presence__map_of(digit);
  struct presence__node *node = presence__node_with(heap, map, count);
  if (!node) return false;
  unsigned index = presence__index(old->map, digit);
  presence__share_slots(node->slots, old->slots, index);
  presence__share_slots(node->slots + index, old->slots + index + 1, count - index);
  presence__release_shared(heap, *at, &old->refs);
  *at = presence__slot_of(node, PRESENCE__NODE);
  return true;
}
