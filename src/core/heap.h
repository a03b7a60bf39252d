/* Memory of states: size classes in chunks, and the queue of what is released.

   A chunk lies at a multiple of its size, so an object finds its chunk by a mask:

     | header | object | object | ...            | a few bytes left to the allocator's own header |
     0        56                                                                            16384 */
#ifndef PRESENCE_CORE_HEAP_H
#define PRESENCE_CORE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/presence.h"
#include "core/slot.h"

#if defined(__SANITIZE_ADDRESS__)
#define PRESENCE__POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PRESENCE__POISONS 1
#endif
#endif

#ifdef PRESENCE__POISONS
#include <sanitizer/asan_interface.h>
#define PRESENCE__POISON(block, size) __asan_poison_memory_region(block, size)
#define PRESENCE__UNPOISON(block, size) __asan_unpoison_memory_region(block, size)
#else
#define PRESENCE__POISON(block, size) ((void)0)
#define PRESENCE__UNPOISON(block, size) ((void)0)
#endif

#define PRESENCE__CHUNK_ALIGNMENT ((size_t)16384)
/* Leaves room for malloc's header, so that aligned chunks lie back to back. */
#define PRESENCE__CHUNK_BYTES (PRESENCE__CHUNK_ALIGNMENT - 64)
/* Objects above this are asked of the allocator one by one. */
#define PRESENCE__POOLED_BYTES ((size_t)1024)
#define PRESENCE__CLASSES (PRESENCE__POOLED_BYTES / 8 + 1)
/* Slots that one call frees of what waits. */
#define PRESENCE__RELEASE_BUDGET ((size_t)256)

struct presence__chunk {
  void *free;                   /* objects given back, a list through the first word of each */
  char *fresh;                  /* where those begin that were never taken ... */
  uint32_t fresh_left;          /* ... and how many there are */
  uint32_t live;                /* objects in use */
  struct presence__chunk *next; /* among the chunks of this size that have room */
  struct presence__chunk *prev;
  size_t object_bytes;
};

struct presence_heap {
  struct presence__chunk *with_room[PRESENCE__CLASSES]; /* by size / 8 */
  struct presence__chunk *spare;                        /* empty ones kept for the next need */
  unsigned spares;
  bool unpooled;
  bool closing;
  presence__gate gate;  /* over all of this, and over the chunks */
  presence__slot queue; /* dead objects that still hold others */
  uint64_t allocated_bytes;
  uint64_t freed_bytes;
  size_t held_bytes;
  uint64_t freed_objects;
  presence_allocator allocator;
};

void *presence__heap_take_slowly(presence_heap *heap, size_t size);
/* With the gate locked. */
void presence__heap_give_slowly(presence_heap *heap, void *object, size_t size);
/* A chunk has become empty. The gate is locked. */
void presence__chunk_emptied(presence_heap *heap, struct presence__chunk *chunk);

static inline size_t presence__rounded(size_t size) {
  return (size + 7) & ~(size_t)7;
}

/* The first chunk of its size is full. The gate is locked. */
static inline void presence__chunk_unlink_first(presence_heap *heap,
                                                struct presence__chunk *chunk) {
  struct presence__chunk *next = chunk->next;
  heap->with_room[chunk->object_bytes / 8] = next;
  if (next) next->prev = NULL;
}

/* A chunk has room. The gate is locked. */
static inline void presence__chunk_link(presence_heap *heap, struct presence__chunk *chunk) {
  struct presence__chunk **first = &heap->with_room[chunk->object_bytes / 8];
  chunk->prev = NULL;
  chunk->next = *first;
  if (*first) (*first)->prev = chunk;
  *first = chunk;
}

