/* Clients as phoenix.js is one: each a socket, one topic, a mirror of its presences. */
#ifndef BENCH_SERVER_CLIENT_H
#define BENCH_SERVER_CLIENT_H

#include "bench/server/mirror.h"
#include "bench/server/socket.h"
#include "net/phoenix.h"

struct client {
  struct socket socket; /* first */
  uint32_t user;        /* its number, and its key's */
  uint32_t topic;
  uint32_t joins;         /* so far; the last one is what others should see */
  uint32_t status;        /* the last one that it set since; 0: none */
  bool is_joined;         /* the server said ok */
  bool has_state;         /* of this join: diffs before it wait */
  bool has_mirror;        /* false: presences are counted, not read */
  bool is_leaving;        /* it closes, and expects to be closed */
  bool joins_alone;       /* joins by itself once open */
  uint64_t states, diffs; /* frames of presence_state and presence_diff */
  struct mirror mirror;
  struct presence__buf early; /* diffs that wait: size_t size, bytes */
};

struct crowd;
/* A frame of an event that is no presence, or a presence_diff after it was applied. */
typedef void crowd_hears(struct crowd *crowd, struct client *c,
                         const struct presence__phoenix *message);

struct crowd {
  struct sockets sockets; /* of all clients */
  struct client *clients;
  size_t count;
  size_t joined;     /* clients for which is_joined holds */
  size_t with_state; /* and those that have heard a state since they joined */
  uint64_t beats, beats_answered;
  size_t next_beat;         /* whose turn it is */
  double beats_until;       /* the time up to which all due ones were sent; 0: none yet */
  uint64_t presence_frames; /* of all clients */
  size_t errors;
  struct book book;
  struct listing joins, leaves; /* of the frame in hand */
  crowd_hears *on_event;
  crowd_hears *on_diff;
  void *context; /* of who hears */
};

/* `count` clients, user i in the topic i / size of it; nothing is opened. */
void crowd_init(struct crowd *crowd, const char *host, uint16_t port, size_t count,
                size_t topic_size);

/* Connects a client; it joins once it is open, if joins_alone. */
void client_open(struct crowd *crowd, struct client *c);
void client_join(struct crowd *crowd, struct client *c);
/* Leaves the topic; the socket stays. */
void client_leave(struct crowd *crowd, struct client *c);
/* Closes as a browser does: a close frame, then it waits for the server's end. */
void client_close(struct crowd *crowd, struct client *c);
/* Sets a status, a number over 0, of some four hundred bytes. */
void client_set_status(struct crowd *crowd, struct client *c, uint32_t status);
void client_push(struct crowd *crowd, struct client *c, const char *event, const char *payload);

/* Notes something that should not have happened; the first few are told on standard error. */
void crowd_error(struct crowd *crowd, const struct client *c, const char *what, size_t n);

/* Waits at most so long for something to happen, handles it, and sends the heartbeats that are due:
   one of each open client in thirty seconds, spread evenly, as phoenix.js sends them. */
void crowd_step(struct crowd *crowd, int timeout_ms);

/* Works until everybody in [first, last) has joined and has a state; dies when that takes longer.
   Errors end it early. */
void crowd_await_joins(struct crowd *crowd, size_t first, size_t last, double timeout_s);

/* Works for so many seconds. */
void crowd_work_for(struct crowd *crowd, double seconds);

#endif
