/* Lines, what of them is due, and audiences. */
#include "cmocka_all.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failing_allocator.h"
#include "net/audience.h"

/* --- a kernel of our own: descriptor d takes as many bytes as room[d] says ----------------------
 */

enum { descriptors = 8 };
static struct presence__buf taken[descriptors];
static size_t room[descriptors];
static unsigned writes;

static size_t fake_write(int descriptor, const struct presence__piece *pieces, size_t count) {
  size_t written = 0;
  writes++;
  assert_in_range(descriptor, 0, descriptors - 1);
  assert_in_range(count, 1, 64);
  for (size_t i = 0; i < count && room[descriptor] > 0; i++) {
    assert_true(pieces[i].size > 0);
    size_t n = pieces[i].size < room[descriptor] ? pieces[i].size : room[descriptor];
    assert_true(presence__buf_append(&taken[descriptor], pieces[i].bytes, n));
    room[descriptor] -= n;
    written += n;
  }
  return written;
}

static int begin(void **state) {
  (void)state;
  writes = 0;
  for (int i = 0; i < descriptors; i++) {
    presence__buf_init(&taken[i], NULL);
    room[i] = SIZE_MAX;
  }
  return 0;
}

static int end(void **state) {
  (void)state;
  for (int i = 0; i < descriptors; i++)
    presence__buf_free(&taken[i]);
  return 0;
}

static void took(int descriptor, const char *bytes) {
  assert_int_equal(taken[descriptor].size, strlen(bytes));
  assert_memory_equal(taken[descriptor].data, bytes, strlen(bytes));
}

static struct presence__message *message(const char *text) {
  struct presence__message *m = presence__message_new(NULL, PRESENCE__WS_OP_TEXT, strlen(text));
  assert_non_null(m);
  memcpy(presence__message_payload(m), text, strlen(text));
  return m;
}

static void add(struct presence__line *line, const char *text) {
  struct presence__message *m = message(text);
  assert_true(presence__line_add(line, m));
  presence__message_release(m);
}

static struct presence__line *line_to(struct presence__due *due, int descriptor) {
  struct presence__line *line = presence__line_new(due, NULL);
  assert_non_null(line);
  line->has_frames = true;
  line->descriptor = descriptor;
  line->number = (uint64_t)descriptor + 100;
  return line;
}

/* --- lines ----------------------------------------------------------------------------------- */

static void writes_once_for_all_that_came(void **state) {
  (void)state;
  struct presence__due *due = presence__due_new(NULL);
  struct presence__line *a = line_to(due, 0), *b = line_to(due, 1);
  assert_false(presence__due_tell(due));
  add(a, "one");
  assert_true(presence__due_tell(due));
  assert_false(presence__due_tell(due)); /* somebody knows */
  add(b, "two");
  add(a, "three");
  assert_int_equal(due->count, 2);
  assert_int_equal(presence__due_write(due, fake_write), 0);
  assert_int_equal(writes, 2);
  took(0, "\x81\x03one\x81\x05three");
  took(1, "\x81\x03two");
  assert_int_equal(presence__line_bytes(a), 0);
  add(a, "four");
  assert_true(presence__due_tell(due));
  presence__line_release(a); /* what is due outlives whoever made it due */
  assert_int_equal(presence__due_write(due, fake_write), 0);
  took(0, "\x81\x03one\x81\x05three\x81\x04"
          "four");
  presence__line_release(b);
  presence__due_release(due);
}

