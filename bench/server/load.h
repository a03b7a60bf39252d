/* What every load is given, and how it says what it measured. */
#ifndef BENCH_SERVER_LOAD_H
#define BENCH_SERVER_LOAD_H

#include "bench/server/judge.h"
#include "bench/server/meter.h"

struct load_options {
  const char *host;
  uint16_t port;
  double scale;      /* 1: as the targets have it; less for a try */
  double patience_s; /* for joins to be answered, and for mirrors to become exact */
  struct meter meter;
};

/* `full` at this scale, and no less than `least`. */
size_t load_scaled(const struct load_options *o, size_t full, size_t least);

/* A row of the table: name, value, unit, on standard output. */
void load_row(const char *name, double value, const char *unit);

/* The rows that say whether all went well, mirrors that are wrong, of how many, and errors; true
   when it did. */
bool load_verdict(struct crowd *crowd, struct verdict v);

/* The i-th smallest of n values is at the share i / n: sorts them, O(n log n). */
double load_percentile(double *values, size_t n, double share);

/* A load: prints its rows; false when the server did something wrong. */
typedef bool load_run(const struct load_options *o);
load_run load_storm, load_crowds, load_churn, load_fanout, load_fanout_many, load_latency,
    load_idle, load_slow, load_floor;

#endif
