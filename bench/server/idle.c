/* Ten thousand joined connections that say nothing but a heartbeat every thirty seconds, spread. */
#include "bench/server/load.h"

enum { clients = 10000, topic_size = 10, at_once = 500 };
static const double measured_s = 60;

/* Heartbeats are sent when they are due, some milliseconds late at most. */
static void stay(struct crowd *crowd, double for_s) {
  for (double until = meter_now_s() + for_s; meter_now_s() < until && crowd->errors == 0;)
    crowd_step(crowd, 3);
}

/* Those of this instant that have no answer when the patience ends. */
static uint64_t unanswered(struct crowd *crowd, double patience_s) {
  uint64_t sent = crowd->beats;
  for (double until = meter_now_s() + patience_s; meter_now_s() < until && crowd->errors == 0;) {
    if (crowd->beats_answered >= sent) return 0;
    crowd_step(crowd, 10);
  }
  return sent - crowd->beats_answered;
}

bool load_idle(const struct load_options *o) {
  struct crowd crowd;
  size_t count = load_scaled(o, clients / topic_size, 2) * topic_size;
  crowd_init(&crowd, o->host, o->port, count, topic_size);
  double memory = meter_memory_bytes(&o->meter);
  for (size_t i = 0; i < count; i++) {
    client_open(&crowd, &crowd.clients[i]);
    if ((i + 1) % at_once == 0 || i + 1 == count)
      crowd_await_joins(&crowd, 0, i + 1, o->patience_s);
  }
  (void)judge_settled(&crowd, o->patience_s);
  load_row("resident memory a joined connection",
           (meter_memory_bytes(&o->meter) - memory) / (double)count / 1024, "KiB");

  double for_s = measured_s * o->scale, cpu = meter_cpu_s(&o->meter);
  uint64_t beats = crowd.beats;
  stay(&crowd, for_s);
  double used = meter_cpu_s(&o->meter) - cpu;
  beats = crowd.beats - beats;
  load_row("CPU", used / for_s * 100, "% of a core");
  load_row("heartbeats", (double)beats, "heartbeats");
  load_row("heartbeats not answered", (double)unanswered(&crowd, o->patience_s), "heartbeats");
  return load_verdict(&crowd, judge(&crowd, true));
}
