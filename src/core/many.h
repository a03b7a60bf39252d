/* Entries of many metas: each edit is O(log n), whoever holds the one before. A meta has an item,
   which two tries share: by age (so that oldest first is a walk) and by pid (so that a pid is
   found; a pid with several metas has a trie of its own by age there).

   Edits take a MANY held by the caller alone, whose tries may be shared. False: out of memory, and
   the MANY is only good to be released. */
#ifndef PRESENCE_CORE_MANY_H
#define PRESENCE_CORE_MANY_H

#include "core/node.h"

/* An empty one, *new*; NULL: out of memory. */
struct presence__many *presence__many_new(presence_heap *heap);

/* Makes the MANY at *entry one that the caller holds alone; NULL: out of memory. O(1). */
struct presence__many *presence__many_own(presence_heap *heap, presence__slot *entry);

/* Appends a record, which is retained. */
bool presence__many_push(presence_heap *heap, struct presence__many *many, presence_meta *record);

/* Puts another record of the same pid, which is retained, in the place of an item of many. */
bool presence__many_replace(presence_heap *heap, struct presence__many *many,
                            const struct presence__item *item, presence_meta *record);

/* Removes an item of many. */
bool presence__many_remove(presence_heap *heap, struct presence__many *many,
                           const struct presence__item *item);

/* The newest item of a pid, or NULL. */
const struct presence__item *presence__many_find(const struct presence__many *many,
                                                 const struct presence__name *pid);

/* An item of an equal record, or NULL. O(log n + metas of its pid). */
const struct presence__item *presence__many_find_equal(const struct presence__many *many,
                                                       const presence_meta *record);

/* Number of records equal to this one. O(log n + metas of its pid). */
size_t presence__many_count_equal(const struct presence__many *many, const presence_meta *record);

/* The first item of a leaf of the trie by pid at least as old as age, or NULL: walks a leaf that
   may be an ITEM or a SEQ. */
const struct presence__item *presence__leaf_item_from(presence__slot leaf, uint64_t age);

static inline presence_meta *presence__item_record(const struct presence__item *item) {
  return presence__object(item->record);
}

#endif
