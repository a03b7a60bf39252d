/* Phoenix's V2 binary messages: a head of lengths, the fields, then the application's bytes.

     0  push, client to server   00 | join_ref ref topic event: a length each | their bytes | data
     0  push, server to client   00 | join_ref topic event
     1  reply                    01 | join_ref ref topic status
     2  broadcast                02 | topic event                                             */
#ifndef PRESENCE_NET_BINARY_H
#define PRESENCE_NET_BINARY_H

#include <stdbool.h>
#include <stddef.h>

#include "net/message.h"
#include "text/json.h"

/* Most bytes of a field of the head: its length is one byte. */
#define PRESENCE__BINARY_FIELD_MAX 255u

enum presence__binary_kind {
  PRESENCE__BINARY_CLIENT_PUSH,
  PRESENCE__BINARY_PUSH,
  PRESENCE__BINARY_REPLY,
  PRESENCE__BINARY_BROADCAST
};

enum { PRESENCE__BINARY_FIELDS = 4 };
enum presence__binary_field {
  PRESENCE__BINARY_JOIN_REF,
  PRESENCE__BINARY_REF,
  PRESENCE__BINARY_TOPIC,
  PRESENCE__BINARY_EVENT /* or a reply's status */
};

/* The parts of a message. Fields that its kind does not have are empty. */
struct presence__binary {
  enum presence__binary_kind kind;
  struct presence__json_span field[PRESENCE__BINARY_FIELDS]; /* borrowed, UTF-8 */
  struct presence__json_span data;                           /* borrowed, any bytes */
};

/* Cuts a message that a client sent, or when from_server one that a server sent. Returns NULL when
   it is one, otherwise a short static text that says what is wrong. O(size of the head), no
   allocation; the parts are *borrowed* from bytes. */
const char *presence__binary_cut(const char *bytes, size_t n, bool from_server,
                                 struct presence__binary *out);

/* Encodes a message: a binary frame, *new* (see message.h). Each field has at most
   PRESENCE__BINARY_FIELD_MAX bytes; those that the kind does not have are left out. NULL: out of
   memory. */
struct presence__message *presence__binary_encode(const struct presence__allocator *allocator,
                                                  const struct presence__binary *parts);

#endif
