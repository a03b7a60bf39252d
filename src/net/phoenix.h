/* Phoenix's V2 text messages, [join_ref, ref, topic, event, payload], without a tree. */
#ifndef PRESENCE_NET_PHOENIX_H
#define PRESENCE_NET_PHOENIX_H

#include <stdbool.h>
#include <stddef.h>

#include "net/message.h"
#include "text/json.h"

/* Parts of a message, *borrowed* from its text. */
struct presence__v2 {
  struct presence__json_span join_ref; /* raw JSON of a string or number; size 0 for null */
  struct presence__json_span ref;      /* the same */
  struct presence__json_span topic;    /* string token, quotes included */
  struct presence__json_span event;    /* the same */
  struct presence__json_span payload;  /* any JSON value */
};

/* Cuts a message, checking all of it on the way: one JSON array of five elements or more (the rest
   is ignored), the payload nested at most max_depth deep. Returns NULL when it is one, otherwise a
   short static text that says what is wrong; *offset is where (may be NULL). One pass, O(n), no
   allocation. */
const char *presence__v2_cut(const char *text, size_t n, unsigned max_depth,
                             struct presence__v2 *out, size_t *offset);

/* Encodes a message: a text frame, *new* (see message.h). join_ref, ref and payload are JSON
   already (size 0 for a null ref); topic and event are plain bytes, valid UTF-8. NULL: out of
   memory. */
struct presence__message *presence__v2_encode(const struct presence__allocator *allocator,
                                              struct presence__json_span join_ref,
                                              struct presence__json_span ref,
                                              struct presence__json_span topic,
                                              struct presence__json_span event,
                                              struct presence__json_span payload);

#endif
