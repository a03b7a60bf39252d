/* The lines that are due, written. */
#include <string.h>

#include "net/line.h"

enum { pieces_at_once = 64 };

struct presence__due *presence__due_new(const struct presence__allocator *allocator) {
  if (!allocator) allocator = &presence__libc_allocator;
  struct presence__due *due = presence__alloc_new(allocator, sizeof *due);
  if (!due) return NULL;
  memset(due, 0, sizeof *due);
  due->references = 1;
  due->allocator = allocator;
  return due;
}

void presence__due_release(struct presence__due *due) {
  if (!due || --due->references > 0) return;
  presence__alloc_free(due->allocator, due->lines, due->capacity * sizeof *due->lines);
  presence__alloc_free(due->allocator, due, sizeof *due);
}

void presence__due_drop(struct presence__due *due, size_t count) {
  for (size_t i = 0; i < count; i++) {
    due->lines[i]->is_due = false;
    presence__line_release(due->lines[i]);
  }
  due->count -= count;
  if (due->count > 0) memmove(due->lines, due->lines + count, due->count * sizeof *due->lines);
}

void presence__due_clear(struct presence__due *due) {
  /* The last reference may be a line's. */
  due->references++;
  presence__due_drop(due, due->count);
  presence__due_release(due);
}

bool presence__due_tell(struct presence__due *due) {
  if (!due || due->count == 0 || due->is_told) return false;
  due->is_told = true;
  return true;
}

/* Drops what `written` bytes have carried; true when that was all of `wanted`. */
static bool take_written(struct presence__line *line, size_t written, size_t wanted) {
  line->sent += written;
  while (line->outbox.count > 0) {
    size_t size = presence__message_frame_size(presence__outbox_at(&line->outbox, 0));
    if (line->sent < size) break;
    line->sent -= size;
    presence__outbox_drop_front(&line->outbox);
  }
  return written == wanted;
}

/* Writes frames until none is left, or no more are taken. */
static void write_frames(struct presence__line *line, presence__write *write) {
  struct presence__piece pieces[pieces_at_once];
  size_t count, wanted;
  do {
    wanted = 0;
    for (count = 0; count < line->outbox.count && count < pieces_at_once; count++) {
      const struct presence__message *m = presence__outbox_at(&line->outbox, count);
      size_t skipped = count == 0 ? line->sent : 0;
      pieces[count].bytes = presence__message_frame(m) + skipped;
      pieces[count].size = presence__message_frame_size(m) - skipped;
      wanted += pieces[count].size;
    }
    if (!take_written(line, write(line->descriptor, pieces, count), wanted)) return;
  } while (line->outbox.count > 0);
}

/* Writes what may be written; true when there is something left that its owner must see to. */
static bool is_for_owner(struct presence__line *line, presence__write *write) {
  if (line->is_closed) return true;
  if (line->is_blocked) return line->has_overflowed;
  if (line->descriptor >= 0 && line->outbox.count > 0) write_frames(line, write);
  return line->outbox.count > 0;
}

size_t presence__due_write(struct presence__due *due, presence__write *write) {
  size_t kept = 0;
  due->is_told = false;
  for (size_t i = 0; i < due->count; i++) {
    struct presence__line *line = due->lines[i];
    if (is_for_owner(line, write)) {
      due->lines[kept++] = line;
    } else {
      line->is_due = false;
      presence__line_release(line);
    }
  }
  due->count = kept;
  return kept;
}