static void leaves_to_owners_what_was_not_taken(void **state) {
  (void)state;
  struct presence__due *due = presence__due_new(NULL);
  struct presence__line *all = line_to(due, 0), *some = line_to(due, 1), *none = line_to(due, 2),
                        *other = line_to(due, 3);
  other->descriptor = -1;
  room[1] = 7;
  room[2] = 0;
  struct presence__line *lines[] = {some, all, none, other};
  for (size_t i = 0; i < 4; i++) {
    add(lines[i], "one");
    add(lines[i], "two");
  }
  assert_int_equal(presence__due_write(due, fake_write), 3);
  assert_ptr_equal(due->lines[0], some);
  assert_ptr_equal(due->lines[1], none);
  assert_ptr_equal(due->lines[2], other);
  took(0, "\x81\x03one\x81\x03two");
  took(1, "\x81\x03one\x81\x03");
  assert_int_equal(some->outbox.count, 1);
  assert_int_equal(some->sent, 2);
  assert_int_equal(presence__line_bytes(some), 3);
  assert_int_equal(presence__line_bytes(none), 10);
  presence__due_drop(due, due->count);
  assert_int_equal(due->count, 0);
  /* What was begun goes on where it stopped. */
  room[1] = SIZE_MAX;
  add(some, "x");
  assert_int_equal(presence__due_write(due, fake_write), 0);
  took(1, "\x81\x03one\x81\x03two\x81\x01x");
  assert_int_equal(some->sent, 0);
  for (size_t i = 0; i < 4; i++)
    presence__line_release(lines[i]);
  presence__due_release(due);
}

static void writes_more_than_pieces_of_one_call(void **state) {
  (void)state;
  struct presence__due *due = presence__due_new(NULL);
  struct presence__line *line = line_to(due, 0);
  for (int i = 0; i < 200; i++)
    add(line, "x");
  assert_int_equal(presence__due_write(due, fake_write), 0);
  assert_int_equal(writes, 4);
  assert_int_equal(taken[0].size, 600);
  presence__line_release(line);
  presence__due_release(due);
}

static void a_blocked_line_waits_within_its_bound(void **state) {
  (void)state;
  struct presence__due *due = presence__due_new(NULL);
  struct presence__line *line = line_to(due, 0);
  line->max_bytes = 10;
  presence__line_block(line, true);
  assert_false(presence__line_is_writable(line));
  add(line, "one");
  add(line, "two");
  assert_int_equal(due->count, 0); /* ten bytes */
  add(line, "");
  assert_int_equal(due->count, 1);
  assert_true(line->has_overflowed);
  assert_int_equal(presence__due_write(due, fake_write), 1);
  assert_int_equal(writes, 0);
  presence__due_drop(due, due->count);
  add(line, "more");
  assert_int_equal(due->count, 0); /* its owner has been told */
  presence__line_block(line, false);
  assert_int_equal(due->count, 1);
  assert_int_equal(presence__due_write(due, fake_write), 0);
  assert_int_equal(taken[0].size, 18);
  assert_memory_equal(taken[0].data, "\x81\x03one\x81\x03two\x81\x00\x81\x04more", 18);
  presence__line_release(line);
  presence__due_release(due);
}

static void without_frames_the_bound_counts_payloads(void **state) {
  (void)state;
  struct presence__due *due = presence__due_new(NULL);
  struct presence__line *line = presence__line_new(due, NULL);
  line->max_bytes = 6;
  presence__line_block(line, true);
  add(line, "one");
  add(line, "two");
  assert_false(line->has_overflowed);
  add(line, "3");
  assert_true(line->has_overflowed);
  assert_int_equal(presence__line_bytes(line), 7);
  presence__due_clear(due);
  presence__line_release(line);
  presence__due_release(due);
}

static void a_closed_line_is_its_owners(void **state) {
  (void)state;
  struct presence__due *due = presence__due_new(NULL);
  struct presence__line *line = line_to(due, 0), *gone = line_to(due, 1);
  add(line, "last");
  presence__line_close(line);
  add(line, "too late");
  assert_int_equal(line->outbox.count, 1);
  add(gone, "never");
  presence__line_abandon(gone);
  add(gone, "never");
  assert_int_equal(gone->outbox.count, 0);
  assert_int_equal(presence__due_write(due, fake_write), 2);
  assert_int_equal(writes, 0);
  assert_int_equal(due->lines[0]->number, 100);
  presence__due_clear(due);
  presence__line_release(line);
  presence__line_release(gone);
  presence__due_release(due);
}

