/* What the fuzz targets share: an input that is read as choices, and laws that must hold.

   A target is spec/fuzz/fuzz_<name>.c with the entry that libFuzzer calls, its seeds lie in
   spec/fuzz/corpus/<name>/. */
#ifndef PRESENCE_SPEC_FUZZ_KIT_H
#define PRESENCE_SPEC_FUZZ_KIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Ends the run, so that the fuzzer keeps the input. */
static inline _Noreturn void law_broken(const char *law, const char *file, int line) {
  fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, law);
  abort();
}

#define LAW(holds) ((holds) ? (void)0 : law_broken(#holds, __FILE__, __LINE__))

/* For functions that say what is wrong; NULL: nothing. */
#define LAW_NO_FAULT(fault)                                                                        \
  do {                                                                                             \
    const char *fault_found = (fault);                                                             \
    if (fault_found) law_broken(fault_found, __FILE__, __LINE__);                                  \
  } while (0)

struct input {
  const uint8_t *at;
  const uint8_t *end;
};

static inline size_t input_left(const struct input *in) {
  return (size_t)(in->end - in->at);
}

/* 0 when the input is used up. */
static inline unsigned input_byte(struct input *in) {
  return in->at < in->end ? *in->at++ : 0;
}

static inline unsigned input_below(struct input *in, unsigned limit) {
  return input_byte(in) % limit;
}

/* A copy of exactly these bytes, so that sanitizers see a read beyond them; free() it. */
static inline char *exact_copy(const void *bytes, size_t size) {
  char *copy = malloc(size ? size : 1);
  LAW(copy != NULL);
  if (size) memcpy(copy, bytes, size);
  return copy;
}

static inline bool same_bytes(const void *a, size_t a_size, const void *b, size_t b_size) {
  return a_size == b_size && (a_size == 0 || memcmp(a, b, a_size) == 0);
}

#endif
