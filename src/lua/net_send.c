/* Bytes to a socket that another library owns, without waiting. Kernels take what has room; the
   rest, and whatever is wrong, is that library's. */
#include <limits.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "lua/net.h"

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* there the server ignores SIGPIPE by itself */
#endif

enum { most_pieces = 64 };

size_t presence__send(int descriptor, const struct presence__piece *pieces, size_t count) {
  ssize_t written;
  if (count == 1) {
    written = send(descriptor, pieces->bytes, pieces->size, MSG_DONTWAIT | MSG_NOSIGNAL);
  } else {
    struct iovec parts[most_pieces];
    struct msghdr message = {.msg_iov = parts};
    for (size_t i = 0; i < count && i < most_pieces; i++) {
      parts[i].iov_base = (void *)pieces[i].bytes;
      parts[i].iov_len = pieces[i].size;
      message.msg_iovlen++;
    }
    written = sendmsg(descriptor, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  return written > 0 ? (size_t)written : 0;
}
