/* Entries compared as multisets of metas: equality, and what one has that the other lacks. */
#include <stdlib.h>

#include "core/entry.h"
#include "core/many.h"
#include "core/seq.h"
#include "core/walk.h"

/* ---- Arrays of items ---- */

struct items {
  const struct presence__item **at;
  size_t count;
  size_t capacity;
};

static void items_free(presence_heap *heap, struct items *items) {
  if (items->at) presence__give(heap, items->at, items->capacity * sizeof *items->at);
  *items = (struct items){NULL, 0, 0};
}

static bool items_push(presence_heap *heap, struct items *items,
                       const struct presence__item *item) {
  if (items->count == items->capacity) {
    size_t capacity = items->capacity ? 2 * items->capacity : 16;
    const struct presence__item **at = presence__take(heap, capacity * sizeof *at);
    if (!at) return false;
    for (size_t i = 0; i < items->count; i++)
      at[i] = items->at[i];
    if (items->at) presence__give(heap, items->at, items->capacity * sizeof *at);
    items->at = at;
    items->capacity = capacity;
  }
  items->at[items->count++] = item;
  return true;
}

static int by_content(const void *a, const void *b) {
  const struct presence__item *const *item_a = a, *const *item_b = b;
  return presence__records_compare(presence__item_record(*item_a), presence__item_record(*item_b));
}

static int by_age(const void *a, const void *b) {
  const struct presence__item *const *item_a = a, *const *item_b = b;
  return ((*item_a)->age > (*item_b)->age) - ((*item_a)->age < (*item_b)->age);
}

static void sort(struct items *items, int (*order)(const void *, const void *)) {
  if (items->count > 1) qsort(items->at, items->count, sizeof *items->at, order);
}

/* Collects the items of a leaf of a trie by pid, or of any part of a trie by age. Recursion goes as
   deep as that. */
static bool collect(presence_heap *heap, struct items *items, presence__slot slot) {
  if (!slot) return true;
  if (presence__tag_of(slot) == PRESENCE__ITEM)
    return items_push(heap, items, presence__object(slot));
  const struct presence__seq *node = presence__object(slot);
  for (unsigned i = presence__count(node->map); i > 0; i--)
    if (!collect(heap, items, node->slots[i - 1])) return false;
  return true;
}

/* Collects what two tries by age do not share; a subtree that both hold is passed over, as it
   takes as much from one side as from the other. */
static bool collect_apart(presence_heap *heap, struct items *in_a, struct items *in_b,
                          presence__slot a, presence__slot b) {
  if (a == b) return true;
  bool seq_a = presence__tag_of(a) == PRESENCE__SEQ, seq_b = presence__tag_of(b) == PRESENCE__SEQ;
  const struct presence__seq *node_a = seq_a ? presence__object(a) : NULL;
  const struct presence__seq *node_b = seq_b ? presence__object(b) : NULL;
  if (!seq_a || !seq_b || node_a->level != node_b->level)
    return collect(heap, in_a, a) && collect(heap, in_b, b);
  for (unsigned digit = 0; digit < PRESENCE__WIDTH; digit++) {
    uint32_t bit = presence__map_of(digit);
    presence__slot x = 0, y = 0;
    if (node_a->map & bit) x = node_a->slots[presence__index(node_a->map, digit)];
    if (node_b->map & bit) y = node_b->slots[presence__index(node_b->map, digit)];
    if (!collect_apart(heap, in_a, in_b, x, y)) return false;
  }
  return true;
}

/* Adds to out those of a that b lacks, for one pid. */
static bool subtract(presence_heap *heap, presence__slot a, presence__slot b, struct items *out) {
  struct items in_a = {NULL, 0, 0}, in_b = {NULL, 0, 0};
  bool done = collect_apart(heap, &in_a, &in_b, a, b);
  if (done) {
    sort(&in_a, by_content);
    sort(&in_b, by_content);
    size_t j = 0;
    for (size_t i = 0; i < in_a.count && done; i++) {
      int order = -1;
      while (j < in_b.count && (order = by_content(&in_a.at[i], &in_b.at[j])) > 0)
        j++;
      if (j < in_b.count && order == 0)
        j++;
      else
        done = items_push(heap, out, in_a.at[i]);
    }
  }
  items_free(heap, &in_a);
  items_free(heap, &in_b);
  return done;
}

