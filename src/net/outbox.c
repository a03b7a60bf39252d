#include "net/outbox.h"

#include <stdint.h>
#include <string.h>

enum { slot_bytes = sizeof(void *) };

void presence__outbox_init(struct presence__outbox *o,
                           const struct presence__allocator *allocator) {
  memset(o, 0, sizeof *o);
  o->ring = o->few;
  o->capacity = PRESENCE__OUTBOX_FEW;
  o->allocator = allocator ? allocator : &presence__libc_allocator;
}

static void free_ring(struct presence__outbox *o) {
  if (o->ring != o->few) presence__alloc_free(o->allocator, o->ring, o->capacity * slot_bytes);
}

void presence__outbox_clear(struct presence__outbox *o) {
  for (size_t i = 0; i < o->count; i++)
    presence__message_release(presence__outbox_at(o, i));
  free_ring(o);
  presence__outbox_init(o, o->allocator);
}

/* Moves the queue to a ring of another capacity, more than a few; false and unchanged when memory
   ran out. */
static bool move(struct presence__outbox *o, size_t capacity) {
  if (capacity > SIZE_MAX / 2 / slot_bytes) return false;
  struct presence__message **ring = presence__alloc_new(o->allocator, capacity * slot_bytes);
  if (!ring) return false;
  for (size_t i = 0; i < o->count; i++)
    ring[i] = presence__outbox_at(o, i);
  free_ring(o);
  o->ring = ring;
  o->capacity = capacity;
  o->first = 0;
  return true;
}

bool presence__outbox_reserve(struct presence__outbox *o) {
  return o->count < o->capacity || move(o, o->capacity * 2);
}

bool presence__outbox_add(struct presence__outbox *o, struct presence__message *m) {
  if (!presence__outbox_reserve(o)) return false;
  presence__outbox_put(o, m);
  return true;
}

void presence__outbox_put(struct presence__outbox *o, struct presence__message *m) {
  o->ring[(o->first + o->count++) & (o->capacity - 1)] = presence__message_retain(m);
  o->frame_bytes += presence__message_frame_size(m);
  o->payload_bytes += m->size;
}

struct presence__message *presence__outbox_front(const struct presence__outbox *o) {
  return o->count ? presence__outbox_at(o, 0) : NULL;
}

void presence__outbox_drop_front(struct presence__outbox *o) {
  struct presence__message *m = presence__outbox_at(o, 0);
  o->first = (o->first + 1) & (o->capacity - 1);
  o->count--;
  o->frame_bytes -= presence__message_frame_size(m);
  o->payload_bytes -= m->size;
  presence__message_release(m);
  if (o->count == 0)
    presence__outbox_clear(o);
  else if (o->count <= o->capacity / 8)
    (void)move(o, o->capacity / 2); /* to four at the least: one that waits is an eighth of eight */
}

size_t presence__outbox_copy_frames(const struct presence__outbox *o, size_t skipped, char *dst,
                                    size_t room, size_t *written) {
  size_t i = 0;
  *written = 0;
  for (; i < o->count; i++, skipped = 0) {
    const struct presence__message *m = presence__outbox_at(o, i);
    size_t size = presence__message_frame_size(m) - skipped;
    if (size > room - *written) break;
    memcpy(dst + *written, presence__message_frame(m) + skipped, size);
    *written += size;
  }
  return i;
}
