/* A thousand clients in ten topics, of whom fifty a second close and come back, as phoenix.js does,
   ten milliseconds after the server has hung up. */
#include "bench/server/load.h"

enum { clients = 1000, topic_size = 100, reconnects_a_second = 50, seconds = 30 };
enum { max_returning = 256 };
static const double comes_back_after_s = 0.01;

/* Those who are away. */
struct returning {
  struct client *clients[max_returning];
  double gone_at[max_returning]; /* 0: the server has not hung up yet */
  size_t count;
};

static void send_away(struct crowd *crowd, struct returning *away, uint64_t *dice) {
  for (;;) {
    *dice = *dice * 6364136223846793005u + 1442695040888963407u;
    struct client *c = &crowd->clients[(*dice >> 33) % crowd->count];
    if (!c->is_joined || !c->has_state) continue;
    client_close(crowd, c);
    away->clients[away->count] = c;
    away->gone_at[away->count++] = 0;
    return;
  }
}

static void take_back(struct crowd *crowd, struct returning *away) {
  double now = meter_now_s();
  for (size_t i = 0; i < away->count;) {
    struct client *c = away->clients[i];
    if (c->socket.state == SOCKET_CLOSED && away->gone_at[i] == 0) away->gone_at[i] = now;
    if (away->gone_at[i] > 0 && now >= away->gone_at[i] + comes_back_after_s) {
      client_open(crowd, c);
      away->count--;
      away->clients[i] = away->clients[away->count];
      away->gone_at[i] = away->gone_at[away->count];
    } else {
      i++;
    }
  }
}

/* Returns how many were sent away. */
static size_t churn(struct crowd *crowd, double for_s) {
  struct returning away = {.count = 0};
  uint64_t dice = 1;
  size_t sent = 0;
  double began = meter_now_s(), now = began;
  while ((now < began + for_s || away.count > 0) && crowd->errors == 0) {
    double due = (now < began + for_s ? now - began : for_s) * reconnects_a_second;
    while ((double)sent < due && away.count < max_returning && crowd->joined * 2 > crowd->count) {
      send_away(crowd, &away, &dice);
      sent++;
    }
    take_back(crowd, &away);
    crowd_step(crowd, 2);
    now = meter_now_s();
  }
  return sent;
}

bool load_churn(const struct load_options *o) {
  struct crowd crowd;
  size_t size = load_scaled(o, topic_size, 4), count = clients / topic_size * size;
  crowd_init(&crowd, o->host, o->port, count, size);
  for (size_t i = 0; i < count; i++)
    client_open(&crowd, &crowd.clients[i]);
  crowd_await_joins(&crowd, 0, count, o->patience_s);
  (void)judge_settled(&crowd, o->patience_s);

  double cpu = meter_cpu_s(&o->meter);
  uint64_t bytes = crowd.sockets.bytes_in, diffs = 0;
  size_t reconnects = churn(&crowd, seconds * o->scale);
  if (crowd.errors == 0) crowd_await_joins(&crowd, 0, count, o->patience_s);
  struct verdict v = judge_settled(&crowd, o->patience_s);
  load_row("CPU", meter_cpu_s(&o->meter) - cpu, "s");
  load_row("reconnects", (double)reconnects, "reconnects");
  load_row("sent", (double)(crowd.sockets.bytes_in - bytes) / 1e6, "MB");
  for (size_t i = 0; i < count; i++)
    diffs += crowd.clients[i].diffs;
  load_row("diffs of all clients", (double)diffs, "frames");
  return load_verdict(&crowd, v);
}
