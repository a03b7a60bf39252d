/* CHAMP with collisions held where a leaf would be, however high (two names of one hash need no
   chain of nodes down to the last digit). */
#include "core/trie.h"

/* ---- Leaves ---- */

presence_meta *presence__first_record(presence__slot leaf) {
  for (;;) {
    void *object = presence__object(leaf);
    switch (presence__tag_of(leaf)) {
    case PRESENCE__FEW:
    case PRESENCE__COLLISION:
      leaf = ((struct presence__list *)object)->slots[0];
      break;
    case PRESENCE__MANY:
      leaf = ((struct presence__many *)object)->by_age;
      break;
    case PRESENCE__SEQ:
      leaf = ((struct presence__seq *)object)->slots[0];
      break;
    case PRESENCE__ITEM:
      leaf = ((struct presence__item *)object)->record;
      break;
    default:
      return object;
    }
  }
}

/* A collision stands for its first member, a pid's group of items for its first. */
static presence__slot representative(presence__slot leaf) {
  for (;;) {
    void *object = presence__object(leaf);
    if (presence__tag_of(leaf) == PRESENCE__COLLISION)
      leaf = ((struct presence__list *)object)->slots[0];
    else if (presence__tag_of(leaf) == PRESENCE__SEQ)
      leaf = ((struct presence__seq *)object)->slots[0];
    else
      return leaf;
  }
}

struct presence__name presence__leaf_name(presence__slot leaf) {
  leaf = representative(leaf);
  void *object = presence__object(leaf);
  if (presence__tag_of(leaf) == PRESENCE__TOPIC) {
    struct presence__text *name = ((struct presence_topic *)object)->name;
    return (struct presence__name){name->bytes, name->size, PRESENCE__STRING};
  }
  presence_meta *record = presence__first_record(leaf);
  if (presence__tag_of(leaf) == PRESENCE__ITEM) return presence__record_pid(record);
  return presence__name_of(presence__key(record));
}

uint32_t presence__leaf_hash_high(presence__slot leaf) {
  leaf = representative(leaf);
  void *object = presence__object(leaf);
  switch (presence__tag_of(leaf)) {
  case PRESENCE__TOPIC:
    return ((struct presence_topic *)object)->hash;
  case PRESENCE__ITEM:
    return ((struct presence__item *)object)->hash;
  default:
    return presence__first_record(leaf)->hash;
  }
}

uint64_t presence__leaf_whole_hash(presence__slot leaf) {
  struct presence__name name = presence__leaf_name(leaf);
  return presence__name_hash(&name);
}

uint64_t presence__leaf_hash(presence__slot leaf, uint64_t other) {
  uint32_t high = presence__leaf_hash_high(leaf);
  if (high != (uint32_t)(other >> 32)) return (uint64_t)high << 32;
  return presence__leaf_whole_hash(leaf);
}

static bool leaf_matches(presence__slot leaf, const struct presence__probe *probe) {
  if (presence__leaf_hash_high(leaf) != (uint32_t)(probe->hash >> 32)) return false;
  struct presence__name name = presence__leaf_name(leaf);
  return presence__names_equal(&name, &probe->name);
}

/* ---- Collisions ---- */

/* True and the index of the member of that name, or false and where it would go. O(log count). */
static bool search(const struct presence__list *list, const struct presence__name *wanted,
                   uint32_t *index) {
  uint32_t low = 0, high = list->count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    struct presence__name name = presence__leaf_name(list->slots[middle]);
    int order = presence__names_compare(&name, wanted);
    if (order == 0) {
      *index = middle;
      return true;
    }
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  *index = low;
  return false;
}

/* Copies count slots, sharing them, and steps over what is copied. */
static void share(presence__slot **to, const presence__slot *from, uint32_t count) {
  for (uint32_t i = 0; i < count; i++)
    *(*to)++ = presence__retain(from[i]);
}

/* A collision like old with `removed` members at index left out and leaf, unless 0, put there
   (*taken* on success). 0: out of memory. */
