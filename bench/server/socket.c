#include "bench/server/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/server/die.h"

enum { room_bytes = 1 << 18, max_events = 512, small_buffer_bytes = 4096, max_message = 1 << 28 };

/* The example of RFC 6455, section 1.3: a key, and what must be answered. */
static const char websocket_key[] = "dGhlIHNhbXBsZSBub25jZQ==";
static const char accept_line[] = "\r\nsec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\n";

void sockets_init(struct sockets *all, const char *host, uint16_t port, socket_hears *hears) {
  memset(all, 0, sizeof *all);
  all->epoll = epoll_create1(EPOLL_CLOEXEC);
  if (all->epoll < 0) die("epoll_create1: %s", strerror(errno));
  if (strlen(host) >= sizeof all->host) die("--host: an IPv4 address, please");
  memcpy(all->host, host, strlen(host) + 1);
  all->port = port;
  all->room = grow(NULL, room_bytes, 1);
  all->hears = hears;
}

static void watch(struct sockets *all, struct socket *s, uint32_t events) {
  struct epoll_event event = {.events = events, .data = {.ptr = s}};
  int operation = s->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  if (events == s->watched) return;
  if (epoll_ctl(all->epoll, operation, s->fd, &event) != 0) die("epoll_ctl: %s", strerror(errno));
  s->watched = events;
}

static void watch_as_it_is(struct sockets *all, struct socket *s) {
  bool wants_out = s->state == SOCKET_CONNECTING || s->out.size > 0;
  /* EPOLLRDHUP also tells a paused reader that the server hung up. */
  watch(all, s,
        (s->is_paused ? EPOLLRDHUP : EPOLLIN) | (uint32_t)(wants_out ? (unsigned)EPOLLOUT : 0u));
}

static void gone(struct sockets *all, struct socket *s, const char *why) {
  close(s->fd);
  presence__ws_free(&s->ws);
  presence__buf_free(&s->out);
  s->state = SOCKET_CLOSED;
  s->fd = -1;
  s->watched = 0;
  all->hears(s, SOCKET_GONE, why, strlen(why));
}

static void flush(struct sockets *all, struct socket *s) {
  while (s->out.size > 0) {
    ssize_t sent = send(s->fd, s->out.data, s->out.size, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) {
      gone(all, s, strerror(errno));
      return;
    }
    if (sent <= 0) break;
    presence__buf_drop_front(&s->out, (size_t)sent);
  }
  watch_as_it_is(all, s);
}

static void write_bytes(struct sockets *all, struct socket *s, const char *bytes, size_t n) {
  ssize_t sent = s->out.size ? 0 : send(s->fd, bytes, n, MSG_NOSIGNAL);
  if (sent < 0) sent = 0; /* what is wrong shows when the rest is sent, or by epoll */
  if ((size_t)sent == n) return;
  if (!presence__buf_append(&s->out, bytes + sent, n - (size_t)sent)) die("out of memory");
  watch_as_it_is(all, s);
}

