/* What somebody compiles against an installed libpresence: two presences, counted. */
#include "presence.h"
#include <stdio.h>

int main(void) {
  presence_heap *heap = presence_heap_new(NULL);
  presence_state *empty = heap ? presence_state_new(heap) : NULL;
  if (!empty) return 1;
  presence_string topic = presence_string_of("room:1");
  presence_state *one = NULL, *two = NULL;
  presence_track(empty, topic, presence_string_of("ann"), presence_pid_integer(1),
                 presence_string_of("{}"), &one);
  presence_track(one, topic, presence_string_of("bob"), presence_pid_integer(2),
                 presence_string_of("{}"), &two);
  printf("%s: %d, %d, %d\n", presence_version(), (int)presence_count(empty, topic),
         (int)presence_count(one, topic), (int)presence_count(two, topic));
  presence_state_release(two);
  presence_state_release(one);
  presence_state_release(empty);
  presence_heap_free(heap);
  return 0;
}
