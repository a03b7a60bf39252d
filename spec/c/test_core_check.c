/* The invariant checker sees what is broken: every kind of damage is done to a whole state, named,
   and mended again. */
#include "cmocka_all.h"
#include "core/hash.h"
#include "core/many.h"
#include "core/seq.h"
#include "core/state.h"
#include "core_kit.h"

struct fixture {
  struct memory memory;
  presence_heap *heap;
  presence_state *s;
  struct presence_topic *topic;
};

static const unsigned char seed[16] = {3, 1, 4};

static void begin(struct fixture *f, uint64_t mask) {
  presence__hash_weaken(seed, mask);
  f->heap = memory_heap(&f->memory, false);
  f->s = presence_state_new(f->heap);
}

static void end(struct fixture *f) {
  presence_state_release(f->s);
  presence_heap_free(f->heap);
  assert_int_equal(f->memory.blocks_alive, 0);
  presence__hash_weaken(seed, UINT64_MAX);
}

static void track(struct fixture *f, const char *key, int64_t integer, const char *meta) {
  f->s = tracked(f->s, "t", key, integer, meta);
  f->topic = (struct presence_topic *)presence_find_topic(f->s, str("t"));
}

static void track_keys(struct fixture *f, unsigned count) {
  char key[16];
  for (unsigned i = 0; i < count; i++) {
    snprintf(key, sizeof key, "key%u", i);
    track(f, key, i, "1");
  }
}

static void expect(const struct fixture *f, const char *fault) {
  const char *found = presence__check(f->s, NULL);
  if (!found || strcmp(found, fault) != 0) fail_msg("'%s', not '%s'", found, fault);
}

/* Gives a place another value for the time of a check. */
#define DAMAGE(f, place, value, fault)                                                             \
  do {                                                                                             \
    __typeof__(place) undamaged = (place);                                                         \
    (place) = (value);                                                                             \
    expect(f, fault);                                                                              \
    (place) = undamaged;                                                                           \
    assert_null(presence__check((f)->s, NULL));                                                    \
  } while (0)

static void *object_at(presence__slot slot, enum presence__tag tag) {
  assert_int_equal(presence__tag_of(slot), tag);
  return presence__object(slot);
}

static void damage_to_states_and_topics(void **state) {
  (void)state;
  struct fixture f;
  begin(&f, 0);
  track_keys(&f, 1);
  struct presence_topic *t = f.topic;
  DAMAGE(&f, f.s->refs, 0, "the state is dead");
  DAMAGE(&f, f.s->topics, 2, "the state counts its topics wrongly");
  DAMAGE(&f, f.s->root, t->root, "a state holds something else");
  DAMAGE(&f, t->refs, 0, "a dead object is reachable");
  DAMAGE(&f, t->name->refs, 0, "a topic's name is dead");
  DAMAGE(&f, t->name->bytes[0], (char)0xff, "a topic is not UTF-8");
  DAMAGE(&f, t->root, 0, "a topic is empty");
  DAMAGE(&f, t->keys, 2, "a topic counts its keys wrongly");
  DAMAGE(&f, t->metas, 2, "a topic counts its metas wrongly");
  DAMAGE(&f, t->bytes, t->bytes + 1, "a topic counts its bytes wrongly");
  DAMAGE(&f, t->hash, 1, "a stored hash is wrong");
  end(&f);
}

static void damage_to_records(void **state) {
  (void)state;
  struct fixture f;
  begin(&f, 0);
  track(&f, "key", 1, "[1]");
  presence_meta *record = object_at(f.topic->root, PRESENCE__RECORD);
  presence_string data = presence_meta_data(record);
  DAMAGE(&f, record->refs, 0, "a dead object is reachable");
  DAMAGE(&f, record->bytes[1], (char)0xc0, "a key is not UTF-8");
  DAMAGE(&f, ((char *)data.bytes)[0], '{', "a meta is not JSON");
  track(&f, "key", 2, "[1]");
  struct presence__list *few = object_at(f.topic->root, PRESENCE__FEW);
  presence_meta *second = presence__object(few->slots[1]);
  DAMAGE(&f, second->refs, 0, "a dead object is reachable");
  record = presence__object(few->slots[1]);
  DAMAGE(&f, record->bytes[1], 'E', "a record stands under another key");
  DAMAGE(&f, record->key_bits, record->key_bits - 1, "a record stands under another key");
  DAMAGE(&f, record->hash, 1, "a record's hash is not its key's");
  DAMAGE(&f, few->refs, 0, "a dead object is reachable");
  DAMAGE(&f, few->count, 1, "an array's size is odd");
  DAMAGE(&f, few->count, 9, "an array's size is odd");
  end(&f);
}

