/* The WebSocket decoder: the same events however the bytes are split, hostile frames, limits, and
   memory that runs out. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failing_allocator.h"
#include "net/frame.h"
#include "net/websocket.h"

static const char mask[4] = {'\x37', '\xFA', '\x21', '\x3D'};

static void put_frame(struct presence__buf *b, unsigned first_byte, const char *payload, size_t n) {
  char *dst = presence__buf_reserve(b, PRESENCE__WS_MASKED_HEAD_MAX + n);
  assert_non_null(dst);
  size_t head = presence__ws_write_head(dst, first_byte & 15, false, n, mask);
  dst[0] = (char)first_byte;
  if (n) memcpy(dst + head, payload, n);
  presence__ws_mask(dst + head, n, mask);
  b->size += head + n;
}

static void note(struct presence__buf *log, const struct presence__ws_event *event) {
  static const char *const names[] = {"", "text", "binary", "ping", "pong", "close", "error"};
  char head[64];
  int n = snprintf(head, sizeof head, "%s %u [", names[event->kind], event->code);
  presence__buf_append(log, head, (size_t)n);
  presence__buf_append(log, event->data, event->size);
  assert_true(presence__buf_append(log, "]\n", 2));
}

static void drain(struct presence__ws *ws, struct presence__buf *log) {
  struct presence__ws_event event;
  for (;;) {
    enum presence__ws_kind kind = presence__ws_next(ws, &event);
    if (kind == PRESENCE__WS_NO_MEMORY) continue; /* the allocator fails once only */
    if (kind == PRESENCE__WS_NEEDS_MORE) return;
    note(log, &event);
  }
}

/* Feeds exact copies, so that sanitizers see a read beyond them. */
static void feed(struct presence__ws *ws, const char *bytes, size_t n) {
  char *copy = malloc(n ? n : 1);
  assert_non_null(copy);
  memcpy(copy, bytes, n);
  if (!presence__ws_feed(ws, copy, n)) assert_true(presence__ws_feed(ws, copy, n));
  free(copy);
}

enum { limit = 300, fragments = 8 };

/* Decodes the stream cut at a and b and appends what happened to log. */
static void decode(const char *bytes, size_t n, size_t a, size_t b, struct presence__buf *log,
                   const struct presence__allocator *allocator) {
  struct presence__ws ws;
  presence__ws_init(&ws, PRESENCE__WS_SERVER, limit, fragments, allocator);
  feed(&ws, bytes, a);
  drain(&ws, log);
  feed(&ws, bytes + a, b - a);
  drain(&ws, log);
  feed(&ws, bytes + b, n - b);
  drain(&ws, log);
  presence__ws_free(&ws);
}

static void decode_bytewise(const char *bytes, size_t n, struct presence__buf *log) {
  struct presence__ws ws;
  presence__ws_init(&ws, PRESENCE__WS_SERVER, limit, fragments, NULL);
  for (size_t i = 0; i < n; i++) {
    feed(&ws, bytes + i, 1);
    drain(&ws, log);
  }
  presence__ws_free(&ws);
}

/* Frames as "first byte, payload", ended by an empty one, and the events they must give. */
struct frame {
  unsigned first;
  const char *payload;
};
struct stream {
  struct frame frames[10];
  const char *events;
};

