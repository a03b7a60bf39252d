/* A hundred clients of a topic of ten thousand stop reading while others come and go. */
#include <stdlib.h>

#include "bench/server/die.h"
#include "bench/server/load.h"

enum { clients = 10000, slow_clients = 100, at_once = 250, mirrors = 20 };
enum { moves = 1000, moves_a_second = 50 };
enum { joiner_left, joiner_waits, joiner_seen };

/* A join whose way to the first client is timed. */
struct timed {
  struct client *joiner;
  int stage;
  double seen_at;
};

static void on_diff(struct crowd *crowd, struct client *c,
                    const struct presence__phoenix *message) {
  struct timed *t = crowd->context;
  (void)message;
  if (c != &crowd->clients[0] || t->stage != joiner_waits) return;
  const struct mirror_entry *e = mirror_get(&c->mirror, t->joiner->user);
  if (e && crowd->book.meta[mirror_metas(e)[0]].join == t->joiner->joins) {
    t->stage = joiner_seen;
    t->seen_at = meter_now_s();
  }
}

/* Clients leave the topic and join it again, one after another, and the first client watches. */
static size_t move(const struct load_options *o, struct crowd *crowd, size_t count, double *took) {
  struct timed *t = crowd->context;
  size_t movers = crowd->count - mirrors - slow_clients, seen = 0;
  for (size_t i = 0; i < count && crowd->errors == 0; i++) {
    double began = meter_now_s();
    t->joiner = &crowd->clients[mirrors + slow_clients + i % movers];
    t->stage = joiner_left;
    client_leave(crowd, t->joiner);
    crowd_work_for(crowd, 1.0 / moves_a_second);
    t->stage = joiner_waits;
    double joined = meter_now_s();
    client_join(crowd, t->joiner);
    while (t->stage != joiner_seen && crowd->errors == 0) {
      crowd_step(crowd, 100);
      if (meter_now_s() > joined + o->patience_s) die("the first client saw nothing of a join");
    }
    took[seen++] = (t->seen_at - joined) * 1000;
    double left = 2.0 / moves_a_second - (meter_now_s() - began);
    if (left > 0) crowd_work_for(crowd, left);
  }
  return seen;
}

static void gather(const struct load_options *o, struct crowd *crowd, size_t count) {
  crowd_init(crowd, o->host, o->port, count, count);
  for (size_t i = 0; i < count; i++) {
    crowd->clients[i].has_mirror = i < mirrors + slow_clients;
    crowd->clients[i].socket.is_small = i >= mirrors && i < mirrors + slow_clients;
    client_open(crowd, &crowd->clients[i]);
    if ((i + 1) % at_once == 0 || i + 1 == count) crowd_await_joins(crowd, 0, i + 1, o->patience_s);
  }
  (void)judge_settled(crowd, o->patience_s);
}

static void pause_all(struct crowd *crowd, bool is_paused) {
  for (size_t i = mirrors; i < mirrors + slow_clients; i++)
    socket_pause(&crowd->sockets, &crowd->clients[i].socket, is_paused);
}

bool load_slow(const struct load_options *o) {
  struct crowd crowd;
  struct timed timed = {0};
  size_t count = load_scaled(o, clients, mirrors + slow_clients + 20);
  size_t moved = load_scaled(o, moves / 2, 5);
  double *took = grow(NULL, moved, sizeof *took);
  gather(o, &crowd, count);
  crowd.context = &timed;
  crowd.on_diff = on_diff;

  size_t seen = move(o, &crowd, moved, took);
  load_row("a join until another sees it, all read: p50", load_percentile(took, seen, 0.5), "ms");
  load_row("the same, p99", load_percentile(took, seen, 0.99), "ms");
  double memory = meter_memory_bytes(&o->meter), cpu = meter_cpu_s(&o->meter);
  pause_all(&crowd, true);
  seen = move(o, &crowd, moved, took);
  load_row("a join until another sees it, 100 do not read: p50", load_percentile(took, seen, 0.5),
           "ms");
  load_row("the same then, p99", load_percentile(took, seen, 0.99), "ms");
  load_row("CPU meanwhile", meter_cpu_s(&o->meter) - cpu, "s");
  load_row("memory that a client costs that does not read",
           (meter_memory_bytes(&o->meter) - memory) / slow_clients / 1024, "KiB");
  double began = meter_now_s();
  pause_all(&crowd, false);
  struct verdict v = judge_settled(&crowd, o->patience_s);
  load_row("time until their mirrors are exact", meter_now_s() - began, "s");
  free(took);
  return load_verdict(&crowd, v);
}
