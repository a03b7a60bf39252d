/* Lines that are told the same: the connections that listen to one topic, say. A walk over them is
   one loop here, however many they are.

   A seat is in step when its line was told all that the audience was told since it took its seat,
   or since it was said to be in step again. */
#ifndef PRESENCE_NET_AUDIENCE_H
#define PRESENCE_NET_AUDIENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "net/line.h"

struct presence__seat {
  struct presence__line *line; /* a reference */
  bool is_in_step;
  bool was_told; /* anything, by presence__audience_tell */
};

struct presence__audience {
  struct presence__seat *seats;
  size_t count;
  size_t capacity;
  const struct presence__allocator *allocator;
};

/* An empty audience; allocates nothing. allocator is *borrowed*, NULL means libc's. */
void presence__audience_init(struct presence__audience *a,
                             const struct presence__allocator *allocator);
/* Lets all lines go and frees its memory; it is empty then and may be used again. */
void presence__audience_clear(struct presence__audience *a);

/* Gives a line the seat after the last; it gets one more reference. A line that has several is told
   as often, but then not all or none when memory runs out. Amortised O(1). false: out of memory,
   nothing was changed. */
bool presence__audience_add(struct presence__audience *a, struct presence__line *line,
                            bool is_in_step);
/* Takes a seat away (place < count); who has the last one moves to it. O(1). */
void presence__audience_remove(struct presence__audience *a, size_t place);

/* Adds a message to every line but the one at `except` (count: to all). false: out of memory,
   nothing was added to anybody. O(count). */
bool presence__audience_send(struct presence__audience *a, struct presence__message *m,
                             size_t except);

/* Adds a message to every line that is in step and whose reader keeps up; one that does not is out
   of step then. *strays is how many are. With m NULL they are counted only. false: out of memory,
   nothing was changed. O(count). */
bool presence__audience_tell(struct presence__audience *a, struct presence__message *m,
                             size_t *strays);

#endif