void socket_open(struct sockets *all, struct socket *s, const char *path) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(all->port)};
  int on = 1, small = small_buffer_bytes;
  if (inet_pton(AF_INET, all->host, &to.sin_addr) != 1) die("'%s' is no IPv4 address", all->host);
  s->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (s->fd < 0) die("a socket: %s", strerror(errno));
  (void)setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (s->is_small) (void)setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  presence__ws_init(&s->ws, PRESENCE__WS_CLIENT, max_message, 1, NULL);
  presence__buf_init(&s->out, NULL);
  if (connect(s->fd, (struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS)
    die("cannot connect to %s:%u: %s", all->host, all->port, strerror(errno));
  char head[1024];
  int n = snprintf(head, sizeof head,
                   "GET %s HTTP/1.1\r\nHost: %s:%u\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                   "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n",
                   path, all->host, all->port, websocket_key);
  if (n <= 0 || (size_t)n >= sizeof head) die("a path that is too long");
  if (!presence__buf_append(&s->out, head, (size_t)n)) die("out of memory");
  s->state = SOCKET_CONNECTING;
  watch_as_it_is(all, s);
}

static void write_frame(struct sockets *all, struct socket *s, unsigned opcode, const char *payload,
                        size_t n) {
  char frame[PRESENCE__WS_MASKED_HEAD_MAX + 1024];
  static const char mask[4] = {0x37, 0x5a, 0x21, 0x4d};
  if (n > sizeof frame - PRESENCE__WS_MASKED_HEAD_MAX) die("a message of %zu bytes", n);
  size_t head = presence__ws_write_head(frame, opcode, true, n, mask);
  memcpy(frame + head, payload, n);
  presence__ws_mask(frame + head, n, mask);
  write_bytes(all, s, frame, head + n);
}

void socket_send(struct sockets *all, struct socket *s, const char *text, size_t n) {
  if (s->state == SOCKET_OPEN) write_frame(all, s, PRESENCE__WS_OP_TEXT, text, n);
}

void socket_send_close(struct sockets *all, struct socket *s, unsigned code) {
  char payload[2] = {(char)(code >> 8), (char)(code & 0xFF)};
  if (s->state == SOCKET_OPEN) write_frame(all, s, PRESENCE__WS_OP_CLOSE, payload, sizeof payload);
}

void socket_pause(struct sockets *all, struct socket *s, bool is_paused) {
  s->is_paused = is_paused;
  if (s->state != SOCKET_CLOSED) watch_as_it_is(all, s);
}

static void end_by_frame(struct sockets *all, struct socket *s,
                         const struct presence__ws_event *e) {
  char why[192];
  snprintf(why, sizeof why, "%s %u %.*s",
           e->kind == PRESENCE__WS_CLOSE ? "closed by the server with" : "broke the protocol:",
           e->code, (int)(e->size > 120 ? 120 : e->size), e->data);
  gone(all, s, why);
}

static void read_frames(struct sockets *all, struct socket *s, const char *bytes, size_t n) {
  struct presence__ws_event e;
  if (!presence__ws_feed(&s->ws, bytes, n)) die("out of memory");
  while (s->state == SOCKET_OPEN) {
    switch (presence__ws_next(&s->ws, &e)) {
    case PRESENCE__WS_NEEDS_MORE:
      return;
    case PRESENCE__WS_TEXT:
      all->hears(s, SOCKET_MESSAGE, e.data, e.size);
      break;
    case PRESENCE__WS_PING:
      write_frame(all, s, PRESENCE__WS_OP_PONG, e.data, e.size);
      break;
    case PRESENCE__WS_PONG:
      break;
    case PRESENCE__WS_NO_MEMORY:
      die("out of memory");
    case PRESENCE__WS_BINARY:
      gone(all, s, "sent a binary message");
      return;
    case PRESENCE__WS_CLOSE:
    case PRESENCE__WS_ERROR:
      end_by_frame(all, s, &e);
      return;
    }
  }
}

/* Size of a response's head, with the empty line; 0 when it is not whole. */
static size_t head_size(const char *bytes, size_t n) {
  for (size_t at = 0; at + 4 <= n; at++)
    if (memcmp(bytes + at, "\r\n\r\n", 4) == 0) return at + 4;
  return 0;
}

/* The answer to the upgrade comes in one piece: it is short and the first that is written. */
static void read_upgrade(struct sockets *all, struct socket *s, const char *bytes, size_t n) {
  char head[512], why[160];
  size_t size = head_size(bytes, n), length = size < sizeof head ? size : sizeof head - 1;
  for (size_t i = 0; i < length; i++)
    head[i] = (char)(bytes[i] >= 'A' && bytes[i] <= 'Z' ? bytes[i] | 0x20 : bytes[i]);
  head[length] = 0;
  if (strncmp(head, "http/1.1 101 ", 13) != 0) {
    snprintf(why, sizeof why, "refused: %.*s", (int)strcspn(head, "\r\n"), head);
    gone(all, s, why);
  } else if (!strstr(head, accept_line)) {
    gone(all, s, "answered the upgrade with a wrong Sec-WebSocket-Accept");
  } else {
    s->state = SOCKET_OPEN;
    all->hears(s, SOCKET_OPENED, "", 0);
    if (n > size && s->state == SOCKET_OPEN) read_frames(all, s, bytes + size, n - size);
  }
}

static void read_some(struct sockets *all, struct socket *s) {
  ssize_t n = recv(s->fd, all->room, room_bytes, 0);
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0) {
    gone(all, s, n < 0 ? strerror(errno) : "hung up on without a close frame");
    return;
  }
  all->bytes_in += (uint64_t)n;
  if (s->state == SOCKET_UPGRADING)
    read_upgrade(all, s, all->room, (size_t)n);
  else
    read_frames(all, s, all->room, (size_t)n);
}

static void handle(struct sockets *all, struct socket *s, uint32_t events) {
  if (s->state == SOCKET_CONNECTING && (events & (EPOLLOUT | EPOLLERR | EPOLLHUP))) {
    int error = 0;
    socklen_t size = sizeof error;
    (void)getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error) {
      gone(all, s, strerror(error));
      return;
    }
    s->state = SOCKET_UPGRADING;
  }
  if (s->out.size && (events & EPOLLOUT)) flush(all, s);
  if (s->state == SOCKET_CLOSED) return;
  if (events & EPOLLIN)
    read_some(all, s);
  else if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
    gone(all, s, "hung up on while it read nothing");
}

void sockets_step(struct sockets *all, int timeout_ms) {
  struct epoll_event events[max_events];
  int count = epoll_wait(all->epoll, events, max_events, timeout_ms);
  if (count < 0 && errno != EINTR) die("epoll_wait: %s", strerror(errno));
  for (int i = 0; i < count; i++) {
    struct socket *s = events[i].data.ptr;
    /* What is handled may close a socket, but opens none: nothing old is taken for something new.
     */
    if (s->state != SOCKET_CLOSED) handle(all, s, events[i].events);
  }
  all->wakes += count > 0;
}
