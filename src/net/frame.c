#include "net/frame.h"

#include <stdint.h>
#include <string.h>

/* Bytes of an unmasked head before a payload of n bytes. */
static size_t head_size(size_t n) {
  if (n < 126) return 2;
  return n < 65536 ? 4 : 10;
}

size_t presence__ws_write_head(char *dst, unsigned opcode, bool fin, size_t n, const char *mask) {
  size_t size = head_size(n);
  unsigned mask_bit = mask ? 0x80 : 0;
  dst[0] = (char)((fin ? 0x80 : 0) | opcode);
  if (size == 2) {
    dst[1] = (char)(mask_bit | n);
  } else {
    dst[1] = (char)(mask_bit | (size == 4 ? 126u : 127u));
    uint64_t length = n;
    for (size_t i = size; i-- > 2; length >>= 8)
      dst[i] = (char)(length & 0xFF);
  }
  if (mask) {
    memcpy(dst + size, mask, 4);
    size += 4;
  }
  return size;
}

void presence__ws_mask(char *bytes, size_t n, const char *mask) {
  char twice[8];
  uint64_t key, word;
  memcpy(twice, mask, 4);
  memcpy(twice + 4, mask, 4);
  memcpy(&key, twice, 8);
  for (; n >= 8; n -= 8, bytes += 8) {
    memcpy(&word, bytes, 8);
    word ^= key;
    memcpy(bytes, &word, 8);
  }
  if (n & 4) {
    uint32_t half, half_key;
    memcpy(&half_key, mask, 4);
    memcpy(&half, bytes, 4);
    half ^= half_key;
    memcpy(bytes, &half, 4);
    bytes += 4;
    n -= 4;
  }
  for (size_t i = 0; i < n; i++)
    bytes[i] = (char)(bytes[i] ^ twice[i]);
}

bool presence__ws_close_code_valid(unsigned code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
         (code >= 3000 && code <= 4999);
}
