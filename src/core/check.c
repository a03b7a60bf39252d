#include "core/check.h"

#include "core/many.h"
#include "core/seq.h"
#include "core/state.h"
#include "text/json.h"
#include "text/utf8.h"

/* Checks stop at the first fault, which stays in `fault`. */
struct checker {
  const char *fault;
  size_t bytes;
  size_t leaves; /* counts of the trie being walked */
  size_t metas;
  uint64_t record_bytes;
  presence_string key;                   /* of the entry in hand */
  const struct presence__text *long_key; /* seen last */
  const struct presence__many *many;
};

static bool expect(struct checker *c, bool holds, const char *fault) {
  if (!holds && !c->fault) c->fault = fault;
  return holds && !c->fault;
}

static void add_bytes(struct checker *c, size_t size) {
  c->bytes += presence__rounded(size);
}

static void check_refs(struct checker *c, presence__slot slot) {
  expect(c, *presence__refs(slot) > 0, "a dead object is reachable");
}

/* ---- Entries ---- */

/* The records of an entry share it. */
static void check_long_key(struct checker *c, const struct presence__text *text) {
  expect(c, text->refs > 0, "a long key is dead");
  if (text != c->long_key) add_bytes(c, sizeof *text + text->size);
  c->long_key = text;
}

static void check_record(struct checker *c, const presence_meta *record) {
  presence_string key = presence__key(record);
  presence_string data = presence_meta_data(record);
  struct presence__name name = presence__name_of(key);
  struct presence__json json;
  check_refs(c, presence__slot_of(record, PRESENCE__RECORD));
  expect(c, key.size == c->key.size && presence__bytes_equal(key.bytes, c->key.bytes, key.size),
         "a record stands under another key");
  expect(c, record->hash == (uint32_t)(presence__name_hash(&name) >> 32),
         "a record's hash is not its key's");
  expect(c, presence__utf8_valid(key.bytes, key.size), "a key is not UTF-8");
  expect(c, presence__json_scan(data.bytes, data.size, PRESENCE__JSON_DEPTH_CEILING, &json),
         "a meta is not JSON");
  expect(c, presence__has_long_key(record) == (key.size > PRESENCE__SHORT_KEY_BYTES),
         "a long key is in its record, or a short one is not");
  if (presence__has_long_key(record)) check_long_key(c, presence__long_key(record));
  c->metas++;
  c->record_bytes += presence__record_size(record);
  add_bytes(c, presence__record_size(record));
}

/* Checks a trie by age and returns its number of items. by_age: this is the one that owns the
   items' bytes and records. */
static uint32_t check_seq(struct checker *c, presence__slot slot, unsigned max_level,
                          uint64_t age_above, bool by_age) {
  if (!expect(c, presence__tag_of(slot) == PRESENCE__SEQ, "a trie by age holds something else"))
    return 0;
  const struct presence__seq *node = presence__object(slot);
  uint32_t count = 0;
  check_refs(c, slot);
  add_bytes(c, presence__seq_size(presence__count(node->map)));
  if (!expect(c, node->map != 0 && node->level <= max_level, "a node by age is malformed"))
    return 0;
  for (unsigned digit = 0; digit < PRESENCE__WIDTH && !c->fault; digit++) {
    if (!(node->map & presence__map_of(digit))) continue;
    presence__slot below = node->slots[presence__index(node->map, digit)];
    uint64_t age = age_above << PRESENCE__BITS | digit;
    if (node->level > 0) {
      count += check_seq(c, below, node->level - 1u, age, by_age);
      continue;
    }
    if (!expect(c, presence__tag_of(below) == PRESENCE__ITEM, "an item is something else")) break;
    const struct presence__item *item = presence__object(below);
    expect(c, item->age == age && age < c->many->next_age, "an item stands at another age");
    count++;
    if (!by_age) continue;
    add_bytes(c, sizeof *item);
    check_refs(c, below);
    check_record(c, presence__item_record(item));
  }
  expect(c, count == node->count, "a node by age counts wrongly");
  return count;
}

static void check_trie(struct checker *c, presence__slot slot, unsigned level, uint64_t prefix,
                       void (*leaf)(struct checker *c, presence__slot slot));

/* A pid's item or items, in the trie by pid: each must be the very item of its age. */
static void check_pid_leaf(struct checker *c, presence__slot slot) {
  struct presence__name pid = presence__leaf_name(slot);
  const struct presence__item *item = presence__leaf_item_from(slot, 0);
  size_t count = 0;
  for (; item && !c->fault; item = presence__leaf_item_from(slot, item->age + 1)) {
    struct presence__name own = presence__record_pid(presence__item_record(item));
    expect(c, presence__names_equal(&own, &pid), "an item stands under another pid");
    expect(c, presence__seq_from(c->many->by_age, item->age) == item,
           "the tries by pid and age hold different items");
    count++;
  }
  c->leaves += count;
  if (presence__tag_of(slot) == PRESENCE__SEQ) {
    expect(c, count > 1, "one item alone is in a group");
    check_seq(c, slot, PRESENCE__LEVELS - 1, 0, false);
  }
}

static void check_many(struct checker *c, const struct presence__many *many) {
  size_t keys = c->leaves;
  c->many = many;
  c->leaves = 0;
  add_bytes(c, sizeof *many);
  expect(c, many->count > PRESENCE__FEW_MAX, "few metas are stored as many");
  uint32_t count = check_seq(c, many->by_age, PRESENCE__LEVELS - 1, 0, true);
  expect(c, count == many->count, "an entry counts its metas wrongly");
  if (!c->fault) check_trie(c, many->by_pid, 0, 0, check_pid_leaf);
  expect(c, c->leaves == many->count, "the trie by pid lacks items");
  c->leaves = keys;
}