static void what_is_due_may_end_before_its_lines(void **state) {
  (void)state;
  struct failing f;
  failing_init(&f, 0);
  struct presence__due *due = presence__due_new(&f.allocator);
  struct presence__line *line = presence__line_new(due, &f.allocator);
  add(line, "x");
  presence__line_release(line); /* only the list holds it */
  presence__due_clear(due);
  presence__due_release(due);
  assert_int_equal(f.blocks_alive, 0);
  due = presence__due_new(&f.allocator);
  line = presence__line_new(due, &f.allocator);
  presence__due_release(due);
  add(line, "x"); /* it holds the list */
  presence__due_clear(line->due);
  presence__line_release(line);
  presence__line_release(NULL);
  presence__due_release(NULL);
  assert_int_equal(f.blocks_alive, 0);
  assert_int_equal(f.bytes_alive, 0);
  line = presence__line_new(NULL, &f.allocator); /* of nobody's list */
  assert_false(presence__due_tell(line->due));
  add(line, "x");
  presence__line_close(line);
  presence__line_release(line);
  assert_int_equal(f.blocks_alive, 0);
}

/* --- audiences ------------------------------------------------------------------------------- */

static void everybody_is_sent_the_same_but_one(void **state) {
  (void)state;
  struct presence__due *due = presence__due_new(NULL);
  struct presence__audience a;
  struct presence__line *lines[4];
  struct presence__message *m = message("news");
  presence__audience_init(&a, NULL);
  for (int i = 0; i < 4; i++) {
    lines[i] = line_to(due, i);
    assert_true(presence__audience_add(&a, lines[i], true));
  }
  presence__line_close(lines[3]);
  assert_true(presence__audience_send(&a, m, 1));
  assert_true(presence__audience_send(&a, m, a.count));
  assert_int_equal(m->references, 1 + 2 + 1 + 2);
  assert_int_equal(presence__due_write(due, fake_write), 1); /* the closed one */
  presence__due_drop(due, due->count);
  took(0, "\x81\x04news\x81\x04news");
  took(1, "\x81\x04news");
  took(2, "\x81\x04news\x81\x04news");
  took(3, "");
  presence__message_release(m);
  presence__audience_clear(&a);
  assert_int_equal(a.count, 0);
  for (int i = 0; i < 4; i++)
    presence__line_release(lines[i]);
  presence__due_release(due);
}

static void the_last_one_takes_the_place_of_who_leaves(void **state) {
  (void)state;
  struct failing f;
  struct presence__audience a;
  struct presence__line *lines[40];
  failing_init(&f, 0);
  presence__audience_init(&a, &f.allocator);
  for (size_t i = 0; i < 40; i++) {
    lines[i] = presence__line_new(NULL, NULL);
    assert_true(presence__audience_add(&a, lines[i], i % 2));
  }
  presence__audience_remove(&a, 3);
  assert_ptr_equal(a.seats[3].line, lines[39]);
  assert_true(a.seats[3].is_in_step);
  presence__audience_remove(&a, 38);
  assert_int_equal(a.count, 38);
  assert_int_equal(lines[3]->references, 1);
  while (a.count) {
    presence__audience_remove(&a, a.count / 2);
    assert_true(f.bytes_alive <= sizeof *a.seats * (4 * a.count + 4));
  }
  for (size_t i = 0; i < 40; i++) {
    assert_int_equal(lines[i]->references, 1);
    presence__line_release(lines[i]);
  }
  presence__audience_clear(&a);
  assert_int_equal(f.blocks_alive, 0);
}

