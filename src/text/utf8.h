/* UTF-8 by RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef PRESENCE_TEXT_UTF8_H
#define PRESENCE_TEXT_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True when s[0..n) is valid UTF-8; NUL is an ordinary character, the empty string is valid.
   s may be NULL when n is 0. O(n), eight bytes a step while they are ASCII. */
bool presence__utf8_valid(const char *s, size_t n);

/* Length in bytes (1 to 4) of the one character that s[0..n) starts with; 0 when it starts with
   none (malformed, cut short, or n is 0). */
size_t presence__utf8_sequence(const char *s, size_t n);

/* Writes a code point as 1 to 4 bytes to dst (room for 4) and returns their number.
   The caller has checked that it is at most U+10FFFF and no surrogate. */
size_t presence__utf8_encode(char *dst, uint32_t code_point);

#endif
