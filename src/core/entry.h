/* Entries: the metas of one key. One is its record itself, a few are an array, many are two tries
   (core/many.h); which of them follows from the number alone.

   Edits work on a reference of the caller's own, *entry (0: no metas), and replace it. False: out
   of memory; *entry may then only be released. Records are retained. */
#ifndef PRESENCE_CORE_ENTRY_H
#define PRESENCE_CORE_ENTRY_H

#include "core/node.h"

/* What an edit changed. */
struct presence__tally {
  int64_t metas;
  int64_t bytes;
};

static inline uint32_t presence__entry_size(presence__slot entry) {
  if (presence__tag_of(entry) == PRESENCE__RECORD) return entry != 0;
  /* FEW and MANY have it at the same place. */
  return ((const struct presence__list *)presence__object(entry))->count;
}

/* An entry of some records, *new*, 0 when there are none; false: out of memory. */
bool presence__entry_build(presence_heap *heap, presence_meta *const *records, size_t count,
                           presence__slot *out);

bool presence__entry_add(presence_heap *heap, presence__slot *entry, presence_meta *record,
                         struct presence__tally *tally);

/* Removes every record of a pid. */
bool presence__entry_remove_pid(presence_heap *heap, presence__slot *entry,
                                const struct presence__name *pid, struct presence__tally *tally);

/* Removes one record that equals this one, if there is one. */
bool presence__entry_remove_equal(presence_heap *heap, presence__slot *entry,
                                  const presence_meta *record, struct presence__tally *tally);

/* Puts a record in the place of the newest of its pid, which is there. */
bool presence__entry_replace(presence_heap *heap, presence__slot *entry, presence_meta *record,
                             struct presence__tally *tally);

/* The newest record of a pid, *borrowed*, or NULL. */
presence_meta *presence__entry_find(presence__slot entry, const struct presence__name *pid);

/* The records of an entry that is not MANY; returns their number. */
unsigned presence__entry_list(presence__slot entry, presence_meta *out[PRESENCE__FEW_MAX]);

/* Equal as multisets. */
bool presence__entries_equal(presence_heap *heap, presence__slot a, presence__slot b);

static inline presence__slot presence__entry_slot(const presence_entry *entry) {
  return (presence__slot)entry;
}

static inline presence_entry *presence__entry_of(presence__slot slot) {
  return (presence_entry *)slot; // NOLINT(performance-no-int-to-ptr)
}

#endif