static void damage_to_nodes(void **state) {
  (void)state;
  struct fixture f;
  begin(&f, UINT64_MAX);
  track_keys(&f, 60);
  struct presence__node *root = object_at(f.topic->root, PRESENCE__NODE);
  unsigned last = presence__count(root->map) - 1;
  DAMAGE(&f, root->refs, 0, "a dead object is reachable");
  DAMAGE(&f, root->map, 0, "an empty node, or one too deep");
  presence__slot first = root->slots[0];
  root->slots[0] = root->slots[last];
  root->slots[last] = first;
  expect(&f, "a leaf stands where its hash does not lead");
  root->slots[last] = root->slots[0];
  root->slots[0] = first;
  /* A node below itself has no end. */
  uint32_t map = root->map;
  root->map = presence__map_of(0);
  root->slots[0] = f.topic->root;
  expect(&f, "an empty node, or one too deep");
  root->slots[0] = first;
  root->map = map;
  end(&f);
  begin(&f, UINT64_MAX);
  track_keys(&f, 2);
  /* However deep the two part, the node that holds both has a map of two. */
  presence__slot slot = f.topic->root;
  while (presence__count(((struct presence__node *)presence__object(slot))->map) == 1)
    slot = ((struct presence__node *)presence__object(slot))->slots[0];
  struct presence__node *pair = object_at(slot, PRESENCE__NODE);
  uint32_t highest = presence__map_of(15);
  while (!(pair->map & highest))
    highest <<= 1;
  DAMAGE(&f, pair->map, highest, "a node holds one leaf alone");
  end(&f);
}

static void damage_to_collisions(void **state) {
  (void)state;
  struct fixture f;
  begin(&f, 0);
  track_keys(&f, 3);
  struct presence__list *list = object_at(f.topic->root, PRESENCE__COLLISION);
  DAMAGE(&f, list->refs, 0, "a dead object is reachable");
  DAMAGE(&f, list->count, 1, "a collision of one");
  presence__slot first = list->slots[0];
  list->slots[0] = list->slots[1];
  list->slots[1] = first;
  expect(&f, "a collision out of order");
  list->slots[1] = list->slots[0];
  list->slots[0] = first;
  /* Under another hash these three do not collide, though the first be where it should. */
  presence__hash_weaken(seed, UINT64_MAX);
  presence_meta *record = presence__object(first);
  f.topic->hash = (uint32_t)(presence__leaf_whole_hash(f.s->root) >> 32);
  record->hash = (uint32_t)(presence__leaf_whole_hash(first) >> 32);
  expect(&f, "a collision of two hashes");
  presence__hash_weaken(seed, 0);
  record->hash = f.topic->hash = 0;
  assert_null(presence__check(f.s, NULL));
  end(&f);
}

static struct presence__many *many_of(struct fixture *f) {
  return object_at(f->topic->root, PRESENCE__MANY);
}

