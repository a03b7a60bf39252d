#include "bench/server/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/server/die.h"
#include "bench/server/meter.h"

enum { errors_told = 5, max_depth = 16 };

static const double heartbeat_s = 30;

static struct crowd *crowd_in_hand; /* socket_hears knows the socket alone */

void crowd_error(struct crowd *crowd, const struct client *c, const char *what, size_t n) {
  if (crowd->errors++ < errors_told)
    fprintf(stderr, "bench_load: user-%u on room:%u: %.*s\n", c->user, c->topic,
            (int)(n > 300 ? 300 : n), what);
}

static void say(struct crowd *crowd, struct client *c, const char *format, const char *event,
                const char *payload) {
  char text[1024];
  int n = snprintf(text, sizeof text, format, c->topic, event, payload);
  if (n <= 0 || (size_t)n >= sizeof text) die("a message that is too long");
  socket_send(&crowd->sockets, &c->socket, text, (size_t)n);
}

void client_join(struct crowd *crowd, struct client *c) {
  char params[96];
  c->joins++;
  c->status = 0;
  snprintf(params, sizeof params, "{\"device\":\"%u.%u\",\"online_at\":1700000000}", c->user,
           c->joins);
  say(crowd, c, "[\"1\",\"1\",\"room:%u\",\"%s\",%s]", "phx_join", params);
}

void client_push(struct crowd *crowd, struct client *c, const char *event, const char *payload) {
  say(crowd, c, "[\"1\",\"2\",\"room:%u\",\"%s\",%s]", event, payload);
}

void client_set_status(struct crowd *crowd, struct client *c, uint32_t status) {
  char payload[480];
  c->status = status;
  snprintf(payload, sizeof payload, "{\"status\":\"%u%*s\"}", status, 400, ".");
  client_push(crowd, c, "status", payload);
}

/* The state that was told is of this join. */
static void forget_join(struct crowd *crowd, struct client *c) {
  crowd->joined -= c->is_joined;
  crowd->with_state -= c->has_state;
  c->is_joined = c->has_state = false;
  presence__buf_free(&c->early);
}

void client_leave(struct crowd *crowd, struct client *c) {
  forget_join(crowd, c);
  say(crowd, c, "[\"1\",\"4\",\"room:%u\",\"%s\",%s]", "phx_leave", "{}");
}

void client_close(struct crowd *crowd, struct client *c) {
  forget_join(crowd, c);
  c->is_leaving = true;
  socket_send_close(&crowd->sockets, &c->socket, 1001);
}

void client_open(struct crowd *crowd, struct client *c) {
  char path[128], name[32];
  book_user_name(name, sizeof name, c->user);
  snprintf(path, sizeof path, "/socket/websocket?vsn=2.0.0&user_id=%s", name);
  c->is_leaving = false;
  socket_open(&crowd->sockets, &c->socket, path);
}

/* --- what comes ------------------------------------------------------------------------------ */

static bool says(struct presence__json_span token, const char *s) {
  return presence__json_string_is(token.text, token.size, s, strlen(s));
}

static void fault_in(struct crowd *crowd, struct client *c, const char *fault,
                     struct presence__json_span text) {
  char what[300];
  int n = snprintf(what, sizeof what, "%s: %.*s", fault, (int)(text.size > 200 ? 200 : text.size),
                   text.text);
  crowd_error(crowd, c, what, (size_t)n < sizeof what ? (size_t)n : sizeof what - 1);
}

static void apply_diff(struct crowd *crowd, struct client *c, struct presence__json_span payload) {
  const char *fault = listing_read_diff(&crowd->joins, &crowd->leaves, &crowd->book, payload);
  if (fault)
    fault_in(crowd, c, fault, payload);
  else
    mirror_sync_diff(&c->mirror, &crowd->book, &crowd->joins, &crowd->leaves);
}

static void keep_early(struct client *c, struct presence__json_span payload) {
  presence__buf_append(&c->early, (const char *)&payload.size, sizeof payload.size);
  if (!presence__buf_append(&c->early, payload.text, payload.size)) die("out of memory");
}

static void apply_early(struct crowd *crowd, struct client *c) {
  struct presence__json_span payload;
  for (size_t at = 0; at < c->early.size; at += sizeof payload.size + payload.size) {
    memcpy(&payload.size, c->early.data + at, sizeof payload.size);
    payload.text = c->early.data + at + sizeof payload.size;
    apply_diff(crowd, c, payload);
  }
  presence__buf_free(&c->early);
}

static void on_state(struct crowd *crowd, struct client *c, struct presence__json_span payload) {
  c->states++;
  crowd->presence_frames++;
  crowd->with_state += !c->has_state;
  c->has_state = true;
  if (!c->has_mirror) return;
  const char *fault = listing_read(&crowd->joins, &crowd->book, payload);
  if (fault)
    fault_in(crowd, c, fault, payload);
  else
    mirror_sync_state(&c->mirror, &crowd->book, &crowd->joins);
  apply_early(crowd, c);
}

static void on_diff(struct crowd *crowd, struct client *c,
                    const struct presence__phoenix *message) {
  c->diffs++;
  crowd->presence_frames++;
  if (c->has_mirror && c->has_state)
    apply_diff(crowd, c, message->payload);
  else if (c->has_mirror)
    keep_early(c, message->payload);
  if (crowd->on_diff) crowd->on_diff(crowd, c, message);
}

