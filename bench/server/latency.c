/* One client joins on a server that has nothing else to do; another sees it come. */
#include <stdlib.h>

#include "bench/server/die.h"
#include "bench/server/load.h"

enum { joins = 400 };
static const double rests_s = 0.08; /* longer than a flush interval: the topic is quiet again */

static void on_diff(struct crowd *crowd, struct client *c,
                    const struct presence__phoenix *message) {
  (void)message;
  if (c == &crowd->clients[0]) *(double *)crowd->context = meter_now_s();
}

/* Works until the observer has seen a diff; returns when that was. */
static double await_diff(struct crowd *crowd, double patience_s) {
  double *seen_at = crowd->context, until = meter_now_s() + patience_s;
  while (*seen_at == 0 && crowd->errors == 0) {
    crowd_step(crowd, 100);
    if (meter_now_s() > until) die("the observer saw nothing for %.0f s", patience_s);
  }
  double at = *seen_at;
  *seen_at = 0;
  return at;
}

bool load_latency(const struct load_options *o) {
  struct crowd crowd;
  double seen_at = 0;
  size_t count = load_scaled(o, joins, 5);
  double *took = grow(NULL, count, sizeof *took);
  crowd_init(&crowd, o->host, o->port, 2, 2);
  struct client *observer = &crowd.clients[0], *joiner = &crowd.clients[1];
  joiner->joins_alone = false;
  client_open(&crowd, observer);
  client_open(&crowd, joiner);
  crowd_await_joins(&crowd, 0, 1, o->patience_s);
  crowd_work_for(&crowd, 0.3);
  crowd.context = &seen_at;
  crowd.on_diff = on_diff;

  double cpu = meter_cpu_s(&o->meter);
  for (size_t i = 0; i < count && crowd.errors == 0; i++) {
    double began = meter_now_s();
    client_join(&crowd, joiner);
    took[i] = (await_diff(&crowd, o->patience_s) - began) * 1000;
    crowd_work_for(&crowd, rests_s);
    if (i + 1 == count) break; /* he stays, so that there is something to compare */
    client_leave(&crowd, joiner);
    (void)await_diff(&crowd, o->patience_s);
    crowd_work_for(&crowd, rests_s);
  }
  load_row("p50", load_percentile(took, count, 0.5), "ms");
  load_row("p99", load_percentile(took, count, 0.99), "ms");
  load_row("CPU of a join and a leave", (meter_cpu_s(&o->meter) - cpu) / (double)count * 1e6, "us");
  free(took);
  return load_verdict(&crowd, judge(&crowd, true));
}