static presence__slot splice(presence_heap *heap, const struct presence__list *old, uint32_t index,
                             uint32_t removed, presence__slot leaf) {
  struct presence__list *list = presence__list_new(heap, old->count - removed + (leaf ? 1 : 0));
  if (!list) return 0;
  presence__slot *to = list->slots;
  share(&to, old->slots, index);
  if (leaf) *to++ = leaf;
  share(&to, old->slots + index + removed, old->count - index - removed);
  return presence__slot_of(list, PRESENCE__COLLISION);
}

/* ---- Finding ---- */

enum presence__found presence__trie_judge(presence__slot leaf, const struct presence__probe *probe,
                                          uint32_t *index) {
  if (presence__tag_of(leaf) == PRESENCE__TOPIC) {
    /* Each edit of a state that others hold comes here. */
    const struct presence_topic *topic = presence__object(leaf);
    const struct presence__text *name = topic->name;
    return topic->hash == (uint32_t)(probe->hash >> 32) && name->size == probe->name.size &&
                   presence__bytes_equal(name->bytes, probe->name.bytes, name->size)
               ? PRESENCE__MATCH
               : PRESENCE__OTHER;
  }
  if (presence__tag_of(leaf) != PRESENCE__COLLISION)
    return leaf_matches(leaf, probe) ? PRESENCE__MATCH : PRESENCE__OTHER;
  if (presence__leaf_hash(leaf, probe->hash) != probe->hash) return PRESENCE__OTHER;
  return search(presence__object(leaf), &probe->name, index) ? PRESENCE__INSIDE : PRESENCE__BESIDE;
}

presence__slot presence__trie_locate(presence__slot *root, const struct presence__probe *probe,
                                     struct presence__path *path) {
  return presence__trie_locate_inline(root, probe, path);
}

presence__slot presence__trie_find(presence__slot root, const struct presence__probe *probe) {
  presence__slot leaf = presence__trie_candidate(root, probe->hash);
  uint32_t index;
  if (!leaf) return 0;
  switch (presence__trie_judge(leaf, probe, &index)) {
  case PRESENCE__MATCH:
    return leaf;
  case PRESENCE__INSIDE:
    return ((struct presence__list *)presence__object(leaf))->slots[index];
  default:
    return 0;
  }
}

bool presence__path_is_unique(const struct presence__path *path) {
  if (path->shared < path->depth || !presence__is_unique(*path->at[path->depth])) return false;
  if (path->found != PRESENCE__INSIDE) return true;
  const struct presence__list *list = presence__object(*path->at[path->depth]);
  return presence__is_unique(list->slots[path->index]);
}

/* ---- Editing ---- */

/* Owns the nodes at[0] to at[limit - 1], so that the slot at[limit] may be written. What is below a
   copied node is shared by that. */
static bool own_from(presence_heap *heap, struct presence__path *path, unsigned limit) {
  presence__slot **at = path->at + path->shared, **const last = path->at + limit;
  for (; at < last; at++) {
    struct presence__node *old = presence__node_of(**at);
    ptrdiff_t index = at[1] - old->slots;
    struct presence__node *node = presence__node_copy(heap, old);
    if (!node) return false;
    presence__release_shared(heap, **at, &old->refs);
    **at = presence__slot_of(node, PRESENCE__NODE);
    at[1] = node->slots + index;
  }
  return true;
}

static inline bool own(presence_heap *heap, struct presence__path *path, unsigned limit) {
  return path->shared >= limit || own_from(heap, path, limit);
}

static void put(presence_heap *heap, presence__slot *at, presence__slot value) {
  presence__slot old = *at;
  *at = value;
  presence__release(heap, old);
}

/* A chain of nodes, the first at a level, down to one that holds both leaves (*taken* on success).
   0: out of memory. */
static presence__slot branch(presence_heap *heap, unsigned level, presence__slot a, uint64_t hash_a,
                             presence__slot b, uint64_t hash_b) {
  unsigned last = level;
  while (presence__digit(hash_a, last) == presence__digit(hash_b, last))
    last++;
  unsigned digit_a = presence__digit(hash_a, last), digit_b = presence__digit(hash_b, last);
  uint32_t map = presence__map_of(digit_a) | presence__map_of(digit_b);
  struct presence__node *node = presence__node_new(heap, map);
  if (!node) return 0;
  node->slots[presence__index(map, digit_a)] = a;
  node->slots[presence__index(map, digit_b)] = b;
  presence__slot top = presence__slot_of(node, PRESENCE__NODE);
  while (last > level) {
    last--;
    node = presence__node_new(heap, presence__map_of(presence__digit(hash_a, last)));
    if (!node) break;
    node->slots[0] = top;
    top = presence__slot_of(node, PRESENCE__NODE);
  }
  if (node) return top;
  /* Undo, the leaves left alone: the chain's nodes have one slot each but for the last. */
  for (;;) {
    node = presence__object(top);
    unsigned count = presence__count(node->map);
    top = node->slots[0];
    presence__give(heap, node, presence__node_size(count));
    if (count > 1) return 0;
  }
}

