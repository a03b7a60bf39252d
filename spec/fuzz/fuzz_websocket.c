/* The WebSocket decoder: a stream fed whole, byte by byte and in pieces, with and without failing
   memory, gives the same events, and those are what a plain reader of the whole stream finds. Half
   of the inputs are frames made by the fuzzer's choices, so that masks and lengths are right; the
   others are bytes as they come. */
#include "failing_allocator.h"
#include "fuzz_kit.h"
#include "json_reference.h"
#include "net/frame.h"
#include "net/message.h"
#include "net/websocket.h"

struct limits {
  enum presence__ws_role role;
  size_t message_bytes;
  size_t fragments;
};

/* ---- Events, as bytes ---- */

static void note(struct presence__buf *log, enum presence__ws_kind kind, unsigned code,
                 const char *data, size_t size) {
  uint64_t head[3] = {kind, code, size};
  presence__buf_append(log, (const char *)head, sizeof head);
  presence__buf_append(log, data, size);
}

/* Reasons are words for people: only the code of an error counts. */
static void note_error(struct presence__buf *log, unsigned code) {
  note(log, PRESENCE__WS_ERROR, code, NULL, 0);
}

static bool note_event(struct presence__buf *log, const struct presence__ws_event *event) {
  if (event->kind == PRESENCE__WS_ERROR)
    note_error(log, event->code);
  else
    note(log, event->kind, event->code, event->data, event->size);
  return event->kind == PRESENCE__WS_ERROR || event->kind == PRESENCE__WS_CLOSE;
}

/* ---- A plain reader of a whole stream ---- */

struct reader {
  const unsigned char *bytes;
  size_t size;
  size_t at;
  struct limits limits;
  struct presence__buf *log;
  struct presence__buf message;
  size_t fragments;
  unsigned opcode;
};

/* 0: fine so far. */
static unsigned fault_of_head(const struct reader *r) {
  unsigned first = r->bytes[r->at], opcode = first & 15;
  bool control = opcode >= 8;
  if (first & 0x70) return 1002;
  if ((opcode > 2 && opcode < 8) || opcode > 10) return 1002;
  if (control && !(first & 0x80)) return 1002;
  if (!control && (opcode == 0) != (r->fragments > 0)) return 1002;
  if (r->size - r->at < 2) return 0;
  unsigned second = r->bytes[r->at + 1];
  if ((second >> 7) != (r->limits.role == PRESENCE__WS_SERVER)) return 1002;
  return control && (second & 127) > 125 ? 1002 : 0;
}

static bool read_close(struct reader *r, const char *payload, size_t n) {
  unsigned code = 0;
  if (n == 1) {
    note_error(r->log, 1002);
    return false;
  }
  if (n >= 2) {
    code = (unsigned)(unsigned char)payload[0] * 256 + (unsigned char)payload[1];
    bool allowed = (code >= 3000 && code < 5000) ||
                   (code >= 1000 && code < 1015 && code != 1004 && code != 1005 && code != 1006);
    if (!allowed || !reference_utf8(payload + 2, n - 2)) {
      note_error(r->log, allowed ? 1007 : 1002);
      return false;
    }
    payload += 2;
    n -= 2;
  }
  note(r->log, PRESENCE__WS_CLOSE, code, payload, n);
  return false;
}

/* A frame's payload, unmasked; false when nothing comes after it. */
static bool read_payload(struct reader *r, unsigned first, const char *payload, size_t n) {
  unsigned opcode = first & 15;
  if (opcode == 8) return read_close(r, payload, n);
  if (opcode > 8) {
    note(r->log, opcode == 9 ? PRESENCE__WS_PING : PRESENCE__WS_PONG, 0, payload, n);
    return true;
  }
  if (r->fragments++ == 0) r->opcode = opcode;
  presence__buf_append(&r->message, payload, n);
  if (!(first & 0x80)) return true;
  bool text = r->opcode == 1;
  if (text && !reference_utf8(r->message.data, r->message.size)) {
    note_error(r->log, 1007);
    return false;
  }
  note(r->log, text ? PRESENCE__WS_TEXT : PRESENCE__WS_BINARY, 0, r->message.data, r->message.size);
  r->fragments = 0;
  presence__buf_clear(&r->message);
  return true;
}

static bool read_frame(struct reader *r) {
  if (r->at == r->size) return false;
  unsigned fault = fault_of_head(r), masked = r->limits.role == PRESENCE__WS_SERVER ? 4 : 0;
  const unsigned char *head = r->bytes + r->at;
  size_t left = r->size - r->at;
  if (fault) note_error(r->log, fault);
  if (fault || left < 2) return false;
  size_t extended = (head[1] & 127) < 126 ? 0 : (head[1] & 127) == 126 ? 2 : 8;
  size_t whole_head = 2 + extended + masked;
  if (left < whole_head) return false;
  uint64_t length = extended ? 0 : head[1] & 127;
  for (size_t i = 0; i < extended; i++)
    length = length * 256 + head[2 + i];
  if ((extended == 2 && length < 126) || (extended == 8 && length < 65536) || length >= 1ull << 63)
    fault = 1002;
  else if (!(head[0] & 8) && (length > r->limits.message_bytes - r->message.size ||
                              r->fragments + 1 > r->limits.fragments))
    fault = 1009;
  if (fault) note_error(r->log, fault);
  if (fault || length > left - whole_head) return false;
  char *payload = exact_copy(head + whole_head, length);
  for (size_t i = 0; i < length && masked; i++)
    payload[i] = (char)(payload[i] ^ (char)head[2 + extended + i % 4]);
  bool more = read_payload(r, head[0], payload, length);
  free(payload);
  r->at += whole_head + length;
  return more;
}

