#include "net/line.h"

#include <stdint.h>
#include <string.h>

/* Room for one more line; false when memory ran out. */
static bool become_member(struct presence__due *due) {
  if (due->members == due->capacity) {
    size_t capacity = due->capacity ? due->capacity * 2 : 16;
    if (capacity > SIZE_MAX / sizeof *due->lines) return false;
    struct presence__line **lines =
        due->allocator->reallocate(due->allocator->context, due->lines,
                                   due->capacity * sizeof *lines, capacity * sizeof *lines);
    if (!lines) return false;
    due->lines = lines;
    due->capacity = capacity;
  }
  due->members++;
  due->references++;
  return true;
}

struct presence__line *presence__line_new(struct presence__due *due,
                                          const struct presence__allocator *allocator) {
  if (!allocator) allocator = &presence__libc_allocator;
  struct presence__line *line = presence__alloc_new(allocator, sizeof *line);
  if (!line) return NULL;
  if (due && !become_member(due)) {
    presence__alloc_free(allocator, line, sizeof *line);
    return NULL;
  }
  memset(line, 0, sizeof *line);
  presence__outbox_init(&line->outbox, allocator);
  line->references = 1;
  line->max_bytes = SIZE_MAX;
  line->descriptor = -1;
  line->due = due;
  return line;
}

void presence__line_release(struct presence__line *line) {
  if (!line || --line->references > 0) return;
  presence__outbox_clear(&line->outbox);
  presence__message_release(line->held);
  if (line->due) {
    line->due->members--;
    presence__due_release(line->due);
  }
  presence__alloc_free(line->outbox.allocator, line, sizeof *line);
}

static void become_due(struct presence__line *line) {
  if (line->is_due || !line->due) return;
  line->is_due = true;
  line->due->lines[line->due->count++] = presence__line_retain(line);
}

bool presence__line_reserve(struct presence__line *line) {
  return line->is_closed || presence__outbox_reserve(&line->outbox);
}

static void put(struct presence__line *line, struct presence__message *m) {
  if (line->is_closed) return;
  presence__outbox_put(&line->outbox, m);
  if (!line->is_blocked) {
    become_due(line);
  } else if (!line->has_overflowed && presence__line_bytes(line) > line->max_bytes) {
    line->has_overflowed = true;
    become_due(line);
  }
}

bool presence__line_add(struct presence__line *line, struct presence__message *m) {
  if (!presence__line_reserve(line)) return false;
  put(line, m);
  return true;
}

void presence__line_block(struct presence__line *line, bool is_blocked) {
  line->is_blocked = is_blocked;
  line->has_overflowed = false;
  if (!is_blocked && line->outbox.count > 0) become_due(line);
}

void presence__line_close(struct presence__line *line) {
  line->is_closed = true;
  become_due(line);
}

void presence__line_clear(struct presence__line *line) {
  presence__outbox_clear(&line->outbox);
  line->sent = 0;
}

void presence__line_abandon(struct presence__line *line) {
  presence__line_clear(line);
  line->is_closed = true;
  line->descriptor = -1;
}
