/* A hundred of a topic of three hundred stop reading while forty of the others set their status
   over and over: more than kernels keep for a socket. */
#include <stdlib.h>

#include "bench/server/die.h"
#include "bench/server/load.h"

enum { clients = 300, slow_clients = 100, busy_clients = 40, at_once = 100, mirrors = 20 };
static const double phase_s = 10, tick_s = 0.05;

/* A status whose way to the first client is timed. */
struct timed {
  const struct client *who;
  double sent_at; /* 0: it has arrived */
  double *took_ms;
  size_t count;
};

static void on_diff(struct crowd *crowd, struct client *c,
                    const struct presence__phoenix *message) {
  struct timed *t = crowd->context;
  (void)message;
  if (c != &crowd->clients[0] || t->sent_at == 0) return;
  const struct mirror_entry *e = mirror_get(&c->mirror, t->who->user);
  if (!e || crowd->book.meta[mirror_metas(e)[0]].status != t->who->status) return;
  t->took_ms[t->count++] = (meter_now_s() - t->sent_at) * 1000;
  t->sent_at = 0;
}

/* All the busy ones, and on to the next tick. */
static void busy_phase(const struct load_options *o, struct crowd *crowd) {
  struct timed *t = crowd->context;
  struct client *busy = &crowd->clients[mirrors + slow_clients];
  double until = meter_now_s() + phase_s * o->scale;
  t->count = 0;
  t->who = busy;
  while (meter_now_s() < until && crowd->errors == 0) {
    double next = meter_now_s() + tick_s;
    t->sent_at = meter_now_s();
    for (size_t i = 0; i < busy_clients; i++)
      client_set_status(crowd, &busy[i], busy[i].status + 1);
    while (t->sent_at > 0 && crowd->errors == 0) {
      crowd_step(crowd, 100);
      if (meter_now_s() > next + o->patience_s) die("the first client saw nothing of a status");
    }
    double left = next - meter_now_s();
    if (left > 0) crowd_work_for(crowd, left);
  }
}

static void say_times(struct crowd *crowd, const char *p50, const char *p99) {
  struct timed *t = crowd->context;
  load_row(p50, load_percentile(t->took_ms, t->count, 0.5), "ms");
  load_row(p99, load_percentile(t->took_ms, t->count, 0.99), "ms");
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
  struct timed timed = {
      .took_ms = grow(NULL, (size_t)(phase_s * o->scale / tick_s) + 2, sizeof *timed.took_ms)};
  gather(o, &crowd, load_scaled(o, clients, mirrors + slow_clients + busy_clients));
  crowd.context = &timed;
  crowd.on_diff = on_diff;

  double cpu = meter_cpu_s(&o->meter);
  busy_phase(o, &crowd);
  load_row("CPU while all read", meter_cpu_s(&o->meter) - cpu, "s");
  say_times(&crowd, "a status until another sees it, all read: p50", "the same, p99");
  double memory = meter_memory_bytes(&o->meter);
  cpu = meter_cpu_s(&o->meter);
  pause_all(&crowd, true);
  busy_phase(o, &crowd);
  load_row("CPU while 100 do not", meter_cpu_s(&o->meter) - cpu, "s");
  say_times(&crowd, "a status until another sees it, 100 do not read: p50", "the same then, p99");
  load_row("resident memory for each who does not read",
           (meter_memory_bytes(&o->meter) - memory) / slow_clients / 1024, "KiB");
  double began = meter_now_s();
  pause_all(&crowd, false);
  struct verdict v = judge_settled(&crowd, o->patience_s);
  load_row("time until their mirrors are exact", meter_now_s() - began, "s");
  free(timed.took_ms);
  return load_verdict(&crowd, v);
}
