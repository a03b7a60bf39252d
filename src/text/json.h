/* JSON text that is checked, cut and written without ever building a tree (RFC 8259).
   All pointers point into the caller's text, which must outlive them. */
#ifndef PRESENCE_TEXT_JSON_H
#define PRESENCE_TEXT_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "text/buf.h"

enum presence__json_kind {
  PRESENCE__JSON_INVALID = 0,
  PRESENCE__JSON_OBJECT,
  PRESENCE__JSON_ARRAY,
  PRESENCE__JSON_STRING,
  PRESENCE__JSON_NUMBER,
  PRESENCE__JSON_TRUE,
  PRESENCE__JSON_FALSE,
  PRESENCE__JSON_NULL
};

enum presence__json_fault {
  PRESENCE__JSON_FINE = 0,
  PRESENCE__JSON_SYNTAX,
  PRESENCE__JSON_NOT_UTF8,
  PRESENCE__JSON_TOO_DEEP
};

/* Nesting of max_depth arguments above this is taken as this. */
#define PRESENCE__JSON_DEPTH_CEILING 1024u
/* What callers use who have no limit of their own. */
#define PRESENCE__JSON_DEPTH_DEFAULT 64u

/* What a scan found. On success kind and the value's text[0..size), white space around it left
   out; fault is FINE and reason NULL. On failure kind is INVALID, fault says what sort, reason is a
   short static text, and fault_at the byte offset in the scanned text. */
struct presence__json {
  enum presence__json_kind kind;
  enum presence__json_fault fault;
  const char *text; /* borrowed */
  size_t size;
  const char *reason;
  size_t fault_at;
};

/* True when text[0..n) is exactly one JSON value with white space around it, its strings valid
   UTF-8, its arrays and objects nested at most max_depth deep (0: none at all, a scalar only).
   A lone surrogate escape ("\ud800") is JSON by the grammar and passes. Fills *out either way.
   O(n), no recursion, no allocation. The first fault found decides. */
bool presence__json_scan(const char *text, size_t n, unsigned max_depth,
                         struct presence__json *out);

/* The same for one value at the start of text, white space before it allowed; what follows is not
   looked at (a number ends at the first byte that cannot be part of it). out->text + out->size is
   where the rest starts. */
bool presence__json_scan_first(const char *text, size_t n, unsigned max_depth,
                               struct presence__json *out);

/* First byte in [p, end) that is no JSON white space, or end. */
static inline const char *presence__json_skip_space(const char *p, const char *end) {
  /* One test settles it for all that is no space or control character. */
  while (p < end && (unsigned char)*p <= ' ' &&
         (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
    p++;
  return p;
}

/* A token or value inside scanned text. */
struct presence__json_span {
  const char *text; /* borrowed */
  size_t size;
};

/* A walk over the top level of an object or array that a scan has accepted; on other text the
   results mean nothing. Start with the value's own text (as in struct presence__json). */
struct presence__json_walk {
  const char *at;
  const char *end;
};
void presence__json_walk_init(struct presence__json_walk *walk, const char *text, size_t n);

/* The next member of an object: its name as the quoted token, and its value; false at the end. */
bool presence__json_next_member(struct presence__json_walk *walk, struct presence__json_span *name,
                                struct presence__json_span *value);
/* The next element of an array; false at the end. */
bool presence__json_next_element(struct presence__json_walk *walk,
                                 struct presence__json_span *value);

/* True when a scanned object or array holds nothing (white space aside). */
bool presence__json_is_empty(const char *text, size_t n);

/* Kind of a scanned value, by its first byte. */
enum presence__json_kind presence__json_kind_of(const char *text);

/* Decodes a scanned string token, quotes included, to bytes at dst (room for n - 2) and sets *size.
   Surrogate pairs become one character; false when an escape is a lone surrogate, which no UTF-8
   can say (dst then holds rubbish). */
bool presence__json_decode_string(const char *token, size_t n, char *dst, size_t *size);

/* True when a scanned string token says exactly s[0..length), its escapes read. A lone surrogate
   equals nothing. No allocation. */
bool presence__json_string_is(const char *token, size_t n, const char *s, size_t length);

/* Bytes of s[0..n) as a JSON string with its quotes: exact. */
size_t presence__json_quote_size(const char *s, size_t n);
/* Writes it to dst (room for presence__json_quote_size) and returns the end. s must be valid UTF-8;
   only the quote, the backslash and control characters are escaped. */
char *presence__json_quote(char *dst, const char *s, size_t n);
/* The same at the end of a buffer; false: out of memory. */
bool presence__json_quote_append(struct presence__buf *b, const char *s, size_t n);

/* True when a scanned object has a top-level member whose name (escapes read) is one of names.
   O(n * name_count), and much less where none of the names is in the text. */
bool presence__json_has_member(const char *object, size_t n,
                               const struct presence__json_span *names, size_t name_count);

/* Cuts every top-level member whose name (escapes read) is one of names out of a scanned object.
   Returns how many are to be cut. 0: nothing is written, the object is fine as it is. Otherwise the
   object without them is appended to out: kept members keep their bytes, the white space beside
   them included; look at out->failed for memory. O(n * name_count). */
size_t presence__json_cut_members(const char *object, size_t n,
                                  const struct presence__json_span *names, size_t name_count,
                                  struct presence__buf *out);

#endif
