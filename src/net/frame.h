/* WebSocket frames as bytes (RFC 6455, section 5.2): heads, masks, opcodes, close codes. */
#ifndef PRESENCE_NET_FRAME_H
#define PRESENCE_NET_FRAME_H

#include <stdbool.h>
#include <stddef.h>

enum presence__ws_opcode {
  PRESENCE__WS_OP_CONTINUATION = 0,
  PRESENCE__WS_OP_TEXT = 1,
  PRESENCE__WS_OP_BINARY = 2,
  PRESENCE__WS_OP_CLOSE = 8,
  PRESENCE__WS_OP_PING = 9,
  PRESENCE__WS_OP_PONG = 10
};

/* Most bytes of a head without and with a mask, and of a control frame's payload. */
#define PRESENCE__WS_HEAD_MAX 10u
#define PRESENCE__WS_MASKED_HEAD_MAX 14u
#define PRESENCE__WS_CONTROL_MAX 125u

/* Writes a head to dst (room for 10, or 14 with a mask) and returns its size. opcode is 0 to 15;
   mask points to 4 bytes or is NULL for none. The payload is masked by the caller. */
size_t presence__ws_write_head(char *dst, unsigned opcode, bool fin, size_t n, const char *mask);

/* Masks or unmasks bytes[0..n) in place with the 4 bytes of mask, the first byte with mask[0].
   O(n), eight bytes a step. */
void presence__ws_mask(char *bytes, size_t n, const char *mask);

/* True for a status code that may stand in a close frame: 1000 to 1003, 1007 to 1014, 3000 to 4999.
 */
bool presence__ws_close_code_valid(unsigned code);

#endif