static void damage_to_entries_of_many(void **state) {
  (void)state;
  struct fixture f;
  begin(&f, UINT64_MAX);
  for (int64_t i = 0; i < 12; i++)
    track(&f, "key", i, "1");
  struct presence__many *many = many_of(&f);
  struct presence__seq *ages = object_at(many->by_age, PRESENCE__SEQ);
  while (ages->level > 0)
    ages = object_at(ages->slots[0], PRESENCE__SEQ);
  struct presence__item *item = object_at(ages->slots[0], PRESENCE__ITEM);
  struct presence__node *pids = object_at(many->by_pid, PRESENCE__NODE);
  DAMAGE(&f, many->refs, 0, "a dead object is reachable");
  DAMAGE(&f, many->count, 8, "few metas are stored as many");
  DAMAGE(&f, many->count, 13, "an entry counts its metas wrongly");
  DAMAGE(&f, many->next_age, 3, "an item stands at another age");
  DAMAGE(&f, many->by_age, ages->slots[0], "a trie by age holds something else");
  DAMAGE(&f, ages->refs, 0, "a dead object is reachable");
  DAMAGE(&f, ages->map, 0, "a node by age is malformed");
  DAMAGE(&f, ages->level, 200, "a node by age is malformed");
  DAMAGE(&f, ages->count, 99, "a node by age counts wrongly");
  DAMAGE(&f, ages->slots[0], item->record, "an item is something else");
  DAMAGE(&f, item->age, item->age + 1, "an item stands at another age");
  DAMAGE(&f, item->refs, 0, "a dead object is reachable");
  uint32_t lowest = presence__map_of(presence__lowest(pids->map));
  DAMAGE(&f, pids->map, pids->map ^ lowest, "the trie by pid lacks items");
  end(&f);
}

static void damage_to_groups_of_a_pid(void **state) {
  (void)state;
  struct fixture f;
  begin(&f, 0);
  for (int64_t i = 0; i < 13; i++)
    track(&f, "key", i / 12, i ? "1" : "2");
  struct presence__many *many = many_of(&f);
  struct presence__list *pids = object_at(many->by_pid, PRESENCE__COLLISION);
  unsigned at = presence__tag_of(pids->slots[0]) == PRESENCE__SEQ ? 0 : 1;
  struct presence__seq *group = object_at(pids->slots[at], PRESENCE__SEQ);
  while (group->level > 0)
    group = object_at(group->slots[0], PRESENCE__SEQ);
  struct presence__item *item = object_at(group->slots[0], PRESENCE__ITEM);
  struct presence__item twin = *item, *alone = presence__object(pids->slots[1 - at]);
  DAMAGE(&f, group->slots[0], presence__slot_of(&twin, PRESENCE__ITEM),
         "the tries by pid and age hold different items");
  item = object_at(group->slots[1], PRESENCE__ITEM);
  DAMAGE(&f, item->record, alone->record, "an item stands under another pid");
  DAMAGE(&f, f.topic->root, presence__slot_of(alone, PRESENCE__ITEM), "a key has no entry");
  end(&f);
  /* A group that was not made one item again. */
  begin(&f, 0);
  for (int64_t i = 0; i < 10; i++)
    track(&f, "key", i, "1");
  pids = object_at(many_of(&f)->by_pid, PRESENCE__COLLISION);
  object_at(pids->slots[0], PRESENCE__ITEM);
  presence__slot single = 0;
  assert_true(presence__seq_put(f.heap, &single, presence__retain(pids->slots[0])));
  DAMAGE(&f, pids->slots[0], single, "one item alone is in a group");
  presence__release(f.heap, single);
  end(&f);
}

/* Every byte that is alive is in the state: counted by the checker and by the heap. */
static void bytes_are_all_accounted_for(void **state) {
  (void)state;
  for (int collide = 0; collide < 2; collide++) {
    struct fixture f;
    begin(&f, collide ? 0 : UINT64_MAX);
    for (int64_t i = 0; i < 120; i++) {
      char key[8];
      snprintf(key, sizeof key, "%d", (int)(i < 40 ? 0 : i < 46 ? 1 : i));
      track(&f, key, i < 20 ? 3 : i, i % 2 ? "1" : "{\"a\":22}");
      f.s = tracked(f.s, key, key, i, "1");
    }
    size_t bytes;
    presence_heap_usage usage;
    while (presence_heap_work(f.heap, 1000))
      continue;
    presence_heap_stats(f.heap, &usage);
    assert_null(presence__check(f.s, &bytes));
    assert_int_equal(bytes, usage.live_bytes);
    end(&f);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(damage_to_states_and_topics),
      cmocka_unit_test(damage_to_records),
      cmocka_unit_test(damage_to_nodes),
      cmocka_unit_test(damage_to_collisions),
      cmocka_unit_test(damage_to_entries_of_many),
      cmocka_unit_test(damage_to_groups_of_a_pid),
      cmocka_unit_test(bytes_are_all_accounted_for),
  };
  return cmocka_run_group_tests_name("core: the checker", tests, NULL, NULL);
}
