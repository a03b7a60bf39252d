#include "core/walk.h"

/* The digit of a leaf at a level; its whole hash is only computed below where half of it ends. */
static unsigned leaf_digit(presence__slot leaf, unsigned level) {
  if (level * PRESENCE__BITS >= 32) return presence__digit(presence__leaf_whole_hash(leaf), level);
  uint32_t high = presence__tag_of(leaf) == PRESENCE__RECORD
                      ? ((const presence_meta *)presence__object(leaf))->hash
                      : presence__leaf_hash_high(leaf);
  return presence__digit((uint64_t)high << 32, level);
}

/* One side of a frame: the digits of what stands at a place, and in *end what is behind the slot of
   the lowest. A leaf beside a node counts as a node that holds this leaf alone. */
static inline uint32_t digits_at(const presence__slot *at, unsigned level,
                                 const presence__slot **end) {
  presence__slot slot = at ? *at : 0;
  if (presence__is_node(slot)) {
    const struct presence__node *node = presence__node_of(slot);
    *end = node->slots + presence__count(node->map);
    return node->map;
  }
  *end = NULL;
  if (!slot) return 0;
  *end = at + 1;
  return presence__map_of(leaf_digit(slot, level));
}

/* Two places that differ, a node at one of them at least, as a frame. */
static inline void frame_of(struct presence__walk_frame *frame, unsigned level,
                            const presence__slot *a, const presence__slot *b) {
  if (a && b && presence__is_node(*a) && presence__is_node(*b)) {
    const struct presence__node *in_a = presence__node_of(*a), *in_b = presence__node_of(*b);
    if (in_a->map == in_b->map) {
      frame->a = in_a->slots;
      frame->b = in_b->slots;
      frame->left = presence__count(in_a->map);
      frame->map_a = 0;
      frame->map_b = 0;
      return;
    }
  }
  frame->map_a = digits_at(a, level, &frame->a);
  frame->map_b = digits_at(b, level, &frame->b);
  frame->left = 0;
}

/* The member of a leaf at an index; 0 past the last. */
static presence__slot member(presence__slot leaf, uint32_t index) {
  if (leaf && presence__tag_of(leaf) == PRESENCE__COLLISION) {
    const struct presence__list *list = presence__object(leaf);
    return index < list->count ? list->slots[index] : 0;
  }
  return index == 0 ? leaf : 0;
}

/* The next two members of the leaves in hand, merged by name; false when they are used up. */
static bool next_members(struct presence__walk *walk, presence__slot *a, presence__slot *b) {
  *a = member(walk->leaf_a, walk->index_a);
  *b = member(walk->leaf_b, walk->index_b);
  if (!*a && !*b) return false;
  if (*a && *b) {
    struct presence__name name_a = presence__leaf_name(*a), name_b = presence__leaf_name(*b);
    int order = presence__names_compare(&name_a, &name_b);
    if (order < 0) *b = 0;
    if (order > 0) *a = 0;
  }
  walk->index_a += *a != 0;
  walk->index_b += *b != 0;
  return true;
}

/* The same past members that both sides share; when they are used up the leaves are let go. */
static bool next_apart(struct presence__walk *walk, presence__slot *a, presence__slot *b) {
  while (next_members(walk, a, b))
    if (*a != *b) return true;
  walk->leaf_a = walk->leaf_b = 0;
  return false;
}

/* Takes the leaves *a and *b in hand and gives the first of their members. */
static bool take_leaves(struct presence__walk *walk, presence__slot *a, presence__slot *b) {
  bool one_side = !*a || !*b;
  if (one_side && presence__tag_of(*a | *b) != PRESENCE__COLLISION) return true;
  walk->leaf_a = *a;
  walk->leaf_b = *b;
  walk->index_a = walk->index_b = 0;
  return next_apart(walk, a, b);
}

/* The places of the next two slots below a frame that differ, NULL for a digit that is not there;
   false at its end. */
static inline bool step(struct presence__walk_frame *frame, const presence__slot **at_a,
                        const presence__slot **at_b) {
  const presence__slot *a = frame->a, *b = frame->b;
  if (frame->left) {
    uint32_t left;
#define UNLESS_SAME(i)                                                                             \
  if (a[i] != b[i]) {                                                                              \
    left = (i);                                                                                    \
    goto differ;                                                                                   \
  }
    PRESENCE__SLOTS_16(frame->left, UNLESS_SAME);
#undef UNLESS_SAME
    return false;
  differ:
    frame->left = left;
    *at_a = a + left;
    *at_b = b + left;
    return true;
  }
  uint32_t map_a = frame->map_a, map_b = frame->map_b;
  while (map_a | map_b) {
    uint32_t bit = presence__map_of(presence__lowest(map_a | map_b));
    *at_a = map_a & bit ? --a : NULL;
    *at_b = map_b & bit ? --b : NULL;
    map_a &= ~bit;
    map_b &= ~bit;
    if (*at_a && *at_b && **at_a == **at_b) continue;
    *frame = (struct presence__walk_frame){a, b, 0, map_a, map_b};
    return true;
  }
  return false;
}

void presence__walk_init(struct presence__walk *walk, const presence__slot *a,
                         const presence__slot *b) {
  walk->depth = 0;
  walk->leaf_a = walk->leaf_b = 0;
  walk->index_a = walk->index_b = 0;
  if (*a == *b) return;
  if (presence__is_node(*a) || presence__is_node(*b)) {
    frame_of(&walk->frames[walk->depth++], 0, a, b);
  } else {
    walk->leaf_a = *a;
    walk->leaf_b = *b;
  }
}

bool presence__walk_next(struct presence__walk *walk, presence__slot *a, presence__slot *b) {
  if ((walk->leaf_a || walk->leaf_b) && next_apart(walk, a, b)) return true;
  /* A frame stays until what is below it is done, for a child's level is the stack's height. */
  unsigned depth = walk->depth;
  while (depth > 0) {
    const presence__slot *at_a, *at_b;
    if (!step(&walk->frames[depth - 1], &at_a, &at_b)) {
      depth--;
      continue;
    }
    *a = at_a ? *at_a : 0;
    *b = at_b ? *at_b : 0;
    if (presence__is_node(*a) || presence__is_node(*b)) {
      frame_of(&walk->frames[depth], depth, at_a, at_b);
      depth++;
      continue;
    }
    walk->depth = depth;
    if (take_leaves(walk, a, b)) return true;
  }
  walk->depth = 0;
  return false;
}
