/* Tries of hashes: topics by name, entries by key, items by pid. What differs between them is in
   the leaves; a leaf is anything that is no NODE. */
#ifndef PRESENCE_CORE_TRIE_H
#define PRESENCE_CORE_TRIE_H

#include <assert.h>

#include "core/node.h"

/* What is looked for. */
struct presence__probe {
  uint64_t hash;
  struct presence__name name;
};

static inline struct presence__probe presence__probe_of(const struct presence__name *name) {
  return (struct presence__probe){presence__name_hash(name), *name};
}

/* A topic's or key's, hashed on the spot. */
PRESENCE__FAST struct presence__probe presence__probe_inline(presence_string name) {
  return (struct presence__probe){presence__hash_inline(name.bytes, name.size),
                                  {name.bytes, name.size, PRESENCE__STRING}};
}

enum presence__found {
  PRESENCE__EMPTY,  /* the trie holds nothing */
  PRESENCE__HOLE,   /* at[depth] is a node without the digit */
  PRESENCE__OTHER,  /* at[depth] is a leaf of another name */
  PRESENCE__BESIDE, /* at[depth] is a collision of this very hash, without the name: index says
                       where it would go */
  PRESENCE__MATCH,  /* at[depth] is the leaf */
  PRESENCE__INSIDE  /* at[depth] is a collision, the leaf its slot at index */
};

/* The way down to a name: at[0] is the root's slot, at[i] a slot of the node in at[i - 1]. */
struct presence__path {
  enum presence__found found;
  unsigned depth;
  unsigned shared; /* the first i below depth whose node at[i] others hold; depth when none is. What
                      is below a shared node is as good as shared */
  uint32_t index;
  presence__slot *at[PRESENCE__LEVELS + 1];
};

/* A record of an entry, or of an item or items, *borrowed*. */
presence_meta *presence__first_record(presence__slot leaf);

/* The name of a leaf (of a collision: of its first). */
struct presence__name presence__leaf_name(presence__slot leaf);

/* The hash of a leaf; the low half is right only where the high half is other's, too. */
uint64_t presence__leaf_hash(presence__slot leaf, uint64_t other);

/* The high half of the hash of a leaf, which is at hand without hashing. */
uint32_t presence__leaf_hash_high(presence__slot leaf);

/* Its whole hash. */
uint64_t presence__leaf_whole_hash(presence__slot leaf);

/* Fills *path and returns the leaf of the name, *borrowed*, or 0. root is not changed. */
presence__slot presence__trie_locate(presence__slot *root, const struct presence__probe *probe,
                                     struct presence__path *path);

/* What a leaf is to a probe: PRESENCE__OTHER, or what a collision has it be (*index is set then).
 */
enum presence__found presence__trie_judge(presence__slot leaf, const struct presence__probe *probe,
                                          uint32_t *index);

/* The same as presence__trie_locate, laid out in its caller: the way down is a quarter of an edit
   in place. */
PRESENCE__FAST presence__slot presence__trie_locate_inline(presence__slot *root,
                                                           const struct presence__probe *probe,
                                                           struct presence__path *path) {
  uint64_t hash = probe->hash;
  presence__slot **at = path->at, **shared = NULL;
  presence__slot leaf = *root;
  path->found = PRESENCE__HOLE;
  *at = root;
  while (presence__is_node(leaf)) {
    struct presence__node *node = presence__node_of(leaf);
    uint32_t from = presence__map_from(node->map, (unsigned)(hash >> (64 - PRESENCE__BITS)));
    if (!presence__map_has(from)) goto located;
    if (!presence__refs_is_one(&node->refs) && !shared) shared = at;
    root = &node->slots[(size_t)presence__count(from) - 1];
    leaf = *root;
    hash <<= PRESENCE__BITS;
    *++at = root;
  }
  if (leaf && presence__tag_of(leaf) == PRESENCE__RECORD) {
    /* By far the most frequent. */
    const presence_meta *record = presence__object(leaf);
    const presence_string key = {probe->name.bytes, probe->name.size};
    path->found = presence__record_is_of(record, (uint32_t)(probe->hash >> 32), key)
                      ? PRESENCE__MATCH
                      : PRESENCE__OTHER;
  } else {
    path->found = leaf ? presence__trie_judge(leaf, probe, &path->index) : PRESENCE__EMPTY;
  }
located:
  path->depth = (unsigned)(at - path->at);
  path->shared = shared ? (unsigned)(shared - path->at) : path->depth;
  if (path->found == PRESENCE__MATCH) return leaf;
  if (path->found != PRESENCE__INSIDE) return 0;
  return ((struct presence__list *)presence__object(leaf))->slots[path->index];
}