static void who_does_not_keep_up_falls_out_of_step(void **state) {
  (void)state;
  struct presence__due *due = presence__due_new(NULL);
  struct presence__audience a;
  struct presence__line *lines[3];
  struct presence__message *m = message("diff");
  size_t strays;
  presence__audience_init(&a, NULL);
  for (int i = 0; i < 3; i++) {
    lines[i] = line_to(due, i);
    assert_true(presence__audience_add(&a, lines[i], i != 2)); /* the third joined meanwhile */
  }
  presence__line_block(lines[1], true);
  assert_true(presence__audience_tell(&a, NULL, &strays)); /* nothing to tell: nobody misses it */
  assert_int_equal(strays, 1);
  assert_true(a.seats[1].is_in_step);
  assert_true(presence__audience_tell(&a, m, &strays));
  assert_int_equal(strays, 2);
  assert_true(a.seats[0].is_in_step && a.seats[0].was_told);
  assert_false(a.seats[1].is_in_step || a.seats[1].was_told);
  assert_false(a.seats[2].was_told);
  presence__line_block(lines[1], false);
  assert_true(presence__audience_tell(&a, m, &strays)); /* reading on does not bring it back */
  assert_int_equal(strays, 2);
  a.seats[1].is_in_step = true;
  assert_true(presence__audience_tell(&a, m, &strays));
  assert_int_equal(strays, 1);
  assert_int_equal(presence__due_write(due, fake_write), 0);
  took(0, "\x81\x04"
          "diff\x81\x04"
          "diff\x81\x04"
          "diff");
  took(1, "\x81\x04"
          "diff");
  took(2, "");
  presence__message_release(m);
  presence__audience_clear(&a);
  for (int i = 0; i < 3; i++)
    presence__line_release(lines[i]);
  presence__due_release(due);
}

/* Whatever allocation fails, a message goes to all or to none; sent and told in turns, in either
   order, so that outboxes grow at both. */
static bool fan_out(struct failing *f, int first, size_t *sent) {
  struct presence__due *due = presence__due_new(&f->allocator);
  struct presence__audience a;
  struct presence__message *m = message("x");
  size_t strays;
  bool done = due != NULL;
  *sent = 0;
  presence__audience_init(&a, &f->allocator);
  for (int i = 0; done && i < 20; i++) {
    struct presence__line *line = presence__line_new(due, &f->allocator);
    done = line && presence__audience_add(&a, line, true);
    presence__line_release(line);
  }
  for (int i = first; done && i < first + 9; i++) {
    done =
        i % 2 ? presence__audience_send(&a, m, a.count) : presence__audience_tell(&a, m, &strays);
    if (done) ++*sent;
  }
  for (size_t i = 0; i < a.count; i++)
    assert_int_equal(a.seats[i].line->outbox.count, *sent);
  assert_int_equal(m->references, 1 + a.count * *sent);
  if (due) presence__due_clear(due);
  presence__audience_clear(&a);
  presence__due_release(due);
  assert_int_equal(m->references, 1);
  presence__message_release(m);
  return done;
}

static void every_failed_allocation_adds_to_nobody(void **state) {
  (void)state;
  struct failing f;
  size_t sent;
  for (int first = 0; first < 2; first++) {
    long n = 1;
    do {
      failing_init(&f, n);
      (void)fan_out(&f, first, &sent);
      assert_int_equal(f.blocks_alive, 0);
      assert_int_equal(f.bytes_alive, 0);
    } while (f.requests >= n++);
    assert_int_equal(sent, 9);
  }
}

static void a_line_of_its_own_is_whole_when_memory_runs_out(void **state) {
  (void)state;
  struct failing f;
  failing_init(&f, 0);
  struct presence__line *line = presence__line_new(NULL, &f.allocator);
  struct presence__message *m = message("news");
  while (line->outbox.count < line->outbox.capacity)
    assert_true(presence__line_add(line, m));
  size_t count = line->outbox.count;
  f.fail_at = f.requests + 1;
  assert_false(presence__line_add(line, m));
  assert_int_equal(line->outbox.count, count);
  assert_int_equal(m->references, 1 + count);
  assert_true(presence__line_add(line, m));
  presence__line_release(line);
  presence__message_release(m);
  assert_int_equal(f.blocks_alive, 0);
}

/* One seat of two may be told before memory runs out; that it did is said. */
static void a_line_of_two_seats_says_that_memory_ran_out(void **state) {
  (void)state;
  for (int told = 0; told < 2; told++) {
    struct failing f;
    failing_init(&f, 0);
    struct presence__line *line = presence__line_new(NULL, &f.allocator);
    struct presence__audience a;
    presence__audience_init(&a, NULL);
    assert_true(presence__audience_add(&a, line, true));
    assert_true(presence__audience_add(&a, line, true));
    struct presence__message *m = message("news");
    size_t strays;
    while (line->outbox.count + 1 < line->outbox.capacity)
      assert_true(presence__line_add(line, m));
    f.fail_at = f.requests + 1;
    assert_false(told ? presence__audience_tell(&a, m, &strays)
                      : presence__audience_send(&a, m, a.count));
    assert_int_equal(line->outbox.count, line->outbox.capacity);
    presence__audience_clear(&a);
    presence__line_release(line);
    assert_int_equal(m->references, 1);
    presence__message_release(m);
    assert_int_equal(f.blocks_alive, 0);
  }
}

