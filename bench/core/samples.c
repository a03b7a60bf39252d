#include "bench/core/samples.h"

#include <stdio.h>
#include <stdlib.h>

enum { TOPIC_ROOM = 16, KEY_ROOM = 24, META_ROOM = 96 };

static struct bench_text text(char *place, int size) {
  return (struct bench_text){place, (size_t)size};
}

struct bench_sample *bench_samples(size_t count, size_t topics) {
  struct bench_sample *samples = calloc(count, sizeof *samples);
  char *place = malloc(count * (TOPIC_ROOM + KEY_ROOM + META_ROOM));
  if (!samples || !place) exit(1);
  for (size_t i = 0; i < count; i++) {
    struct bench_sample *s = &samples[i];
    s->pid = (int64_t)i;
    s->topic = text(place, snprintf(place, TOPIC_ROOM, "room:%07zu", i % topics));
    place += TOPIC_ROOM;
    s->key = text(place,
                  snprintf(place, KEY_ROOM, "%.*s%zu", (int)(1 + i % 9), "user-numb", 1000000 + i));
    place += KEY_ROOM;
    s->meta =
        text(place, snprintf(place, META_ROOM, "{\"device\":\"web\",\"at\":%zu,\"n\":\"%0*d\"}",
                             1700000000 + i % 1000000, (int)(1 + i * 7 % 41), 0));
    place += META_ROOM;
  }
  return samples;
}
