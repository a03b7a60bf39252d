/* What waits to be sent to one connection, in order. Messages are shared, so that a waiting one
   costs a pointer here. */
#ifndef PRESENCE_NET_OUTBOX_H
#define PRESENCE_NET_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "net/message.h"

/* A ring of `capacity` pointers (a power of two), `count` of them from `first` on. A few lie in the
   outbox itself, which therefore must stay where it is: most turns bring a connection one message
   or two, and no memory is taken for them. */
enum { PRESENCE__OUTBOX_FEW = 2 };
struct presence__outbox {
  struct presence__message **ring;
  struct presence__message *few[PRESENCE__OUTBOX_FEW];
  size_t capacity;
  size_t first;
  size_t count;
  size_t frame_bytes;   /* of all frames, heads included */
  size_t payload_bytes; /* of all payloads */
  const struct presence__allocator *allocator;
};

/* An empty outbox; allocates nothing. allocator is *borrowed*, NULL means libc's. */
void presence__outbox_init(struct presence__outbox *o, const struct presence__allocator *allocator);

/* Releases all messages and all memory; the outbox is empty then and may be used again. */
void presence__outbox_clear(struct presence__outbox *o);

/* Appends a message and takes a reference of its own (m stays the caller's). Amortised O(1).
   false: out of memory, nothing was changed. */
bool presence__outbox_add(struct presence__outbox *o, struct presence__message *m);

/* The same in two steps: after `reserve` was true, one `put` has room. */
bool presence__outbox_reserve(struct presence__outbox *o);
void presence__outbox_put(struct presence__outbox *o, struct presence__message *m);

/* The i-th message from the oldest on (i < count), *borrowed* until it is dropped. */
static inline struct presence__message *presence__outbox_at(const struct presence__outbox *o,
                                                            size_t i) {
  return o->ring[(o->first + i) & (o->capacity - 1)];
}

/* The oldest message, *borrowed* until it is dropped; NULL when empty. */
struct presence__message *presence__outbox_front(const struct presence__outbox *o);

/* Removes and releases the oldest message (there must be one); memory is given back as the queue
   gets shorter. */
void presence__outbox_drop_front(struct presence__outbox *o);

/* Writes the oldest frames to dst, as many as have room there, without removing them; the first
   `skipped` bytes of the oldest one are left out. How many bytes that are goes to *written, how
   many messages is returned. */
size_t presence__outbox_copy_frames(const struct presence__outbox *o, size_t skipped, char *dst,
                                    size_t room, size_t *written);

#endif
