#define _POSIX_C_SOURCE 200112L
#include "core/heap.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"

/* Empty chunks kept back, so that one object made and freed in turn does not cost a chunk each. */
#define MAX_SPARES 4u

static void *libc_allocate(void *context, size_t size, size_t alignment) {
  (void)context;
  void *block;
  if (alignment <= _Alignof(max_align_t)) return malloc(size);
  return posix_memalign(&block, alignment, size) == 0 ? block : NULL;
}

static void libc_release(void *context, void *block, size_t size) {
  (void)context;
  (void)size;
  free(block);
}

presence_heap *presence_heap_new(const presence_heap_options *options) {
  presence_allocator allocator = {libc_allocate, libc_release, NULL};
  if (options && options->allocator.allocate) allocator = options->allocator;
  presence__hash_fix();
  presence_heap *heap = allocator.allocate(allocator.context, sizeof *heap, _Alignof(max_align_t));
  if (!heap) return NULL;
  memset(heap, 0, sizeof *heap);
  heap->allocator = allocator;
  heap->unpooled = options && options->unpooled;
  if (presence__gate_init(&heap->gate)) return heap;
  allocator.release(allocator.context, heap, sizeof *heap);
  return NULL;
}

static void *ask(presence_heap *heap, size_t size, size_t alignment) {
  void *block = heap->allocator.allocate(heap->allocator.context, size, alignment);
  if (block) heap->held_bytes += size;
  return block;
}

static void hand_back(presence_heap *heap, void *block, size_t size) {
  heap->held_bytes -= size;
  heap->allocator.release(heap->allocator.context, block, size);
}

static void hand_back_spares(presence_heap *heap) {
  while (heap->spare) {
    struct presence__chunk *chunk = heap->spare;
    heap->spare = chunk->next;
    hand_back(heap, chunk, PRESENCE__CHUNK_BYTES);
  }
  heap->spares = 0;
}

/* ---- Chunks ---- */

static void unlink_chunk(presence_heap *heap, struct presence__chunk *chunk) {
  if (chunk->next) chunk->next->prev = chunk->prev;
  if (chunk->prev)
    chunk->prev->next = chunk->next;
  else
    heap->with_room[chunk->object_bytes / 8] = chunk->next;
}

static struct presence__chunk *new_chunk(presence_heap *heap, size_t object_bytes) {
  struct presence__chunk *chunk = heap->spare;
  if (chunk) {
    heap->spare = chunk->next;
    heap->spares--;
  } else {
    chunk = ask(heap, PRESENCE__CHUNK_BYTES, PRESENCE__CHUNK_ALIGNMENT);
    if (!chunk) return NULL;
    assert(((uintptr_t)chunk & (PRESENCE__CHUNK_ALIGNMENT - 1)) == 0);
  }
  chunk->object_bytes = object_bytes;
  chunk->live = 0;
  chunk->free = NULL;
  chunk->fresh = (char *)(chunk + 1);
  size_t room = PRESENCE__CHUNK_BYTES - sizeof *chunk;
  chunk->fresh_left = (uint32_t)(room / object_bytes);
  PRESENCE__POISON(chunk->fresh, room);
  presence__chunk_link(heap, chunk);
  return chunk;
}

void presence__chunk_emptied(presence_heap *heap, struct presence__chunk *chunk) {
  unlink_chunk(heap, chunk);
  PRESENCE__UNPOISON(chunk, PRESENCE__CHUNK_BYTES);
  if (heap->spares < MAX_SPARES) {
    chunk->next = heap->spare;
    heap->spare = chunk;
    heap->spares++;
  } else {
    hand_back(heap, chunk, PRESENCE__CHUNK_BYTES);
  }
}

static void *take_locked(presence_heap *heap, size_t size) {
  if (size > PRESENCE__POOLED_BYTES || heap->unpooled) {
    void *block = ask(heap, size, 8);
    if (block) heap->allocated_bytes += size;
    return block;
  }
  struct presence__chunk *chunk = heap->with_room[size / 8];
  if (!chunk) chunk = new_chunk(heap, size);
  return chunk ? presence__chunk_take(heap, chunk, size) : NULL;
}

static void *try_to_take(presence_heap *heap, size_t size) {
  presence__gate_lock(&heap->gate);
  void *object = take_locked(heap, size);
  presence__gate_unlock(&heap->gate);
  return object;
}

/* Before memory counts as exhausted, all that waits to be freed is freed. */
void *presence__heap_take_slowly(presence_heap *heap, size_t size) {
  void *object = try_to_take(heap, size);
  if (!object && presence__heap_waits(heap)) {
    presence__heap_drain(heap, SIZE_MAX);
    object = try_to_take(heap, size);
  }
  if (!object) {
    presence__gate_lock(&heap->gate);
    bool spared = heap->spare != NULL;
    hand_back_spares(heap);
    if (spared) object = take_locked(heap, size);
    presence__gate_unlock(&heap->gate);
  }
  return object;
}

void presence__heap_give_slowly(presence_heap *heap, void *object, size_t size) {
  hand_back(heap, object, size);
}

/* ---- The whole ---- */

/* What remains to be done by who leaves a heap. */
enum duty { NO_DUTY, DRAIN, DESTROY };

/* Ends what presence__heap_enter began, unless the heap is closed and something waits, which then
   comes first: the heap may have been closed since the caller paid, and whoever closed it may have
   found nothing to free while the caller had it in hand. */
static enum duty leave(presence_heap *heap) {
  presence__gate_lock(&heap->gate);
  enum duty duty = NO_DUTY;
  if (heap->closing && heap->queue)
    duty = DRAIN;
  else if (presence__gate_leave(&heap->gate) && heap->closing &&
           heap->allocated_bytes == heap->freed_bytes)
    duty = DESTROY;
  presence__gate_unlock(&heap->gate);
  return duty;
}

static void destroy(presence_heap *heap) {
  hand_back_spares(heap);
  assert(heap->held_bytes == 0);
  presence__gate_destroy(&heap->gate);
  heap->allocator.release(heap->allocator.context, heap, sizeof *heap);
}

void presence__heap_settle(presence_heap *heap) {
  presence__heap_pay(heap);
  enum duty duty;
  while ((duty = leave(heap)) == DRAIN)
    presence__heap_drain(heap, SIZE_MAX);
  if (duty == DESTROY) destroy(heap);
}

void presence_heap_free(presence_heap *heap) {
  if (!heap) return;
  presence__heap_enter(heap);
  presence__gate_lock(&heap->gate);
  heap->closing = true;
  presence__gate_unlock(&heap->gate);
  presence__heap_settle(heap);
}

bool presence_heap_work(presence_heap *heap, size_t budget) {
  return presence__heap_drain(heap, budget);
}

void presence_heap_stats(const presence_heap *heap, presence_heap_usage *usage) {
  presence__gate *gate = &((presence_heap *)heap)->gate;
  presence__gate_lock(gate);
  usage->live_bytes = (size_t)(heap->allocated_bytes - heap->freed_bytes);
  usage->held_bytes = heap->held_bytes;
  usage->allocated_bytes = heap->allocated_bytes;
  usage->freed_objects = heap->freed_objects;
  usage->work_waits = heap->queue != 0;
  presence__gate_unlock(gate);
}