static const struct stream streams[] = {
    {{{0x81, "hello"}}, "text 0 [hello]\n"},
    {{{0x81, ""}}, "text 0 []\n"},
    {{{0x82, "\xFF\xFE"}}, "binary 0 [\xFF\xFE]\n"},
    {{{0x81, "a"}, {0x81, "b"}, {0x82, "c"}}, "text 0 [a]\ntext 0 [b]\nbinary 0 [c]\n"},
    {{{0x01, "hel"}, {0x80, "lo"}}, "text 0 [hello]\n"},
    {{{0x01, ""}, {0x00, ""}, {0x80, ""}}, "text 0 []\n"},
    {{{0x01, "a"}, {0x89, "p"}, {0x00, "b"}, {0x8A, "q"}, {0x80, "c"}, {0x81, "d"}},
     "ping 0 [p]\npong 0 [q]\ntext 0 [abc]\ntext 0 [d]\n"},
    {{{0x01, "\xF0\x9F"}, {0x89, ""}, {0x80, "\x98\x80"}},
     "ping 0 []\ntext 0 [\xF0\x9F\x98\x80]\n"},
    {{{0x02, "\xC3"}, {0x80, "\x28"}}, "binary 0 [\xC3\x28]\n"},
    {{{0x88, ""}}, "close 0 []\n"},
    {{{0x88, "\x03\xE8"}}, "close 1000 []\n"},
    {{{0x88, "\x03\xE9gone \xC3\xA9"}}, "close 1001 [gone \xC3\xA9]\n"},
    {{{0x88, "\x0F\xA0"}, {0x81, "late"}}, "close 4000 []\n"},
    {{{0x01, "a"}, {0x88, "\x03\xE8"}, {0x80, "b"}}, "close 1000 []\n"},
    {{{0x81, "ok"}, {0x88, "\x03\xE8"}}, "text 0 [ok]\nclose 1000 []\n"},
    /* broken ones: everything before the fault is delivered, nothing after it */
    {{{0x81, "ok"}, {0xC1, "x"}, {0x81, "late"}}, "text 0 [ok]\nerror 1002 [reserved bit]\n"},
    {{{0xA1, "x"}}, "error 1002 [reserved bit]\n"},
    {{{0x91, "x"}}, "error 1002 [reserved bit]\n"},
    {{{0xC9, "x"}}, "error 1002 [reserved bit]\n"},
    {{{0x83, "x"}}, "error 1002 [unknown opcode]\n"},
    {{{0x87, "x"}}, "error 1002 [unknown opcode]\n"},
    {{{0x8B, "x"}}, "error 1002 [unknown opcode]\n"},
    {{{0x8F, "x"}}, "error 1002 [unknown opcode]\n"},
    {{{0x09, "x"}}, "error 1002 [fragmented control frame]\n"},
    {{{0x08, ""}}, "error 1002 [fragmented control frame]\n"},
    {{{0x80, "x"}}, "error 1002 [continuation of nothing]\n"},
    {{{0x00, "x"}}, "error 1002 [continuation of nothing]\n"},
    {{{0x01, "x"}, {0x80, "y"}, {0x80, "z"}},
     "text 0 [xy]\nerror 1002 [continuation of nothing]\n"},
    {{{0x01, "x"}, {0x81, "y"}}, "error 1002 [message inside a message]\n"},
    {{{0x01, "x"}, {0x02, "y"}}, "error 1002 [message inside a message]\n"},
    {{{0x81, "\xFF"}}, "error 1007 [text is not UTF-8]\n"},
    {{{0x81, "\xED\xA0\x80"}}, "error 1007 [text is not UTF-8]\n"},
    {{{0x01, "\xF0\x9F"}, {0x80, "x"}}, "error 1007 [text is not UTF-8]\n"},
    {{{0x01, "a"}, {0x80, "\xC3"}}, "error 1007 [text is not UTF-8]\n"},
    {{{0x88, "\x03"}}, "error 1002 [half a close code]\n"},
    {{{0x88, "\x03\xE7"}}, "error 1002 [bad close code]\n"},
    {{{0x88, "\x03\xEC"}}, "error 1002 [bad close code]\n"},
    {{{0x88, "\x03\xED"}}, "error 1002 [bad close code]\n"},
    {{{0x88, "\x03\xEE"}}, "error 1002 [bad close code]\n"},
    {{{0x88, "\x03\xF7"}}, "error 1002 [bad close code]\n"},
    {{{0x88, "\x0B\xB7"}}, "error 1002 [bad close code]\n"},
    {{{0x88, "\x13\x88"}}, "error 1002 [bad close code]\n"},
    {{{0x88, "\xFF\xFF"}}, "error 1002 [bad close code]\n"},
    {{{0x88, "\x03\xE8\xFF"}}, "error 1007 [close reason is not UTF-8]\n"},
    {{{0x01, "1"},
      {0x00, "2"},
      {0x00, "3"},
      {0x00, "4"},
      {0x00, "5"},
      {0x00, "6"},
      {0x00, "7"},
      {0x80, "8"}},
     "text 0 [12345678]\n"},
    {{{0x01, "1"},
      {0x00, "2"},
      {0x00, "3"},
      {0x00, "4"},
      {0x00, "5"},
      {0x00, "6"},
      {0x00, "7"},
      {0x00, "8"},
      {0x80, ""}},
     "error 1009 [too many fragments]\n"},
};
enum { stream_count = sizeof streams / sizeof *streams };

