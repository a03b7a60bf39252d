#include "bench/server/meter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "bench/server/die.h"

static double seconds(clockid_t clock, pid_t pid) {
  struct timespec t;
  if (clock_gettime(clock, &t) != 0) die("the server (process %d) is gone", (int)pid);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double meter_now_s(void) {
  return seconds(CLOCK_MONOTONIC, 0);
}

double meter_cpu_s(const struct meter *m) {
  double sum = 0;
  for (size_t i = 0; i < m->count; i++) {
    clockid_t clock;
    if (clock_getcpuclockid(m->pids[i], &clock) != 0)
      die("the server (process %d) is gone", (int)m->pids[i]);
    sum += seconds(clock, m->pids[i]);
  }
  return sum;
}

void meter_init(struct meter *m, const char *pids) {
  memset(m, 0, sizeof *m);
  while (*pids) {
    char *end;
    long pid = strtol(pids, &end, 10);
    if (end == pids || pid <= 0 || (*end && *end != ',')) die("--pid: '%s' is no process", pids);
    if (m->count == METER_MAX_PROCESSES) die("--pid: more than %d", METER_MAX_PROCESSES);
    m->pids[m->count++] = (pid_t)pid;
    pids = *end ? end + 1 : end;
  }
  if (m->count == 0) die("--pid: whose processor time is to be measured?");
  (void)meter_cpu_s(m);
}

static double resident_bytes(pid_t pid) {
  char path[64], line[256];
  double kib = -1;
  snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
  FILE *file = fopen(path, "r");
  if (!file) die("the server (process %d) is gone", (int)pid);
  while (fgets(line, sizeof line, file))
    if (strncmp(line, "VmRSS:", 6) == 0) kib = strtod(line + 6, NULL);
  fclose(file);
  if (kib < 0) die("%s does not say VmRSS", path);
  return kib * 1024;
}

double meter_memory_bytes(const struct meter *m) {
  double sum = 0;
  for (size_t i = 0; i < m->count; i++)
    sum += resident_bytes(m->pids[i]);
  return sum;
}

void meter_allow_files(size_t wanted) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) die("getrlimit failed");
  if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < wanted)
    die("this load opens %zu sockets, and the system allows a process %llu files (ulimit -Hn)",
        wanted, (unsigned long long)limit.rlim_max);
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) die("setrlimit failed");
}
