/* A thousand clients into one topic at once, while one of it watches. */
#include "bench/server/load.h"

enum { clients = 1000 };

static uint64_t most_frames(const struct crowd *crowd) {
  uint64_t most = 0;
  for (size_t i = 0; i < crowd->count; i++) {
    uint64_t frames = crowd->clients[i].states + crowd->clients[i].diffs;
    if (frames > most) most = frames;
  }
  return most;
}

bool load_storm(const struct load_options *o) {
  struct crowd crowd;
  size_t count = load_scaled(o, clients, 10) + 1;
  crowd_init(&crowd, o->host, o->port, count, count);
  struct client *observer = &crowd.clients[0];
  client_open(&crowd, observer);
  crowd_await_joins(&crowd, 0, 1, o->patience_s);
  crowd_work_for(&crowd, 0.2); /* the topic is quiet */

  double cpu = meter_cpu_s(&o->meter), began = meter_now_s();
  uint64_t bytes = crowd.sockets.bytes_in;
  for (size_t i = 1; i < count; i++)
    client_open(&crowd, &crowd.clients[i]);
  crowd_await_joins(&crowd, 0, count, o->patience_s);
  double joined = meter_now_s();
  struct verdict v = judge_settled(&crowd, o->patience_s);
  load_row("CPU", meter_cpu_s(&o->meter) - cpu, "s");
  load_row("time until all have joined", joined - began, "s");
  load_row("sent", (double)(crowd.sockets.bytes_in - bytes) / 1e6, "MB");
  load_row("diffs that an observer gets", (double)observer->diffs, "frames");
  load_row("presence frames of a client, at most", (double)most_frames(&crowd), "frames");
  return load_verdict(&crowd, v);
}