static void build(const struct stream *stream, struct presence__buf *b) {
  presence__buf_init(b, NULL);
  for (const struct frame *f = stream->frames; f->payload; f++)
    put_frame(b, f->first, f->payload, strlen(f->payload));
}

static void log_is(struct presence__buf *log, const char *expected, size_t a, size_t b) {
  presence__buf_push(log, '\0');
  if (strcmp(log->data, expected) != 0)
    fail_msg("cut at %zu and %zu: got\n%sinstead of\n%s", a, b, log->data, expected);
  presence__buf_free(log);
}

static void every_split_gives_the_same_events(void **state) {
  (void)state;
  for (size_t i = 0; i < stream_count; i++) {
    struct presence__buf bytes, log;
    build(&streams[i], &bytes);
    for (size_t a = 0; a <= bytes.size; a++) {
      for (size_t b = a; b <= bytes.size; b++) {
        presence__buf_init(&log, NULL);
        decode(bytes.data, bytes.size, a, b, &log, NULL);
        log_is(&log, streams[i].events, a, b);
      }
    }
    presence__buf_init(&log, NULL);
    decode_bytewise(bytes.data, bytes.size, &log);
    log_is(&log, streams[i].events, 0, 0);
    presence__buf_free(&bytes);
  }
}

static void every_failed_allocation_loses_nothing(void **state) {
  (void)state;
  for (size_t i = 0; i < stream_count; i++) {
    struct presence__buf bytes;
    build(&streams[i], &bytes);
    for (size_t a = 0; a <= bytes.size; a += 3) {
      for (long n = 1;; n++) {
        struct failing f;
        struct presence__buf log;
        failing_init(&f, n);
        presence__buf_init(&log, NULL);
        decode(bytes.data, bytes.size, a, bytes.size, &log, &f.allocator);
        log_is(&log, streams[i].events, a, (size_t)n);
        assert_int_equal(f.blocks_alive, 0);
        assert_int_equal(f.bytes_alive, 0);
        if (f.requests < n) break;
      }
    }
    presence__buf_free(&bytes);
  }
}

/* Raw heads: what put_frame cannot write. */
static void heads_that_lie_are_refused(void **state) {
  (void)state;
  static const struct {
    const char *bytes;
    size_t size;
    unsigned code;
    const char *reason;
  } cases[] = {
      {"\x81\x05hello", 7, 1002, "unmasked frame"},
      {"\x81\x00", 2, 1002, "unmasked frame"},
      {"\x89\x00", 2, 1002, "unmasked frame"},
      {"\x89\xFE\x00\x7E", 4, 1002, "long control frame"},
      {"\x88\xFF", 2, 1002, "long control frame"},
      {"\x81\xFE\x00\x7D\1\2\3\4", 8, 1002, "bad length"},
      {"\x81\xFE\x00\x00\1\2\3\4", 8, 1002, "bad length"},
      {"\x81\xFF\0\0\0\0\0\0\xFF\xFF\1\2\3\4", 14, 1002, "bad length"},
      {"\x81\xFF\x80\0\0\0\0\0\0\0\1\2\3\4", 14, 1002, "bad length"},
      {"\x81\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\1\2\3\4", 14, 1002, "bad length"},
      {"\x81\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF\1\2\3\4", 14, 1009, "message too large"},
      {"\x81\xFE\x01\x2D\1\2\3\4", 8, 1009, "message too large"},
      {"\x82\xFF\0\0\0\0\0\1\0\0\1\2\3\4", 14, 1009, "message too large"},
      {"GET / HTTP/1.1", 14, 1002, "reserved bit"},
      {"\x16\x03\x01\x02", 4, 1002, "reserved bit"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    for (size_t a = 0; a <= cases[i].size; a++) {
      struct presence__buf log;
      char expected[64];
      snprintf(expected, sizeof expected, "error %u [%s]\n", cases[i].code, cases[i].reason);
      presence__buf_init(&log, NULL);
      decode(cases[i].bytes, cases[i].size, a, cases[i].size, &log, NULL);
      log_is(&log, expected, a, i);
    }
  }
}

static void sizes_are_decoded_at_their_borders(void **state) {
  (void)state;
  static const size_t sizes[] = {0, 1, 124, 125, 126, 127, 65534, 65535, 65536, 65537, 200000};
  char *payload = malloc(200000);
  assert_non_null(payload);
  for (size_t i = 0; i < 200000; i++)
    payload[i] = (char)(i * 7 % 251);
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    for (size_t spare = 0; spare < 2; spare++) {
      struct presence__buf bytes;
      struct presence__ws ws;
      struct presence__ws_event event;
      presence__buf_init(&bytes, NULL);
      put_frame(&bytes, 0x82, payload, sizes[i]);
      presence__ws_init(&ws, PRESENCE__WS_SERVER, sizes[i] - 1 + spare, 1, NULL);
      if (sizes[i] == 0) ws.max_message_bytes = 0;
      feed(&ws, bytes.data, bytes.size);
      presence__ws_next(&ws, &event);
      if (spare || sizes[i] == 0) {
        assert_int_equal(event.kind, PRESENCE__WS_BINARY);
        assert_int_equal(event.size, sizes[i]);
        assert_memory_equal(event.data, payload, sizes[i]);
      } else {
        assert_int_equal(event.kind, PRESENCE__WS_ERROR);
        assert_int_equal(event.code, 1009);
      }
      presence__ws_free(&ws);
      presence__buf_free(&bytes);
    }
  }
  free(payload);
}