/* The leaf of the name, *borrowed*, or 0. */
presence__slot presence__trie_find(presence__slot root, const struct presence__probe *probe);

/* The same where the leaf is known not to be a collision's member and of this hash: for inlining
   at hot places. Returns the only leaf that can match, or 0. */
static inline presence__slot presence__trie_candidate(presence__slot slot, uint64_t hash) {
  while (presence__is_node(slot)) {
    const struct presence__node *node = presence__node_of(slot);
    uint32_t from = presence__map_from(node->map, (unsigned)(hash >> (64 - PRESENCE__BITS)));
    if (!presence__map_has(from)) return 0;
    slot = node->slots[presence__count(from) - 1];
    hash <<= PRESENCE__BITS;
  }
  return slot;
}

/* Everything on the way is held by this trie alone, so the leaf found may be edited in place. */
bool presence__path_is_unique(const struct presence__path *path);

/* The trie has come to be held by others, too, or its root's slot has moved. */
static inline void presence__path_rebase(struct presence__path *path, presence__slot *root) {
  path->at[0] = root;
  path->shared = 0;
}

/* Edits behind a path that has just been located. They copy what is shared, edit in place what is
   not. False: out of memory, and the content is as it was; the path has to be located anew. */

/* Adds a leaf (*taken* on success) whose name was not found. */
bool presence__trie_insert(presence_heap *heap, struct presence__path *path, uint64_t hash,
                           presence__slot leaf);
/* The same, laid out in its caller for what is most frequent: all on the way is this trie's alone,
   and the leaf goes into a node's hole or beside a lone record. */
PRESENCE__FAST bool presence__trie_insert_inline(presence_heap *heap, struct presence__path *path,
                                                 uint64_t hash, presence__slot leaf) {
  unsigned level = path->depth;
  presence__slot *at = path->at[level], old = *at;
  if (path->shared < level) return presence__trie_insert(heap, path, hash, leaf);
  if (path->found == PRESENCE__HOLE && presence__is_unique(old))
    return presence__node_widen(heap, at, presence__digit(hash, level), leaf);
  if (path->found != PRESENCE__OTHER || presence__tag_of(old) != PRESENCE__RECORD ||
      level >= 32 / PRESENCE__BITS)
    return presence__trie_insert(heap, path, hash, leaf);
  const presence_meta *other = presence__object(old);
  unsigned digit = presence__digit(hash, level);
  unsigned old_digit = presence__digit((uint64_t)other->hash << 32, level);
  if (digit == old_digit) return presence__trie_insert(heap, path, hash, leaf);
  struct presence__node *node = presence__take(heap, presence__node_size(2));
  if (!node) return false;
  presence__refs_init(&node->refs);
  node->map = presence__map_of(digit) | presence__map_of(old_digit);
  bool is_first = digit > old_digit; /* slots lie in descending order of digits */
  node->slots[!is_first] = leaf;
  node->slots[is_first] = old;
  *at = presence__slot_of(node, PRESENCE__NODE);
  return true;
}

/* Puts a leaf of the same name (*taken* on success) in place of the one found. */
bool presence__trie_replace(presence_heap *heap, struct presence__path *path, presence__slot leaf);
/* Removes the leaf found. */
bool presence__trie_remove(presence_heap *heap, struct presence__path *path, uint64_t hash);

/* The same where the leaf found is a record of so many bytes, and not the only leaf; laid out for
   what is most frequent: all on the way is this trie's alone. */
PRESENCE__FAST bool presence__trie_remove_record(presence_heap *heap, struct presence__path *path,
                                                 uint64_t hash, size_t record_bytes) {
  assert(path->depth > 0);
  if (path->shared < path->depth) return presence__trie_remove(heap, path, hash);
  presence__slot *at = path->at[path->depth - 1];
  struct presence__node *node = presence__node_of(*at);
  unsigned index = (unsigned)(path->at[path->depth] - node->slots);
  presence_meta *record = presence__object(node->slots[index]);
  unsigned count = presence__count(node->map);
  assert(count > 1); /* a node of one slot holds a node */
  if (count > 2) {
    if (!presence__node_narrow(heap, at, presence__digit(hash, path->depth - 1))) return false;
  } else {
    presence__slot other = node->slots[index ^ 1];
    bool parent_is_wide =
        path->depth == 1 || presence__count(presence__node_of(*path->at[path->depth - 2])->map) > 1;
    if (presence__is_node(other) || !parent_is_wide) return presence__trie_remove(heap, path, hash);
    /* The leaf that stays alone moves up. */
    *at = other;
    presence__give(heap, node, presence__node_size(2));
  }
  if (presence__refs_down(&record->refs)) presence__record_give(heap, record, record_bytes);
  return true;
}

#endif
