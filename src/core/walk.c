#include "core/walk.h"

/* The digit of a leaf at a level; its whole hash is only computed below where half of it ends. */
static unsigned leaf_digit(presence__slot leaf, unsigned level) {
  if (level * PRESENCE__BITS >= 32) return presence__digit(presence__leaf_whole_hash(leaf), level);
  return presence__digit((uint64_t)presence__leaf_hash_high(leaf) << 32, level);
}

/* The indices at which two nodes of one map differ. */
static uint32_t differing_indices(const struct presence__node *a, const struct presence__node *b) {
  const presence__slot *x = a->slots, *y = b->slots;
  uint32_t left = 0;
  unsigned i = presence__count(a->map);
  for (; i >= 4; i -= 4) {
    left = left << 1 | (x[i - 1] != y[i - 1]);
    left = left << 1 | (x[i - 2] != y[i - 2]);
    left = left << 1 | (x[i - 3] != y[i - 3]);
    left = left << 1 | (x[i - 4] != y[i - 4]);
  }
  for (; i > 0; i--)
    left = left << 1 | (x[i - 1] != y[i - 1]);
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

/* Puts two slots, one of them a node at least, on the stack. A leaf beside a node counts as a node
   that holds this leaf alone. */
static void push(struct presence__walk *walk, presence__slot a, presence__slot b) {
  bool node_a = presence__tag_of(a) == PRESENCE__NODE;
  bool node_b = presence__tag_of(b) == PRESENCE__NODE;
  const struct presence__node *in_a = presence__object(a), *in_b = presence__object(b);
  struct presence__walk_frame *frame = &walk->frames[walk->depth];
  frame->a = a;
  frame->b = b;
  frame->by_index = node_a && node_b && in_a->map == in_b->map;
  if (frame->by_index) {
    frame->left = differing_indices(in_a, in_b);
  } else if (node_a && node_b) {
    frame->left = differing_digits(in_a, in_b);
  } else {
    presence__slot leaf = node_a ? b : a;
    frame->left = node_a ? in_a->map : in_b->map;
    if (leaf) frame->left |= presence__map_of(leaf_digit(leaf, walk->depth));
  }
  walk->depth++;
}

/* Two slots of one place: nodes are put on the stack, leaves go in hand. */
static inline void visit(struct presence__walk *walk, presence__slot a, presence__slot b) {
  if (a == b) return;
  if (presence__tag_of(a) == PRESENCE__NODE || presence__tag_of(b) == PRESENCE__NODE) {
    push(walk, a, b);
    return;
  }
  walk->leaf_a = a;
  walk->leaf_b = b;
  walk->index_a = walk->index_b = 0;
}

void presence__walk_init(struct presence__walk *walk, presence__slot a, presence__slot b) {
  walk->depth = 0;
  walk->leaf_a = walk->leaf_b = 0;
  walk->index_a = walk->index_b = 0;
  visit(walk, a, b);
}

/* What stands at a digit of a frame's side. */
static presence__slot child(presence__slot side, unsigned digit, unsigned level) {
  if (!side) return 0;
  if (presence__tag_of(side) == PRESENCE__NODE) {
    const struct presence__node *node = presence__object(side);
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

bool presence__walk_next(struct presence__walk *walk, presence__slot *a, presence__slot *b) {
  for (;;) {
    if (walk->leaf_a || walk->leaf_b) {
      while (next_members(walk, a, b))
        if (*a != *b) return true;
      walk->leaf_a = walk->leaf_b = 0;
    }
    /* A frame stays until what is below it is done, for a child's level is the stack's height. */
    while (walk->depth > 0 && walk->frames[walk->depth - 1].left == 0)
      walk->depth--;
    if (walk->depth == 0) return false;
    unsigned level = walk->depth - 1;
    struct presence__walk_frame *frame = &walk->frames[level];
    if (frame->by_index) {
      /* High indices are low digits. */
      unsigned index = 31u - (unsigned)__builtin_clz(frame->left);
      const struct presence__node *in_a = presence__object(frame->a);
      const struct presence__node *in_b = presence__object(frame->b);
      frame->left ^= 1u << index;
      visit(walk, in_a->slots[index], in_b->slots[index]);
    } else {
      unsigned digit = presence__lowest((uint16_t)frame->left);
      frame->left ^= presence__map_of(digit);
      visit(walk, child(frame->a, digit, level), child(frame->b, digit, level));
    }
  }
}