static void a_closed_line_is_not_told(void **state) {
  (void)state;
  struct presence__line *open = presence__line_new(NULL, NULL),
                        *closed = presence__line_new(NULL, NULL);
  struct presence__audience a;
  presence__audience_init(&a, NULL);
  assert_true(presence__audience_add(&a, open, true));
  assert_true(presence__audience_add(&a, closed, true));
  presence__line_close(closed);
  struct presence__message *m = message("news");
  size_t strays;
  assert_true(presence__audience_tell(&a, m, &strays));
  assert_int_equal(strays, 1);
  assert_int_equal(open->outbox.count, 1);
  assert_int_equal(closed->outbox.count, 0);
  presence__audience_clear(&a);
  presence__line_release(open);
  presence__line_release(closed);
  presence__message_release(m);
}

static void sizes_do_not_overflow(void **state) {
  (void)state;
  struct failing f;
  failing_init(&f, 0);
  struct presence__due *due = presence__due_new(&f.allocator);
  struct presence__audience a;
  struct presence__line *line = presence__line_new(NULL, NULL);
  presence__audience_init(&a, &f.allocator);
  long requests = f.requests;
  due->members = due->capacity = SIZE_MAX / 16 + 1;
  assert_null(presence__line_new(due, NULL));
  a.count = a.capacity = SIZE_MAX / 16;
  assert_false(presence__audience_add(&a, line, true));
  assert_int_equal(f.requests, requests);
  due->members = due->capacity = a.count = a.capacity = 0;
  presence__line_release(line);
  presence__due_release(due);
  assert_int_equal(f.blocks_alive, 0);
}

/* At random: whatever is added, blocked and written by pieces, each descriptor gets its frames
   whole and in order; what its line still holds is the rest of them. */
static void random_writes_keep_every_order(void **state) {
  (void)state;
  const char *given = getenv("PRESENCE_SEED");
  unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : 20240607u;
  print_message("PRESENCE_SEED=%u\n", seed);
  struct presence__due *due = presence__due_new(NULL);
  struct presence__line *lines[descriptors];
  struct presence__buf wanted[descriptors];
  for (int i = 0; i < descriptors; i++) {
    lines[i] = line_to(due, i);
    presence__buf_init(&wanted[i], NULL);
  }
  for (unsigned step = 0; step < 20000; step++) {
    seed = seed * 1103515245u + 12345u;
    unsigned dice = seed >> 16, i = dice % descriptors;
    char text[24];
    snprintf(text, sizeof text, "%u%.*s", step, (int)(dice % 7), "abcdefg");
    struct presence__line *line = lines[i];
    if (dice / 8 % 4 < 2) {
      struct presence__message *m = message(text);
      assert_true(presence__line_add(line, m));
      assert_true(presence__buf_append(&wanted[i], presence__message_frame(m),
                                       presence__message_frame_size(m)));
      presence__message_release(m);
    } else if (dice / 8 % 4 == 2) {
      presence__line_block(line, dice % 3 == 0);
      room[i] = dice % 5 ? dice % 40 : 0;
    } else {
      (void)presence__due_write(due, fake_write);
      presence__due_drop(due, due->count);
    }
    size_t left = presence__line_bytes(line);
    assert_int_equal(taken[i].size + left, wanted[i].size);
    assert_memory_equal(taken[i].data ? taken[i].data : "", wanted[i].data ? wanted[i].data : "",
                        taken[i].size);
    char *rest = malloc(left + 1);
    size_t copied;
    assert_int_equal(presence__outbox_copy_frames(&line->outbox, line->sent, rest, left, &copied),
                     line->outbox.count);
    assert_int_equal(copied, left);
    assert_memory_equal(rest, (wanted[i].data ? wanted[i].data : "") + taken[i].size, left);
    free(rest);
  }
  presence__due_clear(due);
  for (int i = 0; i < descriptors; i++) {
    presence__line_release(lines[i]);
    presence__buf_free(&wanted[i]);
  }
  presence__due_release(due);
}

