#include "core/walk.h"

/* The digit of a leaf at a level; its whole hash is only computed below where half of it ends. */
static unsigned leaf_digit(presence__slot leaf, unsigned level) {
  if (level * PRESENCE__BITS >= 32) return presence__digit(presence__leaf_whole_hash(leaf), level);
  return presence__digit((uint64_t)presence__leaf_hash_high(leaf) << 32, level);
}

/* The number of slots left once those at the end are dropped that are the same. */
static inline unsigned skip_same(const presence__slot *a, const presence__slot *b, unsigned left) {
  while (left >= 4) {
    if (a[left - 1] != b[left - 1]) return left;
    if (a[left - 2] != b[left - 2]) return left - 1;
    if (a[left - 3] != b[left - 3]) return left - 2;
    if (a[left - 4] != b[left - 4]) return left - 3;
    left -= 4;
  }
  while (left > 0 && a[left - 1] == b[left - 1])
    left--;
  return left;
}

/* The digits at which two nodes of different maps differ. */
static uint32_t differing_digits(const struct presence__node *a, const struct presence__node *b) {
  const presence__slot *x = a->slots, *y = b->slots;
  uint32_t left = 0;
  for (uint32_t rest = a->map | b->map; rest; rest &= rest - 1) {
    uint32_t bit = rest & -rest;
    presence__slot in_a = a->map & bit ? *x++ : 0, in_b = b->map & bit ? *y++ : 0;
    if (in_a != in_b) left |= bit;
  }
  return left;
}

static bool is_node(presence__slot slot) {
  return presence__tag_of(slot) == PRESENCE__NODE;
}

/* Two slots of one place that differ, one of them a node at least, as a frame. A leaf beside a node
   counts as a node that holds this leaf alone. */
static void frame_of(struct presence__walk_frame *frame, unsigned level, presence__slot a,
                     presence__slot b) {
  frame->a = a;
  frame->b = b;
  frame->by_index = false;
  presence__slot leaf;
  if (!is_node(a)) {
    frame->left = presence__node_of(b)->map;
    leaf = a;
  } else if (!is_node(b)) {
    frame->left = presence__node_of(a)->map;
    leaf = b;
  } else {
    const struct presence__node *in_a = presence__node_of(a), *in_b = presence__node_of(b);
    frame->by_index = in_a->map == in_b->map;
    frame->left = frame->by_index ? presence__count(in_a->map) : differing_digits(in_a, in_b);
    return;
  }
  if (leaf) frame->left |= presence__map_of(leaf_digit(leaf, level));
}

/* What stands at a digit of a frame's side. */
static presence__slot child(presence__slot side, unsigned digit, unsigned level) {
  if (!side) return 0;
  if (presence__tag_of(side) == PRESENCE__NODE) {
    const struct presence__node *node = presence__node_of(side);
    uint32_t from = presence__map_from(node->map, digit);
    return presence__map_has(from) ? node->slots[presence__count(from) - 1] : 0;
  }
  return leaf_digit(side, level) == digit ? side : 0;
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

/* The next two slots below a frame that differ; false at its end. */
static inline bool step(struct presence__walk_frame *frame, unsigned level, presence__slot *a,
                        presence__slot *b) {
  if (frame->by_index) {
    /* High indices are low digits. */
    const presence__slot *in_a = presence__node_of(frame->a)->slots;
    const presence__slot *in_b = presence__node_of(frame->b)->slots;
    unsigned left = skip_same(in_a, in_b, frame->left);
    if (left == 0) return false;
    frame->left = --left;
    *a = in_a[left];
    *b = in_b[left];
    return true;
  }
  do {
    if (frame->left == 0) return false;
    unsigned digit = presence__lowest(frame->left);
    frame->left ^= presence__map_of(digit);
    *a = child(frame->a, digit, level);
    *b = child(frame->b, digit, level);
  } while (*a == *b);
  return true;
}

void presence__walk_init(struct presence__walk *walk, presence__slot a, presence__slot b) {
  walk->depth = 0;
  walk->leaf_a = walk->leaf_b = 0;
  walk->index_a = walk->index_b = 0;
  if (a == b) return;
  if (is_node(a) || is_node(b)) {
    frame_of(&walk->frames[walk->depth++], 0, a, b);
  } else {
    walk->leaf_a = a;
    walk->leaf_b = b;
  }
}

bool presence__walk_next(struct presence__walk *walk, presence__slot *a, presence__slot *b) {
  if ((walk->leaf_a || walk->leaf_b) && next_apart(walk, a, b)) return true;
  /* A frame stays until what is below it is done, for a child's level is the stack's height. */
  unsigned depth = walk->depth;
  struct presence__walk_frame *frame = &walk->frames[depth];
  while (depth > 0) {
    if (!step(frame - 1, depth - 1, a, b)) {
      depth--;
      frame--;
    } else if (is_node(*a) || is_node(*b)) {
      frame_of(frame++, depth++, *a, *b);
    } else {
      walk->depth = depth;
      if (take_leaves(walk, a, b)) return true;
    }
  }
  walk->depth = 0;
  return false;
}