static void fragments_add_up_to_the_limit(void **state) {
  (void)state;
  char payload[limit] = {0};
  for (size_t over = 0; over < 2; over++) {
    struct presence__buf bytes, log;
    presence__buf_init(&bytes, NULL);
    presence__buf_init(&log, NULL);
    memset(payload, 'a', sizeof payload);
    put_frame(&bytes, 0x01, payload, 100);
    put_frame(&bytes, 0x89, payload, 125);
    put_frame(&bytes, 0x00, payload, 100);
    put_frame(&bytes, 0x80, payload, 100 + over);
    decode_bytewise(bytes.data, bytes.size, &log);
    presence__buf_push(&log, '\0');
    assert_true((strstr(log.data, "error 1009 [message too large]") != NULL) == (over == 1));
    assert_true((strstr(log.data, "text 0 [aaa") != NULL) == (over == 0));
    presence__buf_free(&log);
    presence__buf_free(&bytes);
  }
}

/* 131,000 fragments of one byte: memory follows the message, not the number of frames, and is given
   back; work is linear. */
static void one_byte_fragments_pin_no_memory(void **state) {
  (void)state;
  static const size_t many = 131000;
  struct failing f;
  struct presence__ws ws;
  struct presence__ws_event event;
  struct presence__buf one;
  failing_init(&f, 0);
  presence__ws_init(&ws, PRESENCE__WS_SERVER, many, many, &f.allocator);
  size_t most = 0;
  for (size_t i = 0; i < many; i++) {
    presence__buf_init(&one, NULL);
    put_frame(&one, i == 0 ? 0x01 : i == many - 1 ? 0x80 : 0x00, "x", 1);
    assert_true(presence__ws_feed(&ws, one.data, one.size));
    enum presence__ws_kind kind = presence__ws_next(&ws, &event);
    assert_int_equal(kind, i == many - 1 ? PRESENCE__WS_TEXT : PRESENCE__WS_NEEDS_MORE);
    if (f.bytes_alive > most) most = f.bytes_alive;
    presence__buf_free(&one);
  }
  assert_int_equal(event.size, many);
  assert_true(most < 2 * many);
  assert_true(f.requests < 60);
  assert_int_equal(presence__ws_next(&ws, &event), PRESENCE__WS_NEEDS_MORE);
  assert_true(f.bytes_alive <= 256);
  presence__ws_free(&ws);
  assert_int_equal(f.blocks_alive, 0);
}

static void a_claimed_length_takes_no_memory(void **state) {
  (void)state;
  struct failing f;
  struct presence__ws ws;
  struct presence__ws_event event;
  failing_init(&f, 0);
  presence__ws_init(&ws, PRESENCE__WS_SERVER, 1u << 30, 1, &f.allocator);
  assert_true(presence__ws_feed(&ws, "\x82\xFF\0\0\0\0\x3F\xFF\xFF\xFF\1\2\3\4payload", 21));
  assert_int_equal(presence__ws_next(&ws, &event), PRESENCE__WS_NEEDS_MORE);
  assert_true(f.bytes_alive < 1000);
  presence__ws_free(&ws);
}

