/* Base64 by RFC 4648, standard and URL-safe alphabets. */
#ifndef PRESENCE_TEXT_BASE64_H
#define PRESENCE_TEXT_BASE64_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes that n bytes take when encoded, padding included. */
size_t presence__base64_encoded_size(size_t n);
/* Encodes with the standard alphabet and padding to dst (room for the size above), no terminator.
 */
void presence__base64_encode(char *dst, const char *bytes, size_t n);

/* Upper bound of the bytes that n characters decode to. */
size_t presence__base64_decoded_bound(size_t n);
/* Decodes to dst (room for the bound) and sets *size. Padding may be left out, but not be wrong;
   unused bits must be zero, so that each byte string has one padded form; white space and other
   characters are refused. url_safe: `-` and `_` in place of `+` and `/`. */
bool presence__base64_decode(char *dst, size_t *size, const char *text, size_t n, bool url_safe);

#endif
