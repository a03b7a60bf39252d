/* Tagged pointers and reference counts.

   Everything but a state is reached through a slot: a pointer to an object aligned to 8 bytes whose
   low three bits say what it is. Slot 0 is empty. Every object begins with its count, so a slot can
   be retained without a look at its tag. */
#ifndef PRESENCE_CORE_SLOT_H
#define PRESENCE_CORE_SLOT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/refcount.h"

/* For what is laid out in its callers whatever the compiler thinks of it. */
#define PRESENCE__FAST static inline __attribute__((always_inline))

typedef uintptr_t presence__slot;

_Static_assert(sizeof(presence__slot) == 8, "layouts are drawn for 64 bits");

enum presence__tag {
  PRESENCE__RECORD = 0, /* one presence: leaf of a topic's keys, or member of an entry */
  PRESENCE__NODE,       /* inner node of a trie of hashes */
  PRESENCE__FEW,        /* entry of a few metas: an array */
  PRESENCE__MANY,       /* entry of many metas: a trie by pid and one by age */
  PRESENCE__TOPIC,      /* leaf of a state */
  PRESENCE__COLLISION,  /* leaves whose 64-bit hashes are equal */
  PRESENCE__ITEM,       /* one meta of MANY, with its age */
  PRESENCE__SEQ         /* node of a trie by age */
};

static inline enum presence__tag presence__tag_of(presence__slot slot) {
  return (enum presence__tag)(slot & 7);
}

static inline void *presence__object(presence__slot slot) {
  return (void *)(slot & ~(presence__slot)7); // NOLINT(performance-no-int-to-ptr)
}

static inline presence__slot presence__slot_of(const void *object, enum presence__tag tag) {
  return (presence__slot)object | (presence__slot)tag;
}

/* The count at the head of an object. */
static inline presence__refcount *presence__refs(presence__slot slot) {
  return presence__object(slot);
}

static inline presence__slot presence__retain(presence__slot slot) {
  presence__refs_up(presence__refs(slot));
  return slot;
}

/* Nobody else looks: it may be edited in place. */
static inline bool presence__is_unique(presence__slot slot) {
  return presence__refs_is_one(presence__refs(slot));
}

#endif