static void a_client_takes_unmasked_frames_only(void **state) {
  (void)state;
  struct presence__ws ws;
  struct presence__ws_event event;
  presence__ws_init(&ws, PRESENCE__WS_CLIENT, limit, fragments, NULL);
  assert_true(presence__ws_feed(&ws, "\x81\x02hi\x81\x82\1\2\3\4", 10));
  assert_int_equal(presence__ws_next(&ws, &event), PRESENCE__WS_TEXT);
  assert_memory_equal(event.data, "hi", 2);
  assert_int_equal(presence__ws_next(&ws, &event), PRESENCE__WS_ERROR);
  assert_string_equal(event.data, "masked frame");
  assert_int_equal(presence__ws_next(&ws, &event), PRESENCE__WS_NEEDS_MORE);
  assert_true(presence__ws_feed(&ws, "\x81\x02hi", 4));
  assert_int_equal(presence__ws_next(&ws, &event), PRESENCE__WS_NEEDS_MORE);
  presence__ws_free(&ws);
}

static void masking_twice_is_nothing_at_every_length(void **state) {
  (void)state;
  char text[64], bytes[64];
  for (size_t i = 0; i < sizeof text; i++)
    text[i] = (char)(i * 11);
  for (size_t n = 0; n < sizeof text; n++) {
    memcpy(bytes, text, sizeof text);
    presence__ws_mask(bytes, n, mask);
    for (size_t i = 0; i < sizeof text; i++)
      assert_int_equal((unsigned char)bytes[i],
                       (unsigned char)(i < n ? text[i] ^ mask[i % 4] : text[i]));
    presence__ws_mask(bytes, n, mask);
    assert_memory_equal(bytes, text, sizeof text);
  }
}

static unsigned next_random(unsigned *seed) {
  *seed = *seed * 1103515245u + 12345u;
  return *seed >> 16;
}

/* Random bytes never do harm, and give the same events byte by byte. */
static void noise_is_read_the_same_in_any_pieces(void **state) {
  (void)state;
  for (unsigned seed = 1; seed <= 3000; seed++) {
    static const unsigned char likely[] = {0x81, 0x82, 0x01, 0x00, 0x80, 0x89, 0x8A, 0x88,
                                           0x83, 0x85, 0x80, 0xFE, 0xFF, 0x7E, 0x00, 0x01};
    unsigned random = seed;
    char bytes[120];
    for (size_t i = 0; i < sizeof bytes; i++) {
      unsigned r = next_random(&random);
      bytes[i] = (char)(r % 3 ? likely[r / 3 % sizeof likely] : r / 3);
    }
    struct presence__buf whole, pieces;
    presence__buf_init(&whole, NULL);
    presence__buf_init(&pieces, NULL);
    size_t a = next_random(&random) % sizeof bytes;
    decode(bytes, sizeof bytes, a, sizeof bytes, &whole, NULL);
    decode_bytewise(bytes, sizeof bytes, &pieces);
    presence__buf_push(&whole, '\0');
    if (whole.size != pieces.size + 1 ||
        (pieces.size && memcmp(whole.data, pieces.data, pieces.size) != 0))
      fail_msg("seed %u", seed);
    presence__buf_free(&whole);
    presence__buf_free(&pieces);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_split_gives_the_same_events),
      cmocka_unit_test(every_failed_allocation_loses_nothing),
      cmocka_unit_test(heads_that_lie_are_refused),
      cmocka_unit_test(sizes_are_decoded_at_their_borders),
      cmocka_unit_test(fragments_add_up_to_the_limit),
      cmocka_unit_test(one_byte_fragments_pin_no_memory),
      cmocka_unit_test(a_claimed_length_takes_no_memory),
      cmocka_unit_test(a_client_takes_unmasked_frames_only),
      cmocka_unit_test(masking_twice_is_nothing_at_every_length),
      cmocka_unit_test(noise_is_read_the_same_in_any_pieces),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
