/* Query strings as browsers write them (application/x-www-form-urlencoded). */
#ifndef PRESENCE_NET_QUERY_H
#define PRESENCE_NET_QUERY_H

#include <stdbool.h>
#include <stddef.h>

struct presence__query_pair {
  const char *name;
  size_t name_size;
  const char *value;
  size_t value_size;
};

/* Takes the first pair off *query (empty ones between '&' are skipped): name and value still
   encoded, *borrowed*; a pair without '=' has an empty value. false when none is left. */
bool presence__query_next(const char **query, const char *end, struct presence__query_pair *pair);

/* Decodes %XX and '+' to dst (room for n) and sets *size. NULL when it is fine, otherwise a short
   static text: a '%' without two hex digits, or bytes that are not UTF-8. */
const char *presence__query_decode(const char *text, size_t n, char *dst, size_t *size);

#endif