/* Two names of one hash. */
static presence__slot collide(presence_heap *heap, presence__slot a, presence__slot b) {
  struct presence__list *list = presence__list_new(heap, 2);
  if (!list) return 0;
  struct presence__name name_a = presence__leaf_name(a), name_b = presence__leaf_name(b);
  bool a_first = presence__names_compare(&name_a, &name_b) < 0;
  list->slots[0] = a_first ? a : b;
  list->slots[1] = a_first ? b : a;
  return presence__slot_of(list, PRESENCE__COLLISION);
}

bool presence__trie_insert(presence_heap *heap, struct presence__path *path, uint64_t hash,
                           presence__slot leaf) {
  unsigned depth = path->depth;
  if (!own(heap, path, depth)) return false;
  presence__slot *at = path->at[depth];
  presence__slot old = *at;
  switch (path->found) {
  case PRESENCE__EMPTY:
    *at = leaf;
    return true;
  case PRESENCE__HOLE:
    return presence__node_add(heap, at, presence__digit(hash, depth), leaf);
  case PRESENCE__BESIDE: {
    presence__slot wider = splice(heap, presence__object(old), path->index, 0, leaf);
    if (wider) put(heap, at, wider);
    return wider != 0;
  }
  default: {
    uint64_t old_hash = presence__leaf_hash(old, hash);
    presence__slot both = old_hash == hash ? collide(heap, old, leaf)
                                           : branch(heap, depth, old, old_hash, leaf, hash);
    if (both) *at = both;
    return both != 0;
  }
  }
}

bool presence__trie_replace(presence_heap *heap, struct presence__path *path, presence__slot leaf) {
  if (!own(heap, path, path->depth)) return false;
  presence__slot *at = path->at[path->depth];
  if (path->found == PRESENCE__INSIDE) {
    leaf = splice(heap, presence__object(*at), path->index, 1, leaf);
    if (!leaf) return false;
  }
  put(heap, at, leaf);
  return true;
}

static bool remove_inside(presence_heap *heap, struct presence__path *path) {
  if (!own(heap, path, path->depth)) return false;
  presence__slot *at = path->at[path->depth];
  const struct presence__list *list = presence__object(*at);
  presence__slot rest;
  if (list->count == 2)
    rest = presence__retain(list->slots[1 - path->index]);
  else
    rest = splice(heap, list, path->index, 1, 0);
  if (rest) put(heap, at, rest);
  return rest != 0;
}

bool presence__trie_remove(presence_heap *heap, struct presence__path *path, uint64_t hash) {
  if (path->found == PRESENCE__INSIDE) return remove_inside(heap, path);
  if (path->depth == 0) {
    put(heap, path->at[0], 0);
    return true;
  }
  unsigned parent = path->depth - 1;
  const struct presence__node *node = presence__object(*path->at[parent]);
  unsigned index = (unsigned)(path->at[parent + 1] - node->slots);
  if (presence__count(node->map) == 2 &&
      presence__tag_of(node->slots[1 - index]) != PRESENCE__NODE) {
    /* A leaf that stays alone moves up, past nodes that held only the way to it. */
    presence__slot alone = node->slots[1 - index];
    unsigned top = parent;
    while (top > 0) {
      node = presence__object(*path->at[top - 1]);
      if (presence__count(node->map) > 1) break;
      top--;
    }
    if (!own(heap, path, top)) return false;
    put(heap, path->at[top], presence__retain(alone));
    return true;
  }
  return own(heap, path, parent) &&
         presence__node_drop(heap, path->at[parent], presence__digit(hash, parent));
}
