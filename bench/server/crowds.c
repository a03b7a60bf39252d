/* Five thousand clients at once into five hundred topics. */
#include "bench/server/load.h"

enum { clients = 5000, topic_size = 10 };

bool load_crowds(const struct load_options *o) {
  struct crowd crowd;
  size_t count = load_scaled(o, clients / topic_size, 2) * topic_size;
  crowd_init(&crowd, o->host, o->port, count, topic_size);
  double memory = meter_memory_bytes(&o->meter);
  double cpu = meter_cpu_s(&o->meter), began = meter_now_s();
  for (size_t i = 0; i < count; i++)
    client_open(&crowd, &crowd.clients[i]);
  crowd_await_joins(&crowd, 0, count, o->patience_s);
  double joined = meter_now_s();
  struct verdict v = judge_settled(&crowd, o->patience_s);
  load_row("CPU", meter_cpu_s(&o->meter) - cpu, "s");
  load_row("time until all have joined", joined - began, "s");
  load_row("sent", (double)crowd.sockets.bytes_in / 1e6, "MB");
  load_row("resident memory a joined connection",
           (meter_memory_bytes(&o->meter) - memory) / (double)count / 1024, "KiB");
  return load_verdict(&crowd, v);
}
