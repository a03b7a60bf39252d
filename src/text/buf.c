#include "text/buf.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void *libc_reallocate(void *context, void *block, size_t old_size, size_t new_size) {
  (void)context;
  (void)old_size;
  if (new_size == 0) {
    free(block);
    return NULL;
  }
  return realloc(block, new_size);
}

const struct presence__allocator presence__libc_allocator = {libc_reallocate, NULL};

void *presence__alloc_new(const struct presence__allocator *a, size_t size) {
  return a->reallocate(a->context, NULL, 0, size);
}

static void *resize(const struct presence__allocator *a, void *block, size_t old_size,
                    size_t new_size) {
  return a->reallocate(a->context, block, old_size, new_size);
}

void presence__alloc_free(const struct presence__allocator *a, void *block, size_t size) {
  if (block) a->reallocate(a->context, block, size, 0);
}

void presence__buf_init(struct presence__buf *b, const struct presence__allocator *allocator) {
  b->data = NULL;
  b->size = 0;
  b->capacity = 0;
  b->allocator = allocator ? allocator : &presence__libc_allocator;
  b->failed = false;
}

void presence__buf_free(struct presence__buf *b) {
  presence__alloc_free(b->allocator, b->data, b->capacity);
  presence__buf_init(b, b->allocator);
}

void presence__buf_clear(struct presence__buf *b) {
  b->size = 0;
  b->failed = false;
}

static bool grow(struct presence__buf *b, size_t more) {
  if (more > SIZE_MAX / 2 - b->size) return false;
  size_t capacity = b->capacity + b->capacity / 2;
  if (capacity < b->size + more) capacity = b->size + more;
  if (capacity < 64) capacity = 64;
  char *data = resize(b->allocator, b->data, b->capacity, capacity);
  if (!data) return false;
  b->data = data;
  b->capacity = capacity;
  return true;
}

char *presence__buf_reserve(struct presence__buf *b, size_t more) {
  if (b->failed) return NULL;
  if ((b->capacity - b->size < more || !b->data) && !grow(b, more)) {
    b->failed = true;
    return NULL;
  }
  return b->data + b->size;
}

bool presence__buf_append(struct presence__buf *b, const char *bytes, size_t n) {
  if (n == 0) return !b->failed;
  char *dst = presence__buf_reserve(b, n);
  if (!dst) return false;
  memcpy(dst, bytes, n);
  b->size += n;
  return true;
}

bool presence__buf_push(struct presence__buf *b, char byte) {
  return presence__buf_append(b, &byte, 1);
}

void presence__buf_drop_front(struct presence__buf *b, size_t n) {
  if (n == 0) return;
  b->size -= n;
  memmove(b->data, b->data + n, b->size);
}

void presence__buf_shrink(struct presence__buf *b, size_t keep) {
  size_t want = b->size > keep ? b->size : keep;
  if (b->capacity <= want) return;
  if (want == 0) {
    presence__alloc_free(b->allocator, b->data, b->capacity);
    b->data = NULL;
    b->capacity = 0;
    return;
  }
  char *data = resize(b->allocator, b->data, b->capacity, want);
  if (data) {
    b->data = data;
    b->capacity = want;
  }
}

char *presence__buf_detach(struct presence__buf *b, size_t *size, size_t *capacity) {
  char *data = b->data;
  *size = b->size;
  *capacity = b->capacity;
  presence__buf_init(b, b->allocator);
  return data;
}