/* An object of the first chunk of its size. The gate is locked. */
PRESENCE__FAST void *presence__chunk_take(presence_heap *heap, struct presence__chunk *chunk,
                                          size_t size) {
  void **object = chunk->free;
  chunk->live++;
  heap->allocated_bytes += size;
  if (object) {
    PRESENCE__UNPOISON(object, size);
    void *next = *object;
    chunk->free = next;
    if (!next && chunk->fresh_left == 0) presence__chunk_unlink_first(heap, chunk);
    return object;
  }
  char *fresh = chunk->fresh;
  PRESENCE__UNPOISON(fresh, size);
  chunk->fresh = fresh + size;
  if (--chunk->fresh_left == 0) presence__chunk_unlink_first(heap, chunk);
  return fresh;
}

/* size bytes, aligned to 8; NULL: out of memory. size is 8 at least. */
PRESENCE__FAST void *presence__take(presence_heap *heap, size_t size) {
  size = presence__rounded(size);
  if (size > PRESENCE__POOLED_BYTES) return presence__heap_take_slowly(heap, size);
  presence__gate_lock(&heap->gate);
  struct presence__chunk *chunk = heap->with_room[size / 8];
  if (!chunk) {
    presence__gate_unlock(&heap->gate);
    return presence__heap_take_slowly(heap, size);
  }
  void *object = presence__chunk_take(heap, chunk, size);
  presence__gate_unlock(&heap->gate);
  return object;
}

/* Puts an object back into its chunk. The gate is locked. */
PRESENCE__FAST void presence__chunk_give(presence_heap *heap, void *object) {
  uintptr_t start = (uintptr_t)object & ~(uintptr_t)(PRESENCE__CHUNK_ALIGNMENT - 1);
  struct presence__chunk *chunk = (void *)start; // NOLINT(performance-no-int-to-ptr)
  void *next = chunk->free;
  *(void **)object = next;
  PRESENCE__POISON(object, chunk->object_bytes);
  chunk->free = object;
  if (!next && chunk->fresh_left == 0) presence__chunk_link(heap, chunk);
  if (--chunk->live == 0) presence__chunk_emptied(heap, chunk);
}

/* Takes back what presence__take gave for this size. */
PRESENCE__FAST void presence__give(presence_heap *heap, void *object, size_t size) {
  size = presence__rounded(size);
  presence__gate_lock(&heap->gate);
  heap->freed_bytes += size;
  heap->freed_objects++;
  if (size > PRESENCE__POOLED_BYTES || heap->unpooled)
    presence__heap_give_slowly(heap, object, size);
  else
    presence__chunk_give(heap, object);
  presence__gate_unlock(&heap->gate);
}

/* Puts an object whose count has come to 0 where it will be freed. O(depth of a trie). */
void presence__bury(presence_heap *heap, presence__slot slot);

/* Frees what waits, about budget slots of it; true when more waits. */
bool presence__heap_drain(presence_heap *heap, size_t budget);

/* Gives up one reference. Slot 0 is allowed. */
static inline void presence__release(presence_heap *heap, presence__slot slot) {
  if (slot && presence__refs_down(presence__refs(slot))) presence__bury(heap, slot);
}

/* The same for an object that was found to be shared; refs is its count. */
static inline void presence__release_shared(presence_heap *heap, presence__slot slot,
                                            presence__refcount *refs) {
  if (presence__refs_down_shared(refs)) presence__bury(heap, slot);
}

/* Begins a call that gives something up, which the caller still holds: the heap lives on until
   presence__heap_settle. */
static inline void presence__heap_enter(presence_heap *heap) {
  presence__gate_enter(&heap->gate);
}

/* Pays a part of what waits; every public call that releases ends with it. The heap may be gone
   afterwards when it was closed and this was the last thing in it. */
void presence__heap_settle(presence_heap *heap);

static inline bool presence__heap_waits(presence_heap *heap) {
  presence__gate_lock(&heap->gate);
  bool waits = heap->queue != 0;
  presence__gate_unlock(&heap->gate);
  return waits;
}

/* Pays where something is known to live on: at the end of every edit. */
static inline void presence__heap_pay(presence_heap *heap) {
  if (presence__heap_waits(heap)) presence__heap_drain(heap, PRESENCE__RELEASE_BUDGET);
}

#endif
