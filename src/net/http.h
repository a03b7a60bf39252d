/* Heads of HTTP/1.x requests, read strictly (RFC 9112): what another reader on the way could take
   for something else is refused. Nothing is copied. */
#ifndef PRESENCE_NET_HTTP_H
#define PRESENCE_NET_HTTP_H

#include <stdbool.h>
#include <stddef.h>

enum presence__http_result {
  PRESENCE__HTTP_NEEDS_MORE = 0,
  PRESENCE__HTTP_DONE,
  PRESENCE__HTTP_BAD,
  PRESENCE__HTTP_TOO_LARGE
};

struct presence__http_span {
  const char *text; /* borrowed */
  size_t size;
};

/* Spans point into the bytes given. target is in origin form ("/path?query"); path is what stands
   before the first '?', query what follows it (text NULL when there is no '?'), neither decoded.
   minor is 0 or 1. head_bytes is where the body starts. reason says why a head was refused. */
struct presence__http_request {
  struct presence__http_span method;
  struct presence__http_span target;
  struct presence__http_span path;
  struct presence__http_span query;
  struct presence__http_span fields; /* the header lines, for the walk below */
  int minor;
  size_t header_count;
  size_t head_bytes;
  const char *reason;
};

/* Reads the head at the start of bytes[0..n): request line and header lines, each ended by CR LF,
   up to the empty line. Refused as BAD: a bare CR or LF, control characters, white space before a
   colon or at the start of a line (folding), names or methods that are no tokens, targets that do
   not start with '/', versions other than 1.0 and 1.1, more or less than one Host (1.1), more than
   one Content-Length or one that is no number, Content-Length beside Transfer-Encoding, and
   Transfer-Encoding in 1.0. TOO_LARGE: more than max_head_bytes without an end, or more than
   max_headers lines. What is refused may be refused before the head is whole. O(n), no allocation.
   Whether a body is allowed is the caller's matter. */
enum presence__http_result presence__http_parse(const char *bytes, size_t n, size_t max_head_bytes,
                                                size_t max_headers,
                                                struct presence__http_request *out);

/* Walks the headers of a request that is DONE: takes the first line off *fields, giving its name as
   it came and its value without white space around it; false when none is left. */
bool presence__http_next_header(struct presence__http_span *fields,
                                struct presence__http_span *name,
                                struct presence__http_span *value);

/* Names are compared without regard to case; s is in lower case. */
bool presence__http_name_is(struct presence__http_span name, const char *s);

#endif
