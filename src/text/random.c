#include "text/random.h"

#include <errno.h>
#include <sys/random.h>

bool presence__random_bytes(unsigned char *dst, size_t n) {
  size_t filled = 0;
  while (filled < n) {
    ssize_t got = getrandom(dst + filled, n - filled, 0);
    if (got > 0)
      filled += (size_t)got;
    else if (errno != EINTR)
      return false;
  }
  return true;
}
