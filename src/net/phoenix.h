/* Phoenix's text messages, without a tree: V2, [join_ref, ref, topic, event, payload], and V1, an
   object with the members topic, event, payload, ref and, inbound only, join_ref. */
#ifndef PRESENCE_NET_PHOENIX_H
#define PRESENCE_NET_PHOENIX_H

#include <stdbool.h>
#include <stddef.h>

#include "net/message.h"
#include "text/json.h"

/* Parts of a message of either version, *borrowed* from its text. */
struct presence__phoenix {
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
                             struct presence__phoenix *out, size_t *offset);

/* Encodes a message: a text frame, *new* (see message.h). join_ref, ref and payload are JSON
   already (size 0 for a null ref); topic and event are plain bytes, valid UTF-8. NULL: out of
   memory. */
struct presence__message *presence__v2_encode(const struct presence__allocator *allocator,
                                              struct presence__json_span join_ref,
                                              struct presence__json_span ref,
                                              struct presence__json_span topic,
                                              struct presence__json_span event,
                                              struct presence__json_span payload);

/* Cuts a V1 message, checking all of it: one JSON object with topic, event, payload and ref, maybe
   join_ref, and whatever else (it is ignored), their values nested at most max_depth deep. Of
   members of one name the last counts, as parsers of JSON have it. Results as presence__v2_cut.
   Two passes, O(n), no allocation. */
const char *presence__v1_cut(const char *text, size_t n, unsigned max_depth,
                             struct presence__phoenix *out, size_t *offset);

/* Encodes a V1 message, as presence__v2_encode does; it says no join_ref. */
struct presence__message *presence__v1_encode(const struct presence__allocator *allocator,
                                              struct presence__json_span ref,
                                              struct presence__json_span topic,
                                              struct presence__json_span event,
                                              struct presence__json_span payload);

#endif
