#include "net/websocket.h"

#include <string.h>

#include "net/frame.h"
#include "text/utf8.h"

/* An idle decoder keeps at most this for its next frame. */
enum { idle_bytes = 256 };

void presence__ws_init(struct presence__ws *ws, enum presence__ws_role role,
                       size_t max_message_bytes, size_t max_fragments,
                       const struct presence__allocator *allocator) {
  memset(ws, 0, sizeof *ws);
  presence__buf_init(&ws->input, allocator);
  presence__buf_init(&ws->message, allocator);
  ws->role = role;
  ws->max_message_bytes = max_message_bytes;
  ws->max_fragments = max_fragments;
}

void presence__ws_free(struct presence__ws *ws) {
  presence__buf_free(&ws->input);
  presence__buf_free(&ws->message);
}

static void forget_delivered(struct presence__ws *ws) {
  if (!ws->delivered) return;
  ws->delivered = false;
  presence__buf_clear(&ws->message);
  presence__buf_shrink(&ws->message, 0);
}

bool presence__ws_feed(struct presence__ws *ws, const char *bytes, size_t n) {
  forget_delivered(ws);
  if (ws->ended) return true;
  /* Moved only when at least as much was consumed as is left: each byte moves once at most. */
  if (ws->input_at >= ws->input.size - ws->input_at) {
    presence__buf_drop_front(&ws->input, ws->input_at);
    ws->input_at = 0;
  }
  ws->input.failed = false;
  return presence__buf_append(&ws->input, bytes, n);
}

static enum presence__ws_kind end_with_error(struct presence__ws *ws,
                                             struct presence__ws_event *event, unsigned code,
                                             const char *reason) {
  ws->ended = true;
  presence__ws_free(ws);
  ws->input_at = 0;
  event->kind = PRESENCE__WS_ERROR;
  event->code = code;
  event->data = reason;
  event->size = strlen(reason);
  return event->kind;
}

/* What is wrong with the first byte of a head, or NULL. */
static const char *fault_of_first_byte(const struct presence__ws *ws, unsigned char first) {
  unsigned opcode = first & 0x0F;
  if (first & 0x70) return "reserved bit";
  if (opcode > PRESENCE__WS_OP_PONG ||
      (opcode > PRESENCE__WS_OP_BINARY && opcode < PRESENCE__WS_OP_CLOSE))
    return "unknown opcode";
  if (opcode >= PRESENCE__WS_OP_CLOSE) return first & 0x80 ? NULL : "fragmented control frame";
  if (opcode == PRESENCE__WS_OP_CONTINUATION)
    return ws->fragments ? NULL : "continuation of nothing";
  return ws->fragments ? "message inside a message" : NULL;
}

static const char *fault_of_second_byte(const struct presence__ws *ws, unsigned char first,
                                        unsigned char second) {
  bool masked = second & 0x80;
  if (masked != (ws->role == PRESENCE__WS_SERVER))
    return masked ? "masked frame" : "unmasked frame";
  if (first & 0x08 && (second & 0x7F) > PRESENCE__WS_CONTROL_MAX) return "long control frame";
  return NULL;
}

static uint64_t read_length(const unsigned char *bytes, size_t n) {
  uint64_t length = 0;
  for (size_t i = 0; i < n; i++)
    length = length << 8 | bytes[i];
  return length;
}

/* The head's length is known: checks it against the form it came in and the limits. */
static enum presence__ws_kind enter_frame(struct presence__ws *ws, struct presence__ws_event *event,
                                          unsigned char first, uint64_t length, size_t extended) {
  static const uint64_t least[] = {0, 126, 65536}; /* by bytes of extended length: 0, 2, 8 */
  if (length >> 63 || length < least[(extended + 2) / 4])
    return end_with_error(ws, event, 1002, "bad length");
  bool control = first & 0x08;
  if (!control) {
    if (length > ws->max_message_bytes - ws->message.size)
      return end_with_error(ws, event, 1009, "message too large");
    if (ws->fragments >= ws->max_fragments)
      return end_with_error(ws, event, 1009, "too many fragments");
    if (ws->fragments++ == 0) ws->message_opcode = first & 0x0F;
  }
  ws->frame_opcode = first & 0x0F;
  ws->frame_fin = first & 0x80;
  ws->frame_bytes = (size_t)length;
  ws->in_frame = true;
  return PRESENCE__WS_NEEDS_MORE;
}

