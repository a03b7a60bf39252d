/* Tries by age: the items of an entry of many metas (or of one pid in it), oldest first. A node of
   level l has a digit for each 16th of the ages below 16^(l+1); counts make the i-th findable. */
#ifndef PRESENCE_CORE_SEQ_H
#define PRESENCE_CORE_SEQ_H

#include "core/node.h"

/* Adds an item (*taken* on success) of an age that is not there, or puts it in the place of the one
   that is. *root may be 0. False: out of memory; *root is then only good to be released. O(log
   age).
 */
bool presence__seq_put(presence_heap *heap, presence__slot *root, presence__slot item);

/* Removes the item of an age that is there; *root becomes 0 with the last. False as above. */
bool presence__seq_remove(presence_heap *heap, presence__slot *root, uint64_t age);

/* The oldest item of at least that age, or NULL. O(log age). */
const struct presence__item *presence__seq_from(presence__slot root, uint64_t age);

/* The newest item. root is not 0. */
const struct presence__item *presence__seq_newest(presence__slot root);

/* The item at an index below the count. O(log age). */
const struct presence__item *presence__seq_at(presence__slot root, size_t index);

static inline uint32_t presence__seq_count(presence__slot root) {
  return root ? ((const struct presence__seq *)presence__object(root))->count : 0;
}

#endif