static void read_plainly(const struct presence__buf *stream, struct limits limits,
                         struct presence__buf *log) {
  struct reader r = {(const unsigned char *)stream->data, stream->size, 0, limits, log, {0}, 0, 0};
  presence__buf_init(&r.message, NULL);
  while (read_frame(&r))
    continue;
  presence__buf_free(&r.message);
}

/* ---- The decoder ---- */

static void check_event(const struct presence__ws_event *event, const struct limits *limits) {
  bool message = event->kind == PRESENCE__WS_TEXT || event->kind == PRESENCE__WS_BINARY;
  LAW(event->size <= (message ? limits->message_bytes : PRESENCE__WS_CONTROL_MAX));
  if (event->kind == PRESENCE__WS_TEXT || event->kind == PRESENCE__WS_CLOSE)
    LAW(reference_utf8(event->data, event->size));
  LAW(event->kind != PRESENCE__WS_CLOSE || event->code == 0 ||
      presence__ws_close_code_valid(event->code));
}

/* Feeds the stream in pieces of up to `piece` bytes. Requests for memory fail now and then when
   fail_every is not 0: the call is made again. */
static void decode(const struct presence__buf *stream, struct limits limits, size_t piece,
                   long fail_every, struct presence__buf *log) {
  struct failing memory;
  struct presence__ws ws;
  struct presence__ws_event event;
  bool ended = false;
  failing_init(&memory, fail_every);
  presence__ws_init(&ws, limits.role, limits.message_bytes, limits.fragments, &memory.allocator);
  for (size_t at = 0; at < stream->size; at += piece) {
    size_t n = stream->size - at < piece ? stream->size - at : piece;
    char *exact = exact_copy(stream->data + at, n);
    while (!presence__ws_feed(&ws, exact, n))
      memory.fail_at = memory.requests + 1 + fail_every;
    free(exact);
    enum presence__ws_kind kind;
    while ((kind = presence__ws_next(&ws, &event)) != PRESENCE__WS_NEEDS_MORE) {
      LAW(kind == event.kind && !ended);
      if (kind == PRESENCE__WS_NO_MEMORY) {
        memory.fail_at = memory.requests + 1 + fail_every;
        continue;
      }
      check_event(&event, &limits);
      ended = note_event(log, &event);
    }
  }
  presence__ws_free(&ws);
  LAW(memory.blocks_alive == 0 && memory.bytes_alive == 0);
}

/* ---- Streams ---- */

/* A frame by choices: head, and payload from the input or of one letter. */
static void make_frame(struct input *in, enum presence__ws_role role,
                       struct presence__buf *stream) {
  static const unsigned char opcodes[] = {1, 2, 0, 0, 9, 10, 8, 1};
  unsigned choice = input_byte(in), shape = input_byte(in);
  size_t n = shape < 200   ? shape % 32
             : shape < 250 ? 100 + (size_t)shape % 50
                           : 65500 + 10 * ((size_t)shape - 249);
  if (shape < 200 && n > input_left(in)) n = input_left(in);
  char head[PRESENCE__WS_MASKED_HEAD_MAX], mask[4];
  for (unsigned i = 0; i < 4; i++)
    mask[i] = (char)(shape * 37 + i * 101);
  bool masked = role == PRESENCE__WS_SERVER;
  size_t head_size =
      presence__ws_write_head(head, opcodes[choice % 8], choice & 8, n, masked ? mask : NULL);
  presence__buf_append(stream, head, head_size);
  char *payload = presence__buf_reserve(stream, n + 1);
  LAW(payload != NULL);
  for (size_t i = 0; i < n; i++)
    payload[i] = shape < 200 ? (char)input_byte(in) : 'x';
  if (masked) presence__ws_mask(payload, n, mask);
  stream->size += n;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  static const size_t message_limits[] = {0, 1, 20, 125, 126, 65536, 1000000, SIZE_MAX / 2};
  struct input in = {bytes, bytes + size};
  unsigned roll = input_byte(&in), pieces = input_byte(&in);
  struct limits limits = {roll & 1 ? PRESENCE__WS_CLIENT : PRESENCE__WS_SERVER,
                          message_limits[roll >> 1 & 7], roll & 16 ? 3 : 1000};
  struct presence__buf stream, plain, log;
  presence__buf_init(&stream, NULL);
  presence__buf_init(&plain, NULL);
  presence__buf_init(&log, NULL);
  if (roll & 32) presence__buf_append(&stream, (const char *)in.at, input_left(&in));
  while (!(roll & 32) && input_left(&in) && stream.size < 70000)
    make_frame(&in, limits.role, &stream);
  read_plainly(&stream, limits, &plain);
  const size_t piece[] = {stream.size + 1, stream.size < 4000 ? 1 : 997, 1 + pieces % 16,
                          1 + pieces * 7u};
  for (unsigned i = 0; i < 4; i++) {
    presence__buf_clear(&log);
    decode(&stream, limits, piece[i], i == 3 ? 1 + pieces % 5 : 0, &log);
    LAW(same_bytes(log.data, log.size, plain.data, plain.size));
  }
  presence__buf_free(&stream);
  presence__buf_free(&plain);
  presence__buf_free(&log);
  return 0;
}
