/* What the server costs, as the kernel counts it: processor time of all its threads, memory. */
#ifndef BENCH_SERVER_METER_H
#define BENCH_SERVER_METER_H

#include <stddef.h>
#include <sys/types.h>

enum { METER_MAX_PROCESSES = 16 };

/* The processes that are the server. */
struct meter {
  pid_t pids[METER_MAX_PROCESSES];
  size_t count;
};

/* Reads "17" or "17,18"; dies when a process is not there. */
void meter_init(struct meter *m, const char *pids);

/* Processor seconds that they have used, by their clocks: nanoseconds, every thread. */
double meter_cpu_s(const struct meter *m);

/* Bytes of memory that are resident, what processes share counted once for each. */
double meter_memory_bytes(const struct meter *m);

/* Seconds on a clock that never goes back. */
double meter_now_s(void);

/* Lets this process open as many files as the system allows it; dies when `wanted` is more. */
void meter_allow_files(size_t wanted);

#endif
