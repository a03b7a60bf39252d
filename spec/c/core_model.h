/* The naive model of a state: a list of presences in the order in which they were tracked. Names
   are numbers that stand for strings made from them. */
#ifndef PRESENCE_SPEC_CORE_MODEL_H
#define PRESENCE_SPEC_CORE_MODEL_H

#include "core_kit.h"

#define MODEL_TOPICS 5u
#define MODEL_KEYS 40u
#define MODEL_PIDS 30u
#define MODEL_METAS 6u
#define MODEL_MAX 2000u

struct presence {
  unsigned char topic, key, pid, meta;
};

struct model {
  unsigned count;
  struct presence *at; /* room for MODEL_MAX */
};

struct names {
  char topic[32], key[128], pid[32], meta[64];
};

static inline presence_string model_topic(struct names *n, unsigned topic) {
  if (topic == 0) return str("");
  snprintf(n->topic, sizeof n->topic, "room:%u", topic);
  return str(n->topic);
}

/* The empty key, keys with a NUL, long ones that records share, ordinary ones. */
static inline presence_string model_key(struct names *n, unsigned key) {
  if (key == 0) return str("");
  int size = snprintf(n->key, sizeof n->key, key % 7 ? "user%u" : "%u\xc3\xa9 a longer name", key);
  if (key % 9 == 1)
    size += snprintf(n->key + size, sizeof n->key - (size_t)size, "%*s", 64 - size + (int)key, "x");
  if (key % 5 == 0) n->key[1] = '\0';
  return (presence_string){n->key, (size_t)size};
}

/* Small and large integers, the empty string, and strings of the same digits. */
static inline presence_pid model_pid(struct names *n, unsigned number) {
  if (number == 0) return presence_pid_string("", 0);
  if (number % 3 == 0) return pid(((int64_t)1 << 40) * (number % 2 ? 1 : -1) + number);
  if (number % 3 == 1) return pid(number);
  int size = snprintf(n->pid, sizeof n->pid, "%u", number - 1);
  return presence_pid_string(n->pid, (size_t)size);
}

static inline presence_string model_meta(struct names *n, unsigned meta) {
  if (meta == 0) return str("0");
  snprintf(n->meta, sizeof n->meta, "{\"m\":%u,\"pad\":\"%.*s\"}", meta, (int)meta * 4,
           "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
  return str(n->meta);
}

static inline void model_init(struct model *m) {
  m->count = 0;
  m->at = malloc(MODEL_MAX * sizeof *m->at);
}

static inline void model_copy(struct model *to, const struct model *from) {
  model_init(to);
  to->count = from->count;
  memcpy(to->at, from->at, from->count * sizeof *to->at);
}

static inline bool model_same_place(struct presence a, struct presence b) {
  return a.topic == b.topic && a.key == b.key && a.pid == b.pid;
}

static inline void model_track(struct model *m, struct presence p) {
  m->at[m->count++] = p;
}

/* Number removed. */
static inline unsigned model_untrack(struct model *m, struct presence p) {
  unsigned kept = 0;
  for (unsigned i = 0; i < m->count; i++)
    if (!model_same_place(m->at[i], p)) m->at[kept++] = m->at[i];
  unsigned removed = m->count - kept;
  m->count = kept;
  return removed;
}

static inline enum presence_status model_update(struct model *m, struct presence p) {
  for (unsigned i = m->count; i > 0; i--) {
    struct presence *there = &m->at[i - 1];
    if (!model_same_place(*there, p)) continue;
    if (there->meta == p.meta) return PRESENCE_UNCHANGED;
    there->meta = p.meta;
    return PRESENCE_OK;
  }
  return PRESENCE_NO_PRESENCE;
}

static inline bool model_pid_is(presence_pid a, presence_pid b) {
  if (!a.bytes || !b.bytes) return !a.bytes && !b.bytes && a.integer == b.integer;
  return a.size == b.size && memcmp(a.bytes, b.bytes, a.size) == 0;
}

static inline bool model_meta_is(const presence_meta *meta, struct presence p) {
  struct names n;
  presence_string data = presence_meta_data(meta), wanted = model_meta(&n, p.meta);
  return model_pid_is(presence_meta_pid(meta), model_pid(&n, p.pid)) && data.size == wanted.size &&
         memcmp(data.bytes, wanted.bytes, data.size) == 0;
}

/* What is wrong with one key of a state; NULL: nothing. *present and *metas are added to. */
static inline const char *model_check_key(const struct model *m, const presence_state *state,
                                          unsigned topic, unsigned key, size_t *present,
                                          size_t *metas) {
  struct names n;
  const presence_entry *entry = presence_get(state, model_topic(&n, topic), model_key(&n, key));
  presence_meta_iter iter;
  presence_meta_iter_init(&iter, entry);
  size_t count = 0;
  for (unsigned i = 0; i < m->count; i++) {
    struct presence p = m->at[i];
    if (p.topic != topic || p.key != key) continue;
    const presence_meta *meta = presence_meta_iter_next(&iter);
    if (!meta) return "a meta is missing";
    if (!model_meta_is(meta, p)) return "a meta is another, or elsewhere";
    if (meta != presence_entry_at(entry, count)) return "an index gives another meta";
    count++;
  }
  if (presence_meta_iter_next(&iter)) return "a meta too many";
  if (presence_entry_count(entry) != count) return "an entry counts wrongly";
  if (presence_connections(state, model_topic(&n, topic), model_key(&n, key)) != count)
    return "connections are counted wrongly";
  *present += count > 0;
  *metas += count;
  return NULL;
}

/* What is wrong with a state that should hold what the model does; NULL: nothing. */
static inline const char *model_check(const struct model *m, const presence_state *state) {
  const char *fault = presence__check(state, NULL);
  presence_counts counts, wanted = {0};
  struct names n;
  for (unsigned topic = 0; topic < MODEL_TOPICS && !fault; topic++) {
    size_t keys = 0, metas = 0;
    for (unsigned key = 0; key < MODEL_KEYS && !fault; key++)
      fault = model_check_key(m, state, topic, key, &keys, &metas);
    if (fault) break;
    if (presence_count(state, model_topic(&n, topic)) != keys) fault = "keys are counted wrongly";
    wanted.topics += keys > 0;
    wanted.keys += keys;
    wanted.metas += metas;
  }
  presence_stats(state, &counts);
  if (!fault && (counts.topics != wanted.topics || counts.keys != wanted.keys ||
                 counts.metas != wanted.metas))
    fault = "the state counts wrongly";
  return fault;
}

/* Number of presences of a that b lacks. */
static inline size_t model_lacks(const struct model *a, const struct model *b) {
  bool *used = calloc(MODEL_MAX, sizeof *used);
  size_t lacking = 0;
  for (unsigned i = 0; i < a->count; i++) {
    unsigned j = 0;
    while (j < b->count && (used[j] || memcmp(&a->at[i], &b->at[j], sizeof a->at[i]) != 0))
      j++;
    if (j == b->count)
      lacking++;
    else
      used[j] = true;
  }
  free(used);
  return lacking;
}

/* A random presence; some keys are much more popular than others, so that entries grow. */
static inline struct presence model_any(uint64_t *seed) {
  unsigned key = below(seed, 4) ? below(seed, MODEL_KEYS) : below(seed, 2);
  return (struct presence){(unsigned char)(below(seed, 3) ? 1 : below(seed, MODEL_TOPICS)),
                           (unsigned char)key, (unsigned char)below(seed, MODEL_PIDS),
                           (unsigned char)below(seed, MODEL_METAS)};
}

#endif
