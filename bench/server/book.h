/* Keys, refs and metas that the mirrors hold, each told apart by its bytes and written once. */
#ifndef BENCH_SERVER_BOOK_H
#define BENCH_SERVER_BOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text/json.h"

/* Strings by number, in the order of their first mention. */
struct strings {
  char **texts; /* owned */
  size_t *sizes;
  uint32_t *slots; /* number + 1, or 0 */
  uint64_t *hashes;
  size_t count;
  size_t capacity; /* of slots; a power of two */
};

/* What a meta says: its phx_ref, and whose it is. Clients of this program join with the device
   "USER.JOIN": which user it is, and which of his joins. A status that they set later is a number,
   and what fills it up. */
struct meta {
  uint32_t ref;
  uint32_t user;
  uint32_t join;
  uint32_t status; /* 0: none */
};

struct book {
  struct strings keys;
  struct strings refs;
  struct strings metas;
  struct meta *meta; /* by the number of its bytes in metas */
  size_t meta_capacity;
  uint32_t *named; /* by key: the last object that named it */
  size_t named_capacity;
  uint32_t objects; /* begun so far */
};

/* The key of a name token of JSON, or the meta of an object's text. NULL in *fault when it is fine,
   otherwise what is wrong. */
uint32_t book_key(struct book *b, struct presence__json_span token, const char **fault);
uint32_t book_meta(struct book *b, struct presence__json_span object, const char **fault);

/* Begins an object of JSON, in which a key may be named once: true when it is the first time. */
void book_begin_object(struct book *b);
bool book_is_new_name(struct book *b, uint32_t key);

/* The key that user number u goes by. Users are numbered from 0; told in order, u is his key's
   number, too. */
void book_add_users(struct book *b, size_t count);
int book_user_name(char *dst, size_t room, size_t user);

#endif
