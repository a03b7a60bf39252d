/* The way out to one connection: an outbox, and whether it may be written. Lines are shared: by
   Lua's object of the connection, by the audiences it belongs to, and, while it has something to
   write, by the list of lines that are due.

     add ─► outbox ─► due (once) ─► written: frames to a descriptor at once, else by its owner
              │
              └─ blocked: waits, within max_bytes; over it: due, for its owner to end it */
#ifndef PRESENCE_NET_LINE_H
#define PRESENCE_NET_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/outbox.h"

/* Lines that have something to write or to tell, in the order in which they came to have it. */
struct presence__due {
  struct presence__line **lines; /* a reference each */
  size_t count;
  size_t capacity; /* enough for all lines that may become due */
  size_t members;  /* those lines */
  size_t references;
  bool is_told; /* somebody was told that there are some, and will write them */
  const struct presence__allocator *allocator;
};

struct presence__line {
  struct presence__outbox outbox;
  struct presence__due *due; /* a reference, or NULL: nobody is told */
  size_t references;
  size_t max_bytes;               /* that may wait while it is blocked */
  size_t sent;                    /* bytes of the oldest frame that are written */
  struct presence__message *held; /* one more message, for who reads it out; a reference or NULL */
  uint64_t number;                /* what its owner calls it */
  int descriptor;                 /* to which frames may be written at once, or -1 */
  bool has_frames;                /* it takes frames; otherwise whole messages */
  bool is_due;
  bool is_blocked; /* its reader does not keep up */
  bool is_closed;  /* nothing more is taken; what waits is for its owner to write */
  bool has_overflowed;
};

/* *New*, with one reference. allocator is *borrowed*, NULL means libc's. NULL: out of memory. */
struct presence__due *presence__due_new(const struct presence__allocator *allocator);
/* One reference less; the last one frees it. NULL is nothing. */
void presence__due_release(struct presence__due *due);
/* Forgets all lines that are due: with a reference to each other, neither would ever go. */
void presence__due_clear(struct presence__due *due);
/* True when lines are due and nobody has been told so since the last presence__due_write. */
bool presence__due_tell(struct presence__due *due);

/* Writes bytes to a descriptor without waiting: pieces one after another, as many bytes as it
   takes. 0 when it takes none, for whatever reason. */
struct presence__piece {
  const char *bytes;
  size_t size;
};
typedef size_t presence__write(int descriptor, const struct presence__piece *pieces, size_t count);

/* Writes every line that is due and takes frames by a descriptor. Those that are for their owners
   stay at the front of the list, in order: what has no descriptor, was not taken whole, is closed
   or has overflowed. Their number is returned; presence__due_drop lets go of the first so many, for
   others may have become due meanwhile. */
size_t presence__due_write(struct presence__due *due, presence__write *write);
void presence__due_drop(struct presence__due *due, size_t count);

/* *New*, with one reference, open, not blocked, without descriptor and bound. due may be NULL;
   otherwise it gets one more reference, and room for this line, so that nothing fails for want of
   memory when it becomes due. NULL: out of memory. */
struct presence__line *presence__line_new(struct presence__due *due,
                                          const struct presence__allocator *allocator);
void presence__line_release(struct presence__line *line);
static inline struct presence__line *presence__line_retain(struct presence__line *line) {
  line->references++;
  return line;
}

/* Queues a message, with a reference of its own; on a closed line does nothing. false: out of
   memory, nothing was changed. Amortised O(1). */
bool presence__line_add(struct presence__line *line, struct presence__message *m);

/* For those who must add to all or to none: after it was true, one `add` cannot fail. */
bool presence__line_reserve(struct presence__line *line);

/* Would presence__line_add be of use to a reader that keeps up? */
static inline bool presence__line_is_writable(const struct presence__line *line) {
  return !line->is_blocked && !line->is_closed;
}

/* Its reader does not keep up, or does again. */
void presence__line_block(struct presence__line *line, bool is_blocked);

/* Takes nothing more; its owner gets it once more, to write what waits. */
void presence__line_close(struct presence__line *line);

/* The connection is gone: nothing waits, nothing is written. */
void presence__line_abandon(struct presence__line *line);

/* Bytes that wait. */
static inline size_t presence__line_bytes(const struct presence__line *line) {
  return line->has_frames ? line->outbox.frame_bytes - line->sent : line->outbox.payload_bytes;
}

/* Forgets what waits. */
void presence__line_clear(struct presence__line *line);

#endif
