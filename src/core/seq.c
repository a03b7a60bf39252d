#include "core/seq.h"

/* Recursion here goes as deep as the trie, 16 levels at most. */

static struct presence__seq *node_at(presence__slot slot) {
  return presence__object(slot);
}

static unsigned digit_of(uint64_t age, unsigned level) {
  return (unsigned)(age >> (PRESENCE__BITS * level)) & (PRESENCE__WIDTH - 1);
}

static bool fits(uint64_t age, unsigned level) {
  return level + 1 >= PRESENCE__LEVELS || age >> (PRESENCE__BITS * (level + 1)) == 0;
}

/* A node like old (NULL: an empty one) with another map, *new*: slots of digits in both are shared,
   or moved when old is held by *at alone, which then holds the new one. */
static struct presence__seq *remake(presence_heap *heap, presence__slot *at, unsigned level,
                                    uint32_t map) {
  struct presence__seq *old = *at ? node_at(*at) : NULL;
  struct presence__seq *node = presence__take(heap, presence__seq_size(presence__count(map)));
  if (!node) return NULL;
  presence__refs_init(&node->refs);
  node->count = old ? old->count : 0;
  node->map = map;
  node->level = (uint8_t)level;
  bool shared = old && !presence__refs_is_one(&old->refs);
  for (unsigned digit = 0; digit < PRESENCE__WIDTH; digit++) {
    uint32_t bit = presence__map_of(digit);
    if (!(map & bit)) continue;
    presence__slot *slot = &node->slots[presence__index(map, digit)];
    *slot = old && (old->map & bit) ? old->slots[presence__index(old->map, digit)] : 0;
    if (*slot && shared) presence__retain(*slot);
  }
  if (shared)
    presence__release_shared(heap, *at, &old->refs);
  else if (old)
    presence__give(heap, old, presence__seq_size(presence__count(old->map)));
  *at = presence__slot_of(node, PRESENCE__SEQ);
  return node;
}

/* The node at *at, held by nobody else, with a slot (maybe 0) for the digit. */
static struct presence__seq *own_with(presence_heap *heap, presence__slot *at, unsigned level,
                                      unsigned digit) {
  uint32_t bit = presence__map_of(digit);
  if (!*at) return remake(heap, at, level, bit);
  struct presence__seq *node = node_at(*at);
  if (presence__refs_is_one(&node->refs) && (node->map & bit)) return node;
  return remake(heap, at, level, node->map | bit);
}

/* Removes a slot that is 0 again: a failure left it so, or its last item went. */
static bool drop_empty(presence_heap *heap, presence__slot *at, unsigned digit) {
  struct presence__seq *node = node_at(*at);
  uint32_t map = node->map & ~presence__map_of(digit);
  if (map) return remake(heap, at, node->level, map) != NULL;
  presence__give(heap, node, presence__seq_size(1));
  *at = 0;
  return true;
}

static bool put(presence_heap *heap, presence__slot *at, unsigned level, uint64_t age,
                presence__slot item) {
  unsigned digit = digit_of(age, level);
  struct presence__seq *node = own_with(heap, at, level, digit);
  if (!node) return false;
  presence__slot *slot = &node->slots[presence__index(node->map, digit)];
  if (level == 0) {
    if (*slot) node->count--;
    presence__release(heap, *slot);
    *slot = item;
    node->count++;
    return true;
  }
  uint32_t before = presence__seq_count(*slot);
  bool done = put(heap, slot, level - 1, age, item);
  node->count += presence__seq_count(*slot) - before;
  return done;
}

bool presence__seq_put(presence_heap *heap, presence__slot *root, presence__slot item) {
  uint64_t age = ((struct presence__item *)presence__object(item))->age;
  if (!*root) {
    unsigned level = 0;
    while (!fits(age, level))
      level++;
    return put(heap, root, level, age, item);
  }
  while (!fits(age, node_at(*root)->level)) {
    presence__slot higher = 0;
    struct presence__seq *node =
        remake(heap, &higher, node_at(*root)->level + 1u, presence__map_of(0));
    if (!node) return false;
    node->slots[0] = *root;
    node->count = presence__seq_count(*root);
    *root = higher;
  }
  return put(heap, root, node_at(*root)->level, age, item);
}

bool presence__seq_remove(presence_heap *heap, presence__slot *root, uint64_t age) {
  unsigned level = node_at(*root)->level;
  unsigned digit = digit_of(age, level);
  struct presence__seq *node = own_with(heap, root, level, digit);
  if (!node) return false;
  presence__slot *slot = &node->slots[presence__index(node->map, digit)];
  if (level == 0) {
    presence__release(heap, *slot);
    *slot = 0;
  } else if (!presence__seq_remove(heap, slot, age)) {
    return false;
  }
  node->count--;
  return *slot ? true : drop_empty(heap, root, digit);
}

const struct presence__item *presence__seq_from(presence__slot root, uint64_t age) {
  const struct presence__seq *node = node_at(root);
  if (!fits(age, node->level)) return NULL;
  for (unsigned digit = digit_of(age, node->level); digit < PRESENCE__WIDTH; digit++) {
    if (!(node->map & presence__map_of(digit))) {
      age = 0;
      continue;
    }
    presence__slot slot = node->slots[presence__index(node->map, digit)];
    if (node->level == 0) return presence__object(slot);
    uint64_t below = age & (((uint64_t)1 << (PRESENCE__BITS * node->level)) - 1);
    const struct presence__item *item = presence__seq_from(slot, below);
    if (item) return item;
    age = 0;
  }
  return NULL;
}

const struct presence__item *presence__seq_newest(presence__slot root) {
  while (presence__tag_of(root) == PRESENCE__SEQ)
    root = node_at(root)->slots[0];
  return presence__object(root);
}

const struct presence__item *presence__seq_at(presence__slot root, size_t index) {
  for (;;) {
    const struct presence__seq *node = node_at(root);
    unsigned slot = presence__count(node->map) - 1;
    if (node->level == 0) return presence__object(node->slots[slot - index]);
    while (index >= presence__seq_count(node->slots[slot]))
      index -= presence__seq_count(node->slots[slot--]);
    root = node->slots[slot];
  }
}
