/* A growable byte buffer whose memory comes from a function, so that a test can let it fail. */
#ifndef PRESENCE_TEXT_BUF_H
#define PRESENCE_TEXT_BUF_H

#include <stdbool.h>
#include <stddef.h>

/* Where memory comes from, shaped as Lua's allocator is: new_size 0 frees block and returns NULL;
   block NULL (old_size 0) makes a new one; otherwise block is resized, and on failure NULL is
   returned and block stays as it was. */
struct presence__allocator {
  void *(*reallocate)(void *context, void *block, size_t old_size, size_t new_size);
  void *context;
};

/* libc's realloc and free. */
extern const struct presence__allocator presence__libc_allocator;

/* Shorthands for two uses of an allocator. The block of `new` is *new*; NULL: out of memory.
   `free` takes NULL too. */
void *presence__alloc_new(const struct presence__allocator *allocator, size_t size);
void presence__alloc_free(const struct presence__allocator *allocator, void *block, size_t size);

/* data[0..size) are the bytes, not terminated; data is NULL until something was reserved.
   failed is sticky: once memory ran out every append does nothing and returns false, so that a
   writer may append many times and look once. What was appended before stays. */
struct presence__buf {
  char *data;
  size_t size;
  size_t capacity;
  const struct presence__allocator *allocator; /* borrowed */
  bool failed;
};

/* An empty buffer; allocates nothing. allocator is *borrowed*, NULL means libc's. */
void presence__buf_init(struct presence__buf *b, const struct presence__allocator *allocator);

/* Frees the bytes and leaves an empty buffer, with failed cleared. */
void presence__buf_free(struct presence__buf *b);

/* Forgets the bytes and a failure; the memory stays for the next use. */
void presence__buf_clear(struct presence__buf *b);

/* Makes room for `more` bytes after size and returns where they go (*borrowed*, until the next
   call); the caller adds what it wrote to size. NULL: out of memory (failed is set). Grows by
   half, so n appends cost O(n). */
char *presence__buf_reserve(struct presence__buf *b, size_t more);

/* Appends bytes (they may not lie in b itself); false when memory ran out, now or before. */
bool presence__buf_append(struct presence__buf *b, const char *bytes, size_t n);
bool presence__buf_push(struct presence__buf *b, char byte);

/* Removes the first n bytes (n <= size); O(size - n). */
void presence__buf_drop_front(struct presence__buf *b, size_t n);

/* Gives back memory beyond what `keep` bytes or the content need. Never fails: where shrinking is
   refused the larger block stays. */
void presence__buf_shrink(struct presence__buf *b, size_t keep);

/* Hands out the bytes: *new*, block of *capacity* bytes to be freed by the same allocator; b is
   left empty. NULL when b held no memory. */
char *presence__buf_detach(struct presence__buf *b, size_t *size, size_t *capacity);

#endif
