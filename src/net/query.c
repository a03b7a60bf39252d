#include "net/query.h"

#include <string.h>

#include "text/utf8.h"

bool presence__query_next(const char **query, const char *end, struct presence__query_pair *pair) {
  const char *p = *query;
  while (p < end && *p == '&')
    p++;
  if (p >= end) return false;
  const char *stop = memchr(p, '&', (size_t)(end - p));
  if (!stop) stop = end;
  const char *equals = memchr(p, '=', (size_t)(stop - p));
  pair->name = p;
  pair->name_size = (size_t)((equals ? equals : stop) - p);
  pair->value = equals ? equals + 1 : stop;
  pair->value_size = (size_t)(stop - pair->value);
  *query = stop;
  return true;
}

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

const char *presence__query_decode(const char *text, size_t n, char *dst, size_t *size) {
  char *to = dst;
  for (size_t i = 0; i < n; i++) {
    char c = text[i];
    if (c == '%') {
      int high = n - i > 2 ? hex_digit(text[i + 1]) : -1;
      int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
      if (low < 0) return "bad percent encoding";
      c = (char)(high << 4 | low);
      i += 2;
    } else if (c == '+') {
      c = ' ';
    }
    *to++ = c;
  }
  *size = (size_t)(to - dst);
  return presence__utf8_valid(dst, *size) ? NULL : "not UTF-8";
}