static void who_becomes_due_meanwhile_stays_due(void **state) {
  (void)state;
  struct presence__due *due = presence__due_new(NULL);
  struct presence__line *a = line_to(due, -1), *b = line_to(due, -1), *c = line_to(due, -1);
  add(a, "one");
  add(b, "two");
  size_t count = presence__due_write(due, fake_write);
  assert_int_equal(count, 2);
  add(c, "three");
  presence__due_drop(due, count);
  assert_int_equal(due->count, 1);
  assert_ptr_equal(due->lines[0], c);
  assert_true(c->is_due && !a->is_due && !b->is_due);
  presence__due_clear(due);
  presence__line_release(a);
  presence__line_release(b);
  presence__line_release(c);
  presence__due_release(due);
}

static void nothing_is_written_for_an_empty_line(void **state) {
  (void)state;
  struct presence__due *due = presence__due_new(NULL);
  struct presence__line *line = line_to(due, 0);
  add(line, "one");
  presence__line_clear(line);
  assert_int_equal(presence__due_write(due, fake_write), 0);
  assert_int_equal(writes, 0);
  presence__line_release(line);
  presence__due_release(due);
}

static void the_bound_holds_again_after_the_reader_read_on(void **state) {
  (void)state;
  struct presence__due *due = presence__due_new(NULL);
  struct presence__line *line = line_to(due, -1);
  line->max_bytes = 8;
  presence__line_block(line, true);
  add(line, "0123456789");
  assert_true(line->has_overflowed);
  presence__line_block(line, false); /* before its owner was told */
  assert_int_equal(presence__due_write(due, fake_write), 1);
  presence__due_drop(due, 1);
  presence__line_clear(line);
  presence__line_block(line, true);
  add(line, "0123456789");
  assert_int_equal(presence__due_write(due, fake_write), 1);
  presence__due_drop(due, 1);
  presence__line_release(line);
  presence__due_release(due);
}

static void a_line_may_have_two_seats(void **state) {
  (void)state;
  struct presence__line *line = presence__line_new(NULL, NULL);
  struct presence__audience a;
  presence__audience_init(&a, NULL);
  assert_true(presence__audience_add(&a, line, true));
  assert_true(presence__audience_add(&a, line, true));
  struct presence__message *m = message("news");
  size_t strays;
  add(line, "first");
  assert_true(presence__audience_send(&a, m, a.count));
  add(line, "last");
  assert_true(presence__audience_tell(&a, m, &strays));
  assert_int_equal(line->outbox.count, 6);
  assert_int_equal(m->references, 1 + 4);
  presence__audience_clear(&a);
  presence__line_release(line);
  assert_int_equal(m->references, 1);
  presence__message_release(m);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(writes_once_for_all_that_came),
      TEST(leaves_to_owners_what_was_not_taken),
      TEST(writes_more_than_pieces_of_one_call),
      TEST(a_blocked_line_waits_within_its_bound),
      TEST(without_frames_the_bound_counts_payloads),
      TEST(a_closed_line_is_its_owners),
      TEST(what_is_due_may_end_before_its_lines),
      TEST(everybody_is_sent_the_same_but_one),
      TEST(the_last_one_takes_the_place_of_who_leaves),
      TEST(who_does_not_keep_up_falls_out_of_step),
      TEST(every_failed_allocation_adds_to_nobody),
      TEST(a_line_of_its_own_is_whole_when_memory_runs_out),
      TEST(a_line_of_two_seats_says_that_memory_ran_out),
      TEST(a_closed_line_is_not_told),
      TEST(sizes_do_not_overflow),
      TEST(who_becomes_due_meanwhile_stays_due),
      TEST(nothing_is_written_for_an_empty_line),
      TEST(the_bound_holds_again_after_the_reader_read_on),
      TEST(a_line_may_have_two_seats),
      TEST(random_writes_keep_every_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
