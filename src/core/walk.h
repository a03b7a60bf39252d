/* A walk over two tries side by side that passes over what they share. */
#ifndef PRESENCE_CORE_WALK_H
#define PRESENCE_CORE_WALK_H

#include "core/trie.h"

struct presence__walk_frame {
  presence__slot a;
  presence__slot b;
  uint32_t left; /* what is still to come: bits of a map, or slots when the maps are equal */
  bool by_index;
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

/* a and b are roots, 0 for empty tries; both must live as long as the walk. O(1). */
void presence__walk_init(struct presence__walk *walk, presence__slot a, presence__slot b);

/* The next two leaves of one name that are not the same object; 0 for a name that one trie lacks.
   False at the end. */
bool presence__walk_next(struct presence__walk *walk, presence__slot *a, presence__slot *b);

#endif
