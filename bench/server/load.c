#include "bench/server/load.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

size_t load_scaled(const struct load_options *o, size_t full, size_t least) {
  size_t scaled = (size_t)((double)full * o->scale + 0.5);
  return scaled < least ? least : scaled;
}

void load_row(const char *name, double value, const char *unit) {
  printf("%s\t%.9g\t%s\n", name, value, unit);
  fflush(stdout);
}

bool load_verdict(struct crowd *crowd, struct verdict v) {
  load_row("mirrors that are wrong", (double)v.wrong, "mirrors");
  load_row("mirrors compared", (double)v.mirrors, "mirrors");
  load_row("errors", (double)crowd->errors, "errors");
  return v.wrong == 0 && crowd->errors == 0;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

double load_percentile(double *values, size_t n, double share) {
  if (n == 0) return NAN;
  qsort(values, n, sizeof *values, by_value);
  size_t at = (size_t)((double)n * share);
  return values[at < n ? at : n - 1];
}
