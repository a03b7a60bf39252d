/* Freeing, spread over calls.

   An object whose count comes to 0 is put into the heap's queue; whoever pays takes objects from
   there and releases what they hold, which may queue more. The queue needs no memory: an object's
   first slot becomes the link, and the child that stood there is released at once (a chain at most
   as long as a trie is deep, followed in a loop). */
#include "core/heap.h"
#include "core/node.h"

/* The first slot of an object that holds others. */
static inline presence__slot *link_of(presence__slot slot) {
  if (presence__tag_of(slot) == PRESENCE__SEQ)
    return ((struct presence__seq *)presence__object(slot))->slots;
  /* NODE, FEW, COLLISION, TOPIC and MANY have it at the same place. */
  return ((struct presence__list *)presence__object(slot))->slots;
}

static inline void enqueue(presence_heap *heap, presence__slot slot, presence__slot *link) {
  presence__gate_lock(&heap->gate);
  *link = heap->queue;
  heap->queue = slot;
  presence__gate_unlock(&heap->gate);
}

/* Buries an object; returns the child that it gave up meanwhile, or 0. */
static inline presence__slot bury_one(presence_heap *heap, presence__slot slot) {
  presence__slot child;
  if (presence__is_node(slot)) {
    presence__slot *link = presence__node_of(slot)->slots;
    child = *link;
    enqueue(heap, slot, link);
    return child;
  }
  void *object = presence__object(slot);
  if (presence__tag_of(slot) == PRESENCE__RECORD) {
    presence__record_give(heap, object, presence__record_size(object));
    return 0;
  }
  if (presence__tag_of(slot) == PRESENCE__ITEM) {
    child = ((struct presence__item *)object)->record;
    presence__give(heap, object, sizeof(struct presence__item));
    return child;
  }
  presence__slot *link = link_of(slot);
  child = *link;
  enqueue(heap, slot, link);
  return child;
}

void presence__bury(presence_heap *heap, presence__slot slot) {
  do
    slot = bury_one(heap, slot);
  while (slot && presence__refs_down(presence__refs(slot)));
}

/* Apart, and by its place, so that a slot need not be kept at hand for what is rare; "used" keeps
   gcc from passing the slot after all. */
static __attribute__((noinline, used)) void bury_at(presence_heap *heap, const presence__slot *at) {
  presence__bury(heap, *at);
}

static inline void release_at(presence_heap *heap, const presence__slot *at) {
  if (presence__refs_down(presence__refs(*at))) bury_at(heap, at);
}

/* Releases all but the first; none is empty. A version that is dropped costs this for each of its
   own nodes. */
static void release_rest(presence_heap *heap, const presence__slot *slots, size_t count) {
  for (; count > 16; count--)
    release_at(heap, slots + count - 1);
#define RELEASE(i) release_at(heap, slots + (i) + 1)
  PRESENCE__SLOTS_16(count - 1, RELEASE);
#undef RELEASE
}

/* Frees one object whose first slot is gone already; returns the slots it had. */
static size_t free_one(presence_heap *heap, presence__slot slot) {
  void *object = presence__object(slot);
  size_t count = 1, size = 0;
  switch (presence__tag_of(slot)) {
  case PRESENCE__FEW:
  case PRESENCE__COLLISION: {
    struct presence__list *list = object;
    count = list->count;
    size = presence__list_size(list->count);
    release_rest(heap, list->slots, count);
    break;
  }
  case PRESENCE__SEQ: {
    struct presence__seq *seq = object;
    count = presence__count(seq->map);
    size = presence__seq_size((unsigned)count);
    /* One that memory ran out for may have empty slots. */
    for (size_t i = 1; i < count; i++)
      presence__release(heap, seq->slots[i]);
    break;
  }
  case PRESENCE__TOPIC: {
    struct presence_topic *topic = object;
    presence__text_release(heap, topic->name);
    size = sizeof *topic;
    break;
  }
  case PRESENCE__MANY:
    presence__release(heap, ((struct presence__many *)object)->by_pid);
    count = 2;
    size = sizeof(struct presence__many);
    break;
  case PRESENCE__NODE: /* see free_node */
  case PRESENCE__RECORD:
  case PRESENCE__ITEM:
    return 0; /* freed when they are buried */
  }
  presence__give(heap, object, size);
  return count + 1;
}

static inline size_t free_node(presence_heap *heap, struct presence__node *node) {
  unsigned count = presence__count(node->map);
  release_rest(heap, node->slots, count);
  presence__give(heap, node, presence__node_size(count));
  return count + 1;
}

/* The next object that waits, or 0. */
static inline presence__slot unqueue(presence_heap *heap) {
  presence__gate_lock(&heap->gate);
  presence__slot slot = heap->queue;
  if (slot)
    heap->queue = presence__is_node(slot) ? presence__node_of(slot)->slots[0] : *link_of(slot);
  presence__gate_unlock(&heap->gate);
  return slot;
}

bool presence__heap_drain(presence_heap *heap, size_t budget) {
  size_t spent = 0;
  while (spent < budget) {
    presence__slot slot = unqueue(heap);
    if (!slot) return false;
    spent +=
        presence__is_node(slot) ? free_node(heap, presence__node_of(slot)) : free_one(heap, slot);
  }
  return presence__heap_waits(heap);
}