/* ---- Difference ---- */

/* Both are MANY. */
static bool many_minus_many(presence_heap *heap, const struct presence__many *a,
                            const struct presence__many *b, struct items *out) {
  struct presence__walk walk;
  presence__slot x, y;
  presence__walk_init(&walk, &a->by_pid, &b->by_pid);
  while (presence__walk_next(&walk, &x, &y)) {
    if (!x) continue;
    if (!y) {
      if (!collect(heap, out, x)) return false;
    } else if (!subtract(heap, x, y, out)) {
      return false;
    }
  }
  sort(out, by_age);
  return true;
}

/* Takes one equal record out of those that are left (a bit each). */
static bool take_equal(presence_meta *const *records, unsigned count, unsigned *left,
                       const presence_meta *record) {
  for (unsigned i = 0; i < count; i++) {
    if (!(*left >> i & 1) || !presence__records_equal(records[i], record)) continue;
    *left &= ~(1u << i);
    return true;
  }
  return false;
}

static bool many_minus_few(presence_heap *heap, const struct presence__many *a, presence__slot b,
                           struct items *out) {
  presence_meta *records[PRESENCE__FEW_MAX];
  unsigned count = presence__entry_list(b, records), left = (1u << count) - 1;
  const struct presence__item *item = presence__seq_from(a->by_age, 0);
  for (; item; item = presence__seq_from(a->by_age, item->age + 1))
    if (!take_equal(records, count, &left, presence__item_record(item)) &&
        !items_push(heap, out, item))
      return false;
  return true;
}

static bool build_from_items(presence_heap *heap, struct items *items, presence__slot *out) {
  /* The array is as good for the records: an item's place is read before it is written. */
  presence_meta **records = (presence_meta **)(void *)items->at;
  for (size_t i = 0; i < items->count; i++) {
    presence_meta *record = presence__item_record(items->at[i]);
    memcpy(&records[i], &record, sizeof record);
  }
  return presence__entry_build(heap, records, items->count, out);
}

static bool many_minus(presence_heap *heap, presence__slot a, presence__slot b,
                       presence__slot *out) {
  struct items items = {NULL, 0, 0};
  bool done = presence__tag_of(b) == PRESENCE__MANY
                  ? many_minus_many(heap, presence__object(a), presence__object(b), &items)
                  : many_minus_few(heap, presence__object(a), b, &items);
  *out = 0;
  if (done && items.count) done = build_from_items(heap, &items, out);
  items_free(heap, &items);
  return done;
}

/* How many of the first count records equal this one. */
static size_t count_equal(presence_meta *const *records, unsigned count,
                          const presence_meta *record) {
  size_t equal = 0;
  for (unsigned i = 0; i < count; i++)
    equal += presence__records_equal(records[i], record);
  return equal;
}

/* a is not MANY. */
static bool few_minus(presence_heap *heap, presence__slot a, presence__slot b,
                      presence__slot *out) {
  presence_meta *records[PRESENCE__FEW_MAX], *others[PRESENCE__FEW_MAX];
  presence_meta *kept[PRESENCE__FEW_MAX];
  bool many = presence__tag_of(b) == PRESENCE__MANY;
  unsigned count = presence__entry_list(a, records), kept_count = 0;
  unsigned other_count = many ? 0 : presence__entry_list(b, others);
  unsigned left = (1u << other_count) - 1;
  for (unsigned i = 0; i < count; i++) {
    bool found = many ? presence__many_count_equal(presence__object(b), records[i]) >
                            count_equal(records, i, records[i])
                      : take_equal(others, other_count, &left, records[i]);
    if (!found) kept[kept_count++] = records[i];
  }
  return presence__entry_build(heap, kept, kept_count, out);
}

