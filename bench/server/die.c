#include "bench/server/die.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

_Noreturn void die(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fflush(stdout);
  fputs("bench_load: ", stderr);
  /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it is initialised above */
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  exit(1);
}

void *grow(void *block, size_t count, size_t size) {
  if (count == 0) count = 1;
  if (count > SIZE_MAX / size) die("out of memory");
  block = realloc(block, count * size);
  if (!block) die("out of memory");
  return block;
}
