/* A WebSocket decoder without a socket (RFC 6455): bytes in, messages and control frames out.
   However the bytes are split, the events are the same. Work is linear in the bytes fed; memory is
   what was fed and not yet handed out, plus the fragments of one message. */
#ifndef PRESENCE_NET_WEBSOCKET_H
#define PRESENCE_NET_WEBSOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text/buf.h"

/* Which end we are: a server takes masked frames only, a client unmasked ones only. */
enum presence__ws_role { PRESENCE__WS_SERVER, PRESENCE__WS_CLIENT };

enum presence__ws_kind {
  PRESENCE__WS_NEEDS_MORE = 0,
  PRESENCE__WS_TEXT,   /* a whole message, valid UTF-8 */
  PRESENCE__WS_BINARY, /* a whole message */
  PRESENCE__WS_PING,
  PRESENCE__WS_PONG,
  PRESENCE__WS_CLOSE, /* code is 0 when the frame was empty; nothing comes after it */
  PRESENCE__WS_ERROR, /* code to close with; nothing comes after it */
  PRESENCE__WS_NO_MEMORY
};

/* data[0..size) is the message, the payload, the reason of a close or a short text on an error. */
struct presence__ws_event {
  enum presence__ws_kind kind;
  const char *data; /* borrowed until the next call with this decoder */
  size_t size;
  unsigned code;
};

struct presence__ws {
  struct presence__buf input;   /* fed and not consumed, from input_at on */
  struct presence__buf message; /* fragments so far, unmasked */
  size_t input_at;
  size_t max_message_bytes;
  size_t max_fragments;
  size_t fragments; /* frames of the message in hand; 0: none in hand */
  size_t frame_bytes;
  enum presence__ws_role role;
  unsigned char frame_opcode;
  unsigned char message_opcode;
  bool frame_fin;
  bool in_frame;  /* the head is consumed, frame_bytes of payload are to come */
  bool delivered; /* message was handed out and is to be forgotten */
  bool ended;
  char mask[4];
};

/* An empty decoder; allocates nothing. max_message_bytes bounds a message with all its fragments
   (beyond: 1009), max_fragments the frames it may come in (beyond: 1009). allocator is *borrowed*,
   NULL means libc's. */
void presence__ws_init(struct presence__ws *ws, enum presence__ws_role role,
                       size_t max_message_bytes, size_t max_fragments,
                       const struct presence__allocator *allocator);

/* Frees its memory. It may be initialised again, nothing else. */
void presence__ws_free(struct presence__ws *ws);

/* Takes a copy of the bytes; false when memory ran out (nothing was taken). After a close or an
   error the bytes are dropped. */
bool presence__ws_feed(struct presence__ws *ws, const char *bytes, size_t n);

/* Gives the next event; call it until it needs more. On NO_MEMORY nothing was lost: it may be
   called again. */
enum presence__ws_kind presence__ws_next(struct presence__ws *ws, struct presence__ws_event *event);

#endif