static void on_reply(struct crowd *crowd, struct client *c,
                     const struct presence__phoenix *message) {
  static const char ok[] = "{\"status\":\"ok\"", ok_last[] = "\"status\":\"ok\"}";
  struct presence__json_span p = message->payload;
  bool is_ok = p.size >= sizeof ok &&
               (memcmp(p.text, ok, sizeof ok - 1) == 0 ||
                memcmp(p.text + p.size - (sizeof ok_last - 1), ok_last, sizeof ok_last - 1) == 0);
  if (!is_ok) {
    fault_in(crowd, c, "an error for an answer", p);
  } else if (says(message->ref, "1") && !c->is_joined && !c->is_leaving) {
    c->is_joined = true;
    crowd->joined++;
  } else if (says(message->ref, "3")) {
    crowd->beats_answered++;
  }
}

static void on_message(struct crowd *crowd, struct client *c, const char *text, size_t n) {
  struct presence__phoenix message;
  const char *fault = presence__v2_cut(text, n, max_depth, &message, NULL);
  if (fault) {
    fault_in(crowd, c, fault, (struct presence__json_span){text, n});
  } else if (message.join_ref.size && !says(message.join_ref, "1")) {
    return; /* of another join */
  } else if (says(message.event, "presence_diff")) {
    on_diff(crowd, c, &message);
  } else if (says(message.event, "presence_state")) {
    if (!c->is_leaving) on_state(crowd, c, message.payload);
  } else if (says(message.event, "phx_reply")) {
    on_reply(crowd, c, &message);
  } else if (says(message.event, "phx_error")) {
    crowd_error(crowd, c, text, n);
  } else if (crowd->on_event) {
    crowd->on_event(crowd, c, &message);
  }
}

static void hear(void *owner, enum socket_event event, const char *text, size_t n) {
  struct client *c = owner;
  struct crowd *crowd = crowd_in_hand;
  switch (event) {
  case SOCKET_OPENED:
    if (c->joins_alone) client_join(crowd, c);
    break;
  case SOCKET_MESSAGE:
    on_message(crowd, c, text, n);
    break;
  case SOCKET_GONE:
    if (!c->is_leaving) {
      forget_join(crowd, c);
      crowd_error(crowd, c, text, n);
    }
    break;
  }
}

/* --- all of them ----------------------------------------------------------------------------- */

void crowd_init(struct crowd *crowd, const char *host, uint16_t port, size_t count,
                size_t topic_size) {
  memset(crowd, 0, sizeof *crowd);
  crowd_in_hand = crowd;
  meter_allow_files(count + 64);
  sockets_init(&crowd->sockets, host, port, hear);
  book_add_users(&crowd->book, count);
  crowd->clients = grow(NULL, count, sizeof *crowd->clients);
  memset(crowd->clients, 0, count * sizeof *crowd->clients);
  crowd->count = count;
  for (size_t i = 0; i < count; i++) {
    struct client *c = &crowd->clients[i];
    c->user = (uint32_t)i;
    c->topic = (uint32_t)(i / topic_size);
    c->has_mirror = c->joins_alone = true;
    presence__buf_init(&c->early, NULL);
  }
}

/* Everybody has his place in the thirty seconds. */
static void beat(struct crowd *crowd) {
  static const char text[] = "[null,\"3\",\"phoenix\",\"heartbeat\",{}]";
  double now = meter_now_s(), apart = heartbeat_s / (double)crowd->count;
  if (crowd->beats_until == 0) crowd->beats_until = now;
  while (crowd->beats_until + apart <= now) {
    crowd->beats_until += apart;
    struct client *c = &crowd->clients[crowd->next_beat];
    crowd->next_beat = (crowd->next_beat + 1) % crowd->count;
    if (c->socket.state != SOCKET_OPEN || c->is_leaving) continue;
    crowd->beats++;
    socket_send(&crowd->sockets, &c->socket, text, sizeof text - 1);
  }
}

void crowd_step(struct crowd *crowd, int timeout_ms) {
  sockets_step(&crowd->sockets, timeout_ms);
  beat(crowd);
}

static size_t missing(const struct crowd *crowd, size_t first, size_t last) {
  size_t count = 0;
  for (size_t i = first; i < last; i++)
    count += !(crowd->clients[i].is_joined && crowd->clients[i].has_state);
  return count;
}

void crowd_await_joins(struct crowd *crowd, size_t first, size_t last, double timeout_s) {
  double until = meter_now_s() + timeout_s;
  while (crowd->errors == 0 && (crowd->joined < last - first || missing(crowd, first, last) > 0)) {
    if (meter_now_s() > until)
      die("after %.0f s, %zu of %zu clients have not joined and heard a state", timeout_s,
          missing(crowd, first, last), last - first);
    crowd_step(crowd, 100);
  }
  if (crowd->errors > 0) die("%zu errors while clients joined", crowd->errors);
}

void crowd_work_for(struct crowd *crowd, double seconds) {
  double until = meter_now_s() + seconds, left;
  while ((left = until - meter_now_s()) > 0)
    crowd_step(crowd, (int)(left * 1000) + 1);
}
