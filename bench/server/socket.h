/* One WebSocket of a client: TCP, the upgrade, frames. What comes is handed to its world's client
   code by socket_event. */
#ifndef BENCH_SERVER_SOCKET_H
#define BENCH_SERVER_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/frame.h"
#include "net/websocket.h"

enum socket_state { SOCKET_CLOSED, SOCKET_CONNECTING, SOCKET_UPGRADING, SOCKET_OPEN };

struct socket {
  int fd;
  enum socket_state state;
  bool is_paused;           /* reads nothing */
  bool is_small;            /* asks the kernel to hold little for it */
  uint32_t watched;         /* events of epoll */
  struct presence__ws ws;   /* frames in, once open */
  struct presence__buf out; /* what the kernel did not take */
};

enum socket_event { SOCKET_OPENED, SOCKET_MESSAGE, SOCKET_GONE };

/* Hears what happens to a socket: it is open; a text message came; it is gone, and `text` says
   why. */
typedef void socket_hears(void *owner, enum socket_event event, const char *text, size_t n);

/* Where sockets live: one epoll for all of them. */
struct sockets {
  int epoll;
  uint16_t port;
  char host[64];     /* an IPv4 address */
  char *room;        /* what one read may bring */
  uint64_t bytes_in; /* of all sockets */
  uint64_t wakes;    /* times that something came of the kernel */
  socket_hears *hears;
};

void sockets_init(struct sockets *all, const char *host, uint16_t port, socket_hears *hears);

/* Waits at most so long for something to happen and handles it; 0 looks only. */
void sockets_step(struct sockets *all, int timeout_ms);

/* Begins to connect; the upgrade goes out when TCP stands. `path` with its query; owner must stay
   where it is and begin with its struct socket. */
void socket_open(struct sockets *all, struct socket *s, const char *path);

/* Sends a text message, or a close frame with a code. */
void socket_send(struct sockets *all, struct socket *s, const char *text, size_t n);
void socket_send_close(struct sockets *all, struct socket *s, unsigned code);

/* Reads nothing, or reads on. */
void socket_pause(struct sockets *all, struct socket *s, bool is_paused);

#endif