/* Consumes a head when it is there. NEEDS_MORE: look at in_frame. */
static enum presence__ws_kind read_head(struct presence__ws *ws, struct presence__ws_event *event) {
  size_t available = ws->input.size - ws->input_at;
  if (available == 0) return PRESENCE__WS_NEEDS_MORE;
  const unsigned char *head = (const unsigned char *)ws->input.data + ws->input_at;
  const char *fault = fault_of_first_byte(ws, head[0]);
  if (!fault && available >= 2) fault = fault_of_second_byte(ws, head[0], head[1]);
  if (fault) return end_with_error(ws, event, 1002, fault);
  if (available < 2) return PRESENCE__WS_NEEDS_MORE;
  size_t short_length = head[1] & 0x7F;
  size_t extended = short_length < 126 ? 0 : short_length == 126 ? 2 : 8;
  size_t masking = ws->role == PRESENCE__WS_SERVER ? 4 : 0;
  size_t head_bytes = 2 + extended + masking;
  if (available < head_bytes) return PRESENCE__WS_NEEDS_MORE;
  memcpy(ws->mask, head + 2 + extended, masking);
  ws->input_at += head_bytes;
  uint64_t length = extended ? read_length(head + 2, extended) : short_length;
  return enter_frame(ws, event, head[0], length, extended);
}

static enum presence__ws_kind deliver_close(struct presence__ws *ws,
                                            struct presence__ws_event *event, const char *payload,
                                            size_t n) {
  if (n == 1) return end_with_error(ws, event, 1002, "half a close code");
  unsigned code = 0;
  if (n >= 2) {
    code = (unsigned)read_length((const unsigned char *)payload, 2);
    if (!presence__ws_close_code_valid(code))
      return end_with_error(ws, event, 1002, "bad close code");
    payload += 2;
    n -= 2;
    if (!presence__utf8_valid(payload, n))
      return end_with_error(ws, event, 1007, "close reason is not UTF-8");
  }
  ws->ended = true;
  event->kind = PRESENCE__WS_CLOSE;
  event->code = code;
  event->data = payload;
  event->size = n;
  return event->kind;
}

static enum presence__ws_kind deliver(struct presence__ws *ws, struct presence__ws_event *event,
                                      unsigned opcode, const char *payload, size_t n) {
  switch (opcode) {
  case PRESENCE__WS_OP_CLOSE:
    return deliver_close(ws, event, payload, n);
  case PRESENCE__WS_OP_PING:
    event->kind = PRESENCE__WS_PING;
    break;
  case PRESENCE__WS_OP_PONG:
    event->kind = PRESENCE__WS_PONG;
    break;
  case PRESENCE__WS_OP_TEXT:
    if (!presence__utf8_valid(payload, n))
      return end_with_error(ws, event, 1007, "text is not UTF-8");
    event->kind = PRESENCE__WS_TEXT;
    break;
  default:
    event->kind = PRESENCE__WS_BINARY;
  }
  event->code = 0;
  event->data = payload;
  event->size = n;
  return event->kind;
}

/* The whole payload of the frame in hand is in the input. NEEDS_MORE: it was a fragment. */
static enum presence__ws_kind finish_frame(struct presence__ws *ws,
                                           struct presence__ws_event *event) {
  char *payload = ws->input.data + ws->input_at;
  size_t n = ws->frame_bytes;
  bool control = ws->frame_opcode & 0x08;
  bool joins = !control && (!ws->frame_fin || ws->fragments != 1);
  if (joins && n > 0) {
    ws->message.failed = false;
    if (!presence__buf_reserve(&ws->message, n)) return event->kind = PRESENCE__WS_NO_MEMORY;
  }
  if (ws->role == PRESENCE__WS_SERVER) presence__ws_mask(payload, n, ws->mask);
  ws->input_at += n;
  ws->in_frame = false;
  if (control) return deliver(ws, event, ws->frame_opcode, payload, n);
  if (joins) {
    presence__buf_append(&ws->message, payload, n);
    if (!ws->frame_fin) return PRESENCE__WS_NEEDS_MORE;
    payload = ws->message.data;
    n = ws->message.size;
    ws->delivered = true;
  }
  ws->fragments = 0;
  return deliver(ws, event, ws->message_opcode, payload, n);
}

/* Nothing that was handed out is looked at any more: gives memory back. */
static enum presence__ws_kind wait_for_more(struct presence__ws *ws) {
  if (ws->ended) {
    presence__ws_free(ws);
    ws->input_at = 0;
  } else if (ws->input_at == ws->input.size) {
    presence__buf_clear(&ws->input);
    presence__buf_shrink(&ws->input, idle_bytes);
    ws->input_at = 0;
  }
  return PRESENCE__WS_NEEDS_MORE;
}

enum presence__ws_kind presence__ws_next(struct presence__ws *ws,
                                         struct presence__ws_event *event) {
  event->kind = PRESENCE__WS_NEEDS_MORE;
  event->data = NULL;
  event->size = 0;
  event->code = 0;
  forget_delivered(ws);
  while (!ws->ended) {
    if (!ws->in_frame) {
      enum presence__ws_kind kind = read_head(ws, event);
      if (kind != PRESENCE__WS_NEEDS_MORE) return kind;
      if (!ws->in_frame) break;
    }
    if (ws->input.size - ws->input_at < ws->frame_bytes) break;
    enum presence__ws_kind kind = finish_frame(ws, event);
    if (kind != PRESENCE__WS_NEEDS_MORE) return kind;
  }
  return wait_for_more(ws);
}
