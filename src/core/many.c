#include "core/many.h"

#include "core/seq.h"
#include "core/trie.h"

struct presence__many *presence__many_new(presence_heap *heap) {
  struct presence__many *many = presence__take(heap, sizeof *many);
  if (many) *many = (struct presence__many){1, 0, 0, 0, 0};
  return many;
}

struct presence__many *presence__many_own(presence_heap *heap, presence__slot *entry) {
  struct presence__many *old = presence__object(*entry);
  if (presence__is_unique(*entry)) return old;
  struct presence__many *many = presence__take(heap, sizeof *many);
  if (!many) return NULL;
  *many = (struct presence__many){1, old->count, presence__retain(old->by_age),
                                  presence__retain(old->by_pid), old->next_age};
  presence__release_shared(heap, *entry, &old->refs);
  *entry = presence__slot_of(many, PRESENCE__MANY);
  return many;
}

/* ---- Looking ---- */

static presence__slot pid_leaf(const struct presence__many *many,
                               const struct presence__name *pid) {
  struct presence__probe probe = presence__probe_of(pid);
  return presence__trie_find(many->by_pid, &probe);
}

const struct presence__item *presence__many_find(const struct presence__many *many,
                                                 const struct presence__name *pid) {
  presence__slot leaf = pid_leaf(many, pid);
  return leaf ? presence__seq_newest(leaf) : NULL;
}

const struct presence__item *presence__leaf_item_from(presence__slot leaf, uint64_t age) {
  if (!leaf) return NULL;
  if (presence__tag_of(leaf) == PRESENCE__SEQ) return presence__seq_from(leaf, age);
  const struct presence__item *item = presence__object(leaf);
  return item->age >= age ? item : NULL;
}

/* The items of the record's pid that are equal to it, from an age on. */
static const struct presence__item *equal_from(presence__slot leaf, const presence_meta *record,
                                               uint64_t age) {
  const struct presence__item *item = presence__leaf_item_from(leaf, age);
  while (item && !presence__records_equal(presence__item_record(item), record))
    item = presence__leaf_item_from(leaf, item->age + 1);
  return item;
}

const struct presence__item *presence__many_find_equal(const struct presence__many *many,
                                                       const presence_meta *record) {
  struct presence__name pid = presence__record_pid(record);
  return equal_from(pid_leaf(many, &pid), record, 0);
}

size_t presence__many_count_equal(const struct presence__many *many, const presence_meta *record) {
  struct presence__name pid = presence__record_pid(record);
  presence__slot leaf = pid_leaf(many, &pid);
  size_t count = 0;
  const struct presence__item *item = equal_from(leaf, record, 0);
  for (; item; item = equal_from(leaf, record, item->age + 1))
    count++;
  return count;
}

/* ---- Editing ---- */

static struct presence__item *new_item(presence_heap *heap, presence_meta *record, uint64_t age,
                                       uint64_t pid_hash) {
  struct presence__item *item = presence__take(heap, sizeof *item);
  if (!item) return NULL;
  presence__refs_init(&item->refs);
  item->hash = (uint32_t)(pid_hash >> 32);
  item->record = presence__retain(presence__slot_of(record, PRESENCE__RECORD));
  item->age = age;
  return item;
}

/* presence__seq_put with a reference of its own. */
static bool share_with(presence_heap *heap, presence__slot *root, presence__slot item) {
  if (presence__seq_put(heap, root, presence__retain(item))) return true;
  presence__release(heap, item);
  return false;
}

/* The leaf of a pid with one item more, or with one of the same age replaced; *new*, 0: out of
   memory. */
static presence__slot leaf_with(presence_heap *heap, presence__slot leaf, presence__slot item) {
  if (!leaf) return presence__retain(item);
  bool is_item = presence__tag_of(leaf) == PRESENCE__ITEM;
  uint64_t age = ((struct presence__item *)presence__object(item))->age;
  if (is_item && ((struct presence__item *)presence__object(leaf))->age == age)
    return presence__retain(item);
  presence__slot group = is_item ? 0 : presence__retain(leaf);
  bool done = !is_item || share_with(heap, &group, leaf);
  if (done && share_with(heap, &group, item)) return group;
  presence__release(heap, group);
  return 0;
}

static bool set_by_pid(presence_heap *heap, struct presence__many *many,
                       const struct presence__probe *probe, presence__slot item) {
  struct presence__path path;
  presence__slot old = presence__trie_locate(&many->by_pid, probe, &path);
  presence__slot leaf = leaf_with(heap, old, item);
  if (!leaf) return false;
  bool done = old ? presence__trie_replace(heap, &path, leaf)
                  : presence__trie_insert(heap, &path, probe->hash, leaf);
  if (!done) presence__release(heap, leaf);
  return done;
}

static bool set(presence_heap *heap, struct presence__many *many, presence_meta *record,
                uint64_t age) {
  struct presence__name pid = presence__record_pid(record);
  struct presence__probe probe = presence__probe_of(&pid);
  struct presence__item *item = new_item(heap, record, age, probe.hash);
  if (!item) return false;
  presence__slot slot = presence__slot_of(item, PRESENCE__ITEM);
  bool done = share_with(heap, &many->by_age, slot) && set_by_pid(heap, many, &probe, slot);
  presence__release(heap, slot);
  return done;
}

bool presence__many_push(presence_heap *heap, struct presence__many *many, presence_meta *record) {
  if (!set(heap, many, record, many->next_age)) return false;
  many->next_age++;
  many->count++;
  return true;
}

bool presence__many_replace(presence_heap *heap, struct presence__many *many,
                            const struct presence__item *item, presence_meta *record) {
  return set(heap, many, record, item->age);
}

/* The group of a pid without an item; the last one left stands by itself. *new*, 0: out of
   memory. */
static presence__slot group_without(presence_heap *heap, presence__slot group, uint64_t age) {
  presence__slot rest = presence__retain(group);
  if (!presence__seq_remove(heap, &rest, age)) {
    presence__release(heap, rest);
    return 0;
  }
  if (presence__seq_count(rest) > 1) return rest;
  presence__slot last =
      presence__retain(presence__slot_of(presence__seq_newest(rest), PRESENCE__ITEM));
  presence__release(heap, rest);
  return last;
}

bool presence__many_remove(presence_heap *heap, struct presence__many *many,
                           const struct presence__item *item) {
  struct presence__name pid = presence__record_pid(presence__item_record(item));
  struct presence__probe probe = presence__probe_of(&pid);
  struct presence__path path;
  uint64_t age = item->age;
  presence__slot leaf = presence__trie_locate(&many->by_pid, &probe, &path);
  if (presence__tag_of(leaf) == PRESENCE__ITEM) {
    if (!presence__trie_remove(heap, &path, probe.hash)) return false;
  } else {
    presence__slot rest = group_without(heap, leaf, age);
    if (!rest) return false;
    if (!presence__trie_replace(heap, &path, rest)) {
      presence__release(heap, rest);
      return false;
    }
  }
  if (!presence__seq_remove(heap, &many->by_age, age)) return false;
  many->count--;
  return true;
}
