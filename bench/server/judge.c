#include "bench/server/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/server/die.h"
#include "bench/server/meter.h"

enum { told_at_most = 5 };

/* Everybody's meta as the first mirror that holds it shows it: its number + 1. */
struct agreed {
  uint32_t *metas;
  size_t told;
  bool tells;
};

static void tell(struct agreed *a, const struct client *c, const char *what, uint32_t user) {
  if (a->tells && a->told++ < told_at_most)
    fprintf(stderr, "bench_load: the mirror of user-%u on room:%u: user-%u %s\n", c->user, c->topic,
            user, what);
}

/* What is wrong with a user's entry, or NULL. */
static const char *fault_of_entry(const struct crowd *crowd, struct agreed *a, uint32_t user,
                                  const struct mirror_entry *e) {
  if (!e) return "is missing";
  if (e->count != 1) return "has more than one meta";
  uint32_t number = e->metas.one;
  const struct meta *meta = &crowd->book.meta[number];
  if (meta->user != user) return "has somebody else's meta";
  if (meta->join != crowd->clients[user].joins) return "has the meta of another join";
  if (meta->status != crowd->clients[user].status) return "has another status";
  if (a->metas[user] == 0) a->metas[user] = number + 1;
  return a->metas[user] == number + 1 ? NULL : "has another phx_ref than in another mirror";
}

static const char *name_of_key(const struct crowd *crowd, uint32_t key, int *size) {
  *size = (int)crowd->book.keys.sizes[key];
  return crowd->book.keys.texts[key];
}

static void tell_strangers(const struct crowd *crowd, struct agreed *a, const struct client *c) {
  for (size_t i = 0; i < c->mirror.capacity; i++) {
    const struct mirror_entry *e = &c->mirror.slots[i];
    if (!e->count) continue;
    const struct client *who = e->key < crowd->count ? &crowd->clients[e->key] : NULL;
    if (who && who->topic == c->topic && who->is_joined) continue;
    int size;
    const char *name = name_of_key(crowd, e->key, &size);
    if (a->tells && a->told++ < told_at_most)
      fprintf(stderr,
              "bench_load: the mirror of user-%u on room:%u: %.*s is there and should not be\n",
              c->user, c->topic, size, name);
  }
}

static bool is_exact(const struct crowd *crowd, struct agreed *a, const struct client *c,
                     size_t first, size_t last) {
  size_t present = 0;
  bool exact = true;
  for (size_t i = first; i < last && (exact || a->tells); i++) {
    if (!crowd->clients[i].is_joined) continue;
    present++;
    const char *fault = fault_of_entry(crowd, a, (uint32_t)i, mirror_get(&c->mirror, (uint32_t)i));
    if (fault) tell(a, c, fault, (uint32_t)i);
    exact = exact && !fault;
  }
  if (exact && c->mirror.count == present) return true;
  tell_strangers(crowd, a, c);
  return false;
}

struct verdict judge(struct crowd *crowd, bool tells) {
  struct agreed a = {.metas = grow(NULL, crowd->count, sizeof *a.metas), .tells = tells};
  struct verdict v = {0, 0};
  memset(a.metas, 0, crowd->count * sizeof *a.metas);
  for (size_t first = 0, last; first < crowd->count; first = last) {
    for (last = first; last < crowd->count; last++)
      if (crowd->clients[last].topic != crowd->clients[first].topic) break;
    for (size_t i = first; i < last; i++) {
      const struct client *c = &crowd->clients[i];
      if (!c->has_mirror || !c->is_joined) continue;
      v.mirrors++;
      v.wrong += !is_exact(crowd, &a, c, first, last);
      if (v.wrong && !tells) break; /* one is enough to go on waiting */
    }
  }
  free(a.metas);
  return v;
}

struct verdict judge_settled(struct crowd *crowd, double timeout_s) {
  double until = meter_now_s() + timeout_s;
  while (crowd->errors == 0 && meter_now_s() < until) {
    uint64_t before = crowd->presence_frames;
    crowd_work_for(crowd, 0.1);
    if (before == crowd->presence_frames && judge(crowd, false).wrong == 0) break;
  }
  return judge(crowd, true);
}
