/* Loads for a server of the chat example, each measured by what the server costs meanwhile:

     bench_load --port PORT --pid PID[,PID…] [--host 127.0.0.1] [--scale 1]
                [--patience 60] LOAD

   Rows go to standard output: name, value, unit, with tabs between. Exit 1: it could not be
   measured or the server did something wrong, and sentences on standard error say what. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/server/die.h"
#include "bench/server/load.h"

static const struct {
  const char *name;
  load_run *run;
} loads[] = {
    {"storm", load_storm},
    {"crowds", load_crowds},
    {"churn", load_churn},
    {"fanout", load_fanout},
    {"fanout-many", load_fanout_many},
    {"latency", load_latency},
    {"idle", load_idle},
    {"slow", load_slow},
    {"floor", load_floor},
};
enum { load_count = sizeof loads / sizeof *loads };

static double number(const char *option, const char *text, double least, double most) {
  char *end;
  double value = text ? strtod(text, &end) : 0;
  if (!text || end == text || *end || !(value >= least && value <= most))
    die("%s: a number from %g to %g, please", option, least, most);
  return value;
}

static load_run *find(const char *name) {
  for (size_t i = 0; name && i < load_count; i++)
    if (strcmp(loads[i].name, name) == 0) return loads[i].run;
  fprintf(stderr, "usage: bench_load --port PORT --pid PID [--host 127.0.0.1] [--scale 1] "
                  "[--patience 60] LOAD\n"
                  "loads:");
  for (size_t i = 0; i < load_count; i++)
    fprintf(stderr, " %s", loads[i].name);
  fputc('\n', stderr);
  exit(2);
}

int main(int argc, char **argv) {
  struct load_options o = {.host = "127.0.0.1", .scale = 1, .patience_s = 60};
  const char *name = NULL, *pids = "";
  for (int i = 1; i < argc; i++) {
    const char *value = i + 1 < argc ? argv[i + 1] : NULL;
    if (strncmp(argv[i], "--", 2) != 0) {
      name = argv[i];
      continue;
    }
    if (strcmp(argv[i], "--port") == 0)
      o.port = (uint16_t)number("--port", value, 1, 65535);
    else if (strcmp(argv[i], "--scale") == 0)
      o.scale = number("--scale", value, 0.0001, 1000);
    else if (strcmp(argv[i], "--patience") == 0)
      o.patience_s = number("--patience", value, 0.1, 3600);
    else if (strcmp(argv[i], "--host") == 0 && value)
      o.host = value;
    else if (strcmp(argv[i], "--pid") == 0 && value)
      pids = value;
    else
      find(NULL);
    i++;
  }
  load_run *run = find(name);
  if (o.port == 0) die("--port is missing");
  meter_init(&o.meter, pids);
  return run(&o) ? 0 : 1;
}
