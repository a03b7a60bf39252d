/* In place of libFuzzer: gives each file named on the command line to the target once. For builds
   without a fuzzer: coverage, mutation, debuggers. */
#include "fuzz_kit.h"

static bool replay(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file) {
    perror(path);
    return false;
  }
  size_t size = 0, room = 1 << 16, got;
  uint8_t *bytes = malloc(room);
  while (bytes && (got = fread(bytes + size, 1, room - size, file)) > 0) {
    size += got;
    if (size == room) bytes = realloc(bytes, room *= 2);
  }
  fclose(file);
  LAW(bytes != NULL);
  LLVMFuzzerTestOneInput(bytes, size);
  free(bytes);
  return true;
}

int main(int count, char **paths) {
  int unread = 0;
  for (int i = 1; i < count; i++)
    unread += !replay(paths[i]);
  printf("%d inputs\n", count - 1 - unread);
  return unread ? 1 : 0;
}
