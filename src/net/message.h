/* A message encoded once and shared by everybody who gets it: immutable, counted. */
#ifndef PRESENCE_NET_MESSAGE_H
#define PRESENCE_NET_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "net/frame.h"
#include "text/buf.h"

/* The payload, with the head of its (unmasked, final) frame right before it:

     bytes: [unused][head: head_size][payload: size]
            0       10 - head_size   10             */
struct presence__message {
  size_t references;
  size_t size;
  const struct presence__allocator *allocator; /* borrowed */
  unsigned char opcode;
  unsigned char head_size;
  char bytes[];
};

/* *New*, with one reference and its head written; the caller fills the payload of `size` bytes and
   only then shows it to others. allocator is *borrowed* and must outlive the message, NULL means
   libc's. NULL: out of memory. */
struct presence__message *presence__message_new(const struct presence__allocator *allocator,
                                                enum presence__ws_opcode opcode, size_t size);

/* One more reference; returns m. Counts are not atomic: a message belongs to one thread. */
struct presence__message *presence__message_retain(struct presence__message *m);
/* One reference less; the last one frees it. NULL is nothing. */
void presence__message_release(struct presence__message *m);

static inline char *presence__message_payload(struct presence__message *m) {
  return m->bytes + PRESENCE__WS_HEAD_MAX;
}
/* The frame: head and payload, presence__message_frame_size(m) bytes, *borrowed*. */
static inline const char *presence__message_frame(const struct presence__message *m) {
  return m->bytes + PRESENCE__WS_HEAD_MAX - m->head_size;
}
static inline size_t presence__message_frame_size(const struct presence__message *m) {
  return m->head_size + m->size;
}

#endif
