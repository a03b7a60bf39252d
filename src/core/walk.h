/* A walk over two tries side by side that passes over what they share. */
#ifndef PRESENCE_CORE_WALK_H
#define PRESENCE_CORE_WALK_H

#include "core/trie.h"

/* Two subtries that differ, one of them a node at least. Their slots come with ascending digits,
   from the last to the first. */
struct presence__walk_frame {
  const presence__slot
      *a; /* the first slot where left counts, else behind the one that comes next */
  const presence__slot *b;
  uint32_t left;  /* slots still to come on either side, where both have the same digits; else 0 */
  uint32_t map_a; /* digits still to come, where left is 0 */
  uint32_t map_b;
};

struct presence__walk {
  uint32_t depth;   /* frames in use */
  uint32_t index_a; /* members of the leaves in hand that are done */
  uint32_t index_b;
  uint32_t unused;
  presence__slot leaf_a;
  presence__slot leaf_b;
  struct presence__walk_frame frames[PRESENCE__LEVELS];
};

/* a and b lead to roots, which are 0 for empty tries; what they lead to must stay as it is as long
   as the walk goes on, and so must the places where roots that are not leaves stand. O(1). */
void presence__walk_init(struct presence__walk *walk, const presence__slot *a,
                         const presence__slot *b);

/* The next two leaves of one name that are not the same object; 0 for a name that one trie lacks.
   False at the end. */
bool presence__walk_next(struct presence__walk *walk, presence__slot *a, presence__slot *b);

#endif
