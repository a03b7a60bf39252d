#include "text/base64.h"

#include <stdint.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t presence__base64_encoded_size(size_t n) {
  return n / 3 * 4 + (n % 3 ? 4 : 0);
}

void presence__base64_encode(char *dst, const char *bytes, size_t n) {
  const unsigned char *u = (const unsigned char *)bytes;
  for (; n >= 3; n -= 3, u += 3) {
    *dst++ = alphabet[u[0] >> 2];
    *dst++ = alphabet[(u[0] & 3) << 4 | u[1] >> 4];
    *dst++ = alphabet[(u[1] & 15) << 2 | u[2] >> 6];
    *dst++ = alphabet[u[2] & 63];
  }
  if (n == 0) return;
  *dst++ = alphabet[u[0] >> 2];
  if (n == 1) {
    *dst++ = alphabet[(u[0] & 3) << 4];
    *dst++ = '=';
  } else {
    *dst++ = alphabet[(u[0] & 3) << 4 | u[1] >> 4];
    *dst++ = alphabet[(u[1] & 15) << 2];
  }
  *dst++ = '=';
}

size_t presence__base64_decoded_bound(size_t n) {
  return n / 4 * 3 + 3;
}

/* 0 to 63, or -1. */
static int digit_of(char c, bool url_safe) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == (url_safe ? '-' : '+')) return 62;
  if (c == (url_safe ? '_' : '/')) return 63;
  return -1;
}

bool presence__base64_decode(char *dst, size_t *size, const char *text, size_t n, bool url_safe) {
  if (n > 0 && n % 4 == 0 && text[n - 1] == '=') n -= text[n - 2] == '=' ? 2 : 1;
  if (n % 4 == 1) return false;
  char *to = dst;
  uint32_t bits = 0;
  unsigned count = 0;
  for (size_t i = 0; i < n; i++) {
    int digit = digit_of(text[i], url_safe);
    if (digit < 0) return false;
    bits = bits << 6 | (uint32_t)digit;
    count += 6;
    if (count >= 8) {
      count -= 8;
      *to++ = (char)(bits >> count & 0xFF);
    }
  }
  if (bits & ((1u << count) - 1)) return false;
  *size = (size_t)(to - dst);
  return true;
}
