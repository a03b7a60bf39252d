/* Inner nodes of tries, and the other objects that hold slots; how each is laid out.

     NODE       | refs 4 | map 4     | slot, highest digit first ...   |
     COLLISION  | refs 4 | count 4     | slot, in the order of names ... |
     FEW        | refs 4 | count 4     | record, oldest first ...        |
     ITEM       | refs 4 | hash 4      | record | age                    |
     TOPIC      | refs 4 | hash 4      | root   | keys, metas, bytes, name |
     MANY       | refs 4 | count 4     | by age | by pid | next age      |
     SEQ        | refs 4 | count 4     | map 4, level 1, - 3 | slot ...  |

   A shape is canonical: a node holds two slots or more, or one that is a node; so equal content
   makes equal tries, in whatever order it was put in. */
#ifndef PRESENCE_CORE_NODE_H
#define PRESENCE_CORE_NODE_H

#include "core/bits.h"
#include "core/heap.h"
#include "core/record.h"
#include "core/slot.h"

struct presence__node {
  presence__refcount refs;
  uint32_t map;
  presence__slot slots[];
};

/* The node of a slot whose tag is known: the compiler folds the tag into the offsets. */
static inline struct presence__node *presence__node_of(presence__slot slot) {
  return (struct presence__node *)(slot - PRESENCE__NODE); // NOLINT(performance-no-int-to-ptr)
}

/* The pointer it would be were it a node: one subtraction for the test and the way on. */
static inline bool presence__is_node(presence__slot slot) {
  return ((slot - PRESENCE__NODE) & 7) == 0;
}

/* COLLISION and FEW. */
struct presence__list {
  presence__refcount refs;
  uint32_t count;
  presence__slot slots[];
};

struct presence__item {
  presence__refcount refs;
  uint32_t hash; /* high half of the pid's */
  presence__slot record;
  uint64_t age;
};

struct presence_topic {
  presence__refcount refs;
  uint32_t hash; /* high half of the name's */
  presence__slot root;
  uint32_t keys;
  uint32_t metas;
  uint64_t bytes; /* of its records */
  struct presence__text *name;
};

struct presence__many {
  presence__refcount refs;
  uint32_t count;
  presence__slot by_age; /* SEQ over ITEM */
  presence__slot by_pid; /* NODE over ITEM, or SEQ where a pid has several */
  uint64_t next_age;
};

struct presence__seq {
  presence__refcount refs;
  uint32_t count; /* items below */
  uint32_t map;
  uint8_t level; /* 0: its slots are items */
  presence__slot slots[];
};

/* Entries of up to this many metas are arrays. */
#define PRESENCE__FEW_MAX 8u

static inline size_t presence__node_size(unsigned count) {
  return sizeof(struct presence__node) + count * sizeof(presence__slot);
}

/* At least one slot, so that the queue of released objects has a place for its link. */
static inline size_t presence__list_size(uint32_t count) {
  return sizeof(struct presence__list) + (count ? count : 1) * sizeof(presence__slot);
}

static inline size_t presence__seq_size(unsigned count) {
  return sizeof(struct presence__seq) + count * sizeof(presence__slot);
}

/* A list with room for count slots, *new*, its slots not set. NULL: out of memory. */
struct presence__list *presence__list_new(presence_heap *heap, uint32_t count);

PRESENCE__FAST void presence__share_slot(presence__slot *to, const presence__slot *from) {
  presence__slot slot = *from;
  *to = slot;
  presence__refs_up(presence__refs(slot));
}

/* Does something with count slots, at most 16, from the last to the first: a jump into straight
   code, for each turn of a loop would cost as much as what is done in it. */
#define PRESENCE__SLOTS_16(count, act)                                                             \
  do {                                                                                             \
    switch (count) {                                                                               \
      PRESENCE__SLOTS_4(act, 12)                                                                   \
      PRESENCE__SLOTS_4(act, 8)                                                                    \
      PRESENCE__SLOTS_4(act, 4)                                                                    \
      PRESENCE__SLOTS_4(act, 0)                                                                    \
    default:                                                                                       \
      break;                                                                                       \
    }                                                                                              \
  } while (0)