enum presence_status presence_entry_difference(presence_heap *heap, const presence_entry *a,
                                               const presence_entry *b, presence_entry **out) {
  presence__slot slot_a = presence__entry_slot(a), slot_b = presence__entry_slot(b), made;
  bool done = true;
  if (slot_a == slot_b || presence__entry_size(slot_a) == 0)
    made = 0;
  else if (presence__entry_size(slot_b) == 0)
    made = presence__retain(slot_a);
  else if (presence__tag_of(slot_a) == PRESENCE__MANY)
    done = many_minus(heap, slot_a, slot_b, &made);
  else
    done = few_minus(heap, slot_a, slot_b, &made);
  if (done) *out = presence__entry_of(made);
  return done ? PRESENCE_OK : PRESENCE_OUT_OF_MEMORY;
}

/* ---- Equality ---- */

/* One pid's metas without memory: O(k^2). Both have as many. */
static bool groups_equal_slowly(presence__slot a, presence__slot b) {
  const struct presence__item *x = presence__leaf_item_from(a, 0);
  for (; x; x = presence__leaf_item_from(a, x->age + 1)) {
    ptrdiff_t surplus = 0;
    const struct presence__item *y = presence__leaf_item_from(a, 0);
    for (; y; y = presence__leaf_item_from(a, y->age + 1))
      surplus += presence__records_equal(presence__item_record(x), presence__item_record(y));
    for (y = presence__leaf_item_from(b, 0); y; y = presence__leaf_item_from(b, y->age + 1))
      surplus -= presence__records_equal(presence__item_record(x), presence__item_record(y));
    if (surplus != 0) return false;
  }
  return true;
}

/* Two leaves of one pid. */
static bool groups_equal(presence_heap *heap, presence__slot a, presence__slot b) {
  bool item_a = presence__tag_of(a) == PRESENCE__ITEM,
       item_b = presence__tag_of(b) == PRESENCE__ITEM;
  if (item_a != item_b) return false;
  if (item_a)
    return presence__records_equal(presence__item_record(presence__object(a)),
                                   presence__item_record(presence__object(b)));
  if (presence__seq_count(a) != presence__seq_count(b)) return false;
  struct items lacking = {NULL, 0, 0};
  bool done = subtract(heap, a, b, &lacking);
  bool equal = done ? lacking.count == 0 : groups_equal_slowly(a, b);
  items_free(heap, &lacking);
  return equal;
}

static bool manies_equal(presence_heap *heap, const struct presence__many *a,
                         const struct presence__many *b) {
  struct presence__walk walk;
  presence__slot x, y;
  presence__walk_init(&walk, &a->by_pid, &b->by_pid);
  while (presence__walk_next(&walk, &x, &y))
    if (!x || !y || !groups_equal(heap, x, y)) return false;
  return true;
}

bool presence__entries_equal(presence_heap *heap, presence__slot a, presence__slot b) {
  if (a == b) return true;
  uint32_t count = presence__entry_size(a);
  if (count != presence__entry_size(b)) return false;
  if (count == 1) return presence__records_equal(presence__object(a), presence__object(b));
  if (count > PRESENCE__FEW_MAX)
    return manies_equal(heap, presence__object(a), presence__object(b));
  presence_meta *in_a[PRESENCE__FEW_MAX], *in_b[PRESENCE__FEW_MAX];
  presence__entry_list(a, in_a);
  presence__entry_list(b, in_b);
  unsigned left = (1u << count) - 1;
  for (uint32_t i = 0; i < count; i++)
    if (!take_equal(in_b, count, &left, in_a[i])) return false;
  return true;
}

bool presence_entry_equal(presence_heap *heap, const presence_entry *a, const presence_entry *b) {
  return presence__entries_equal(heap, presence__entry_slot(a), presence__entry_slot(b));
}

bool presence_meta_equal(const presence_meta *a, const presence_meta *b) {
  return presence__records_equal(a, b);
}
