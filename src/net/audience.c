#include "net/audience.h"

#include <stdint.h>
#include <string.h>

void presence__audience_init(struct presence__audience *a,
                             const struct presence__allocator *allocator) {
  memset(a, 0, sizeof *a);
  a->allocator = allocator ? allocator : &presence__libc_allocator;
}

void presence__audience_clear(struct presence__audience *a) {
  for (size_t i = 0; i < a->count; i++)
    presence__line_release(a->seats[i].line);
  presence__alloc_free(a->allocator, a->seats, a->capacity * sizeof *a->seats);
  presence__audience_init(a, a->allocator);
}

/* false and unchanged when memory ran out. */
static bool resize(struct presence__audience *a, size_t capacity) {
  if (capacity > SIZE_MAX / sizeof *a->seats) return false;
  struct presence__seat *seats = a->allocator->reallocate(
      a->allocator->context, a->seats, a->capacity * sizeof *seats, capacity * sizeof *seats);
  if (!seats) return false;
  a->seats = seats;
  a->capacity = capacity;
  return true;
}

bool presence__audience_add(struct presence__audience *a, struct presence__line *line,
                            bool is_in_step) {
  if (a->count == a->capacity && !resize(a, a->capacity ? a->capacity * 2 : 4)) return false;
  a->seats[a->count++] = (struct presence__seat){presence__line_retain(line), is_in_step, false};
  return true;
}

void presence__audience_remove(struct presence__audience *a, size_t place) {
  presence__line_release(a->seats[place].line);
  a->seats[place] = a->seats[--a->count];
  /* Half of what is free goes when a quarter is in use: no growing and shrinking in turns. */
  if (a->count > 0 && a->count <= a->capacity / 4) (void)resize(a, a->capacity / 2);
}

bool presence__audience_send(struct presence__audience *a, struct presence__message *m,
                             size_t except) {
  for (size_t i = 0; i < a->count; i++)
    if (!presence__line_reserve(a->seats[i].line)) return false;
  for (size_t i = 0; i < a->count; i++)
    if (i != except && !presence__line_add(a->seats[i].line, m)) return false;
  return true;
}

static bool is_told(const struct presence__seat *seat) {
  return seat->is_in_step && presence__line_is_writable(seat->line);
}

bool presence__audience_tell(struct presence__audience *a, struct presence__message *m,
                             size_t *strays) {
  *strays = 0;
  for (size_t i = 0; m && i < a->count; i++)
    if (is_told(&a->seats[i]) && !presence__line_reserve(a->seats[i].line)) return false;
  for (size_t i = 0; i < a->count; i++) {
    struct presence__seat *seat = &a->seats[i];
    if (m && is_told(seat)) {
      if (!presence__line_add(seat->line, m)) return false;
      seat->was_told = true;
    } else if (m) {
      seat->is_in_step = false;
    }
    *strays += !seat->is_in_step;
  }
  return true;
}
