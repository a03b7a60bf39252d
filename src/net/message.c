#include "net/message.h"

#include <stdint.h>
#include <string.h>

static size_t block_size(size_t size) {
  return sizeof(struct presence__message) + PRESENCE__WS_HEAD_MAX + size;
}

struct presence__message *presence__message_new(const struct presence__allocator *allocator,
                                                enum presence__ws_opcode opcode, size_t size) {
  if (size > SIZE_MAX / 2) return NULL;
  if (!allocator) allocator = &presence__libc_allocator;
  struct presence__message *m = presence__alloc_new(allocator, block_size(size));
  if (!m) return NULL;
  char head[PRESENCE__WS_HEAD_MAX];
  size_t head_size = presence__ws_write_head(head, opcode, true, size, NULL);
  m->references = 1;
  m->size = size;
  m->allocator = allocator;
  m->opcode = (unsigned char)opcode;
  m->head_size = (unsigned char)head_size;
  memcpy(m->bytes + PRESENCE__WS_HEAD_MAX - head_size, head, head_size);
  return m;
}

struct presence__message *presence__message_retain(struct presence__message *m) {
  m->references++;
  return m;
}

void presence__message_release(struct presence__message *m) {
  if (m && --m->references == 0) presence__alloc_free(m->allocator, m, block_size(m->size));
}