static void check_entry(struct checker *c, presence__slot slot) {
  struct presence__name key = presence__leaf_name(slot);
  c->key = (presence_string){key.bytes, key.size};
  c->leaves++;
  check_refs(c, slot);
  if (presence__tag_of(slot) == PRESENCE__RECORD) {
    check_record(c, presence__object(slot));
  } else if (presence__tag_of(slot) == PRESENCE__FEW) {
    const struct presence__list *list = presence__object(slot);
    add_bytes(c, presence__list_size(list->count));
    if (!expect(c, list->count > 1 && list->count <= PRESENCE__FEW_MAX, "an array's size is odd"))
      return;
    for (uint32_t i = 0; i < list->count; i++)
      check_record(c, presence__object(list->slots[i]));
  } else if (expect(c, presence__tag_of(slot) == PRESENCE__MANY, "a key has no entry")) {
    check_many(c, presence__object(slot));
  }
}

/* ---- Tries ---- */

/* prefix: the digits above level, as they stand in a hash. */
static void check_place(struct checker *c, presence__slot leaf, unsigned level, uint64_t prefix) {
  uint64_t hash = presence__leaf_whole_hash(leaf);
  uint64_t mask = level ? ~(uint64_t)0 << (64 - PRESENCE__BITS * level) : 0;
  expect(c, (hash & mask) == prefix, "a leaf stands where its hash does not lead");
  expect(c, (uint32_t)(hash >> 32) == presence__leaf_hash_high(leaf), "a stored hash is wrong");
}

static void check_collision(struct checker *c, presence__slot slot, unsigned level, uint64_t prefix,
                            void (*leaf)(struct checker *, presence__slot)) {
  const struct presence__list *list = presence__object(slot);
  uint64_t hash = presence__leaf_whole_hash(slot);
  check_refs(c, slot);
  add_bytes(c, presence__list_size(list->count));
  if (!expect(c, list->count > 1, "a collision of one")) return;
  for (uint32_t i = 0; i < list->count && !c->fault; i++) {
    presence__slot member = list->slots[i];
    expect(c, presence__leaf_whole_hash(member) == hash, "a collision of two hashes");
    if (i > 0) {
      struct presence__name a = presence__leaf_name(list->slots[i - 1]);
      struct presence__name b = presence__leaf_name(member);
      expect(c, presence__names_compare(&a, &b) < 0, "a collision out of order");
    }
    check_place(c, member, level, prefix);
    leaf(c, member);
  }
}

static void check_trie(struct checker *c, presence__slot slot, unsigned level, uint64_t prefix,
                       void (*leaf)(struct checker *c, presence__slot slot)) {
  if (presence__tag_of(slot) == PRESENCE__COLLISION) {
    check_collision(c, slot, level, prefix, leaf);
    return;
  }
  if (presence__tag_of(slot) != PRESENCE__NODE) {
    check_place(c, slot, level, prefix);
    leaf(c, slot);
    return;
  }
  const struct presence__node *node = presence__object(slot);
  unsigned count = presence__count(node->map);
  check_refs(c, slot);
  add_bytes(c, presence__node_size(count));
  if (!expect(c, level < PRESENCE__LEVELS && count > 0, "an empty node, or one too deep")) return;
  expect(c, count > 1 || presence__tag_of(node->slots[0]) == PRESENCE__NODE,
         "a node holds one leaf alone");
  for (unsigned digit = 0; digit < PRESENCE__WIDTH && !c->fault; digit++) {
    if (!(node->map & presence__map_of(digit))) continue;
    uint64_t below = prefix | (uint64_t)digit << (64 - PRESENCE__BITS * (level + 1));
    check_trie(c, node->slots[presence__index(node->map, digit)], level + 1, below, leaf);
  }
}

static void check_topic(struct checker *c, presence__slot slot) {
  if (!expect(c, presence__tag_of(slot) == PRESENCE__TOPIC, "a state holds something else")) return;
  const struct presence_topic *topic = presence__object(slot);
  struct checker keys = {.fault = c->fault};
  check_refs(&keys, slot);
  expect(&keys, topic->name->refs > 0, "a topic's name is dead");
  expect(&keys, presence__utf8_valid(topic->name->bytes, topic->name->size),
         "a topic is not UTF-8");
  add_bytes(&keys, sizeof *topic);
  add_bytes(&keys, sizeof *topic->name + topic->name->size);
  if (expect(&keys, topic->root != 0, "a topic is empty"))
    check_trie(&keys, topic->root, 0, 0, check_entry);
  expect(&keys, keys.leaves == topic->keys, "a topic counts its keys wrongly");
  expect(&keys, keys.metas == topic->metas, "a topic counts its metas wrongly");
  expect(&keys, keys.record_bytes == topic->bytes, "a topic counts its bytes wrongly");
  c->fault = keys.fault;
  c->bytes += keys.bytes;
  c->leaves++;
}

const char *presence__check(const presence_state *state, size_t *bytes) {
  struct checker c = {.fault = NULL};
  add_bytes(&c, sizeof *state);
  expect(&c, state->refs > 0, "the state is dead");
  if (state->root) check_trie(&c, state->root, 0, 0, check_topic);
  expect(&c, c.leaves == state->topics, "the state counts its topics wrongly");
  if (bytes) *bytes = c.bytes;
  return c.fault;
}