#define PRESENCE__SLOTS_4(act, i)                                                                  \
  case (i) + 4:                                                                                    \
    act((i) + 3);                                                                                  \
    __attribute__((fallthrough));                                                                  \
  case (i) + 3:                                                                                    \
    act((i) + 2);                                                                                  \
    __attribute__((fallthrough));                                                                  \
  case (i) + 2:                                                                                    \
    act((i) + 1);                                                                                  \
    __attribute__((fallthrough));                                                                  \
  case (i) + 1:                                                                                    \
    act(i);                                                                                        \
    __attribute__((fallthrough));

static inline void presence__copy_slots(presence__slot *to, const presence__slot *from,
                                        unsigned count) {
#define PRESENCE__COPY(i) to[i] = from[i]
  PRESENCE__SLOTS_16(count, PRESENCE__COPY);
#undef PRESENCE__COPY
}

/* Copies slots and holds what they lead to. Most of the cost of a kept version is here. */
PRESENCE__FAST
void presence__share_slots(presence__slot *to, const presence__slot *from, unsigned count) {
#define PRESENCE__SHARE(i) presence__share_slot(to + (i), from + (i))
  PRESENCE__SLOTS_16(count, PRESENCE__SHARE);
#undef PRESENCE__SHARE
}

/* A node of a map of so many digits, *new*, its slots not set. NULL: out of memory. */
PRESENCE__FAST
struct presence__node *presence__node_with(presence_heap *heap, uint32_t map, unsigned count) {
  struct presence__node *node = presence__take(heap, presence__node_size(count));
  if (!node) return NULL;
  presence__refs_init(&node->refs);
  node->map = map;
  return node;
}

/* A copy of a node, *new*; NULL: out of memory. */
PRESENCE__FAST struct presence__node *presence__node_copy(presence_heap *heap,
                                                          const struct presence__node *old) {
  unsigned count = presence__count(old->map);
  struct presence__node *node = presence__node_with(heap, old->map, count);
  if (!node) return NULL;
  presence__share_slots(node->slots, old->slots, count);
  return node;
}

/* Adds a slot (*taken* on success) for a digit that is not there to a node that nobody else holds.
   False: out of memory. */
PRESENCE__FAST bool presence__node_widen(presence_heap *heap, presence__slot *at, unsigned digit,
                                         presence__slot slot) {
  struct presence__node *old = presence__node_of(*at);
  unsigned count = presence__count(old->map);
  uint32_t map = old->map | presence__map_of(digit);
  struct presence__node *node = presence__node_with(heap, map, count + 1);
  if (!node) return false;
  unsigned index = presence__index(map, digit);
  presence__copy_slots(node->slots, old->slots, index);
  node->slots[index] = slot;
  presence__copy_slots(node->slots + index + 1, old->slots + index, count - index);
  presence__give(heap, old, presence__node_size(count));
  *at = presence__slot_of(node, PRESENCE__NODE);
  return true;
}

/* Forgets the slot of a digit of a node of two slots or more that nobody else holds; what stood
   there is the caller's. False: out of memory. */
PRESENCE__FAST bool presence__node_narrow(presence_heap *heap, presence__slot *at, unsigned digit) {
  struct presence__node *old = presence__node_of(*at);
  unsigned count = presence__count(old->map);
  uint32_t map = old->map ^ presence__map_of(digit);
  struct presence__node *node = presence__node_with(heap, map, count - 1);
  if (!node) return false;
  unsigned index = presence__index(old->map, digit);
  presence__copy_slots(node->slots, old->slots, index);
  presence__copy_slots(node->slots + index, old->slots + index + 1, count - 1 - index);
  presence__give(heap, old, presence__node_size(count));
  *at = presence__slot_of(node, PRESENCE__NODE);
  return true;
}

/* A node of a map, *new*, its slots not set. NULL: out of memory. */
struct presence__node *presence__node_new(presence_heap *heap, uint32_t map);

/* Adds a slot (*taken* on success) for a digit that is not there; false: out of memory. */
bool presence__node_add(presence_heap *heap, presence__slot *at, unsigned digit,
                        presence__slot slot);

/* Removes, and releases, the slot of a digit of a node of two slots or more; false: out of
   memory. */
bool presence__node_drop(presence_heap *heap, presence__slot *at, unsigned digit);

#endif
