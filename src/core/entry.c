#include "core/entry.h"

#include "core/many.h"
#include "core/seq.h"

unsigned presence__entry_list(presence__slot entry, presence_meta *out[PRESENCE__FEW_MAX]) {
  out[0] = presence__object(entry);
  if (presence__tag_of(entry) == PRESENCE__RECORD) return entry != 0;
  const struct presence__list *list = presence__object(entry);
  for (uint32_t i = 0; i < list->count; i++)
    out[i] = presence__object(list->slots[i]);
  return list->count;
}

/* ---- Making ---- */

static bool build_many(presence_heap *heap, presence_meta *const *records, size_t count,
                       presence__slot *out) {
  struct presence__many *many = presence__many_new(heap);
  if (!many) return false;
  for (size_t i = 0; i < count; i++) {
    if (presence__many_push(heap, many, records[i])) continue;
    presence__release(heap, presence__slot_of(many, PRESENCE__MANY));
    return false;
  }
  *out = presence__slot_of(many, PRESENCE__MANY);
  return true;
}

bool presence__entry_build(presence_heap *heap, presence_meta *const *records, size_t count,
                           presence__slot *out) {
  if (count > PRESENCE__FEW_MAX) return build_many(heap, records, count, out);
  if (count <= 1) {
    *out = count ? presence__retain(presence__slot_of(records[0], PRESENCE__RECORD)) : 0;
    return true;
  }
  struct presence__list *list = presence__list_new(heap, (uint32_t)count);
  if (!list) return false;
  for (size_t i = 0; i < count; i++)
    list->slots[i] = presence__retain(presence__slot_of(records[i], PRESENCE__RECORD));
  *out = presence__slot_of(list, PRESENCE__FEW);
  return true;
}

/* Puts an entry of other records in the place of *entry. */
static bool rebuild(presence_heap *heap, presence__slot *entry, presence_meta *const *records,
                    unsigned count) {
  presence__slot made;
  if (!presence__entry_build(heap, records, count, &made)) return false;
  presence__release(heap, *entry);
  *entry = made;
  return true;
}

/* A MANY that has become few is an array again. */
static bool narrow(presence_heap *heap, presence__slot *entry) {
  const struct presence__many *many = presence__object(*entry);
  if (many->count > PRESENCE__FEW_MAX) return true;
  presence_meta *records[PRESENCE__FEW_MAX];
  for (uint32_t i = 0; i < many->count; i++)
    records[i] = presence__item_record(presence__seq_at(many->by_age, i));
  return rebuild(heap, entry, records, many->count);
}

/* ---- Editing ---- */

static void count_in(struct presence__tally *tally, const presence_meta *record) {
  tally->metas++;
  tally->bytes += (int64_t)presence__record_size(record);
}

static void count_out(struct presence__tally *tally, const presence_meta *record) {
  tally->metas--;
  tally->bytes -= (int64_t)presence__record_size(record);
}

bool presence__entry_add(presence_heap *heap, presence__slot *entry, presence_meta *record,
                         struct presence__tally *tally) {
  count_in(tally, record);
  if (presence__tag_of(*entry) == PRESENCE__MANY) {
    struct presence__many *many = presence__many_own(heap, entry);
    return many && presence__many_push(heap, many, record);
  }
  presence_meta *records[PRESENCE__FEW_MAX + 1];
  unsigned count = presence__entry_list(*entry, records);
  records[count++] = record;
  return rebuild(heap, entry, records, count);
}

static bool many_remove_pid(presence_heap *heap, presence__slot *entry,
                            const struct presence__name *pid, struct presence__tally *tally) {
  const struct presence__item *item = presence__many_find(presence__object(*entry), pid);
  if (!item) return true;
  struct presence__many *many = presence__many_own(heap, entry);
  if (!many) return false;
  while (item && many->count > 1) {
    count_out(tally, presence__item_record(item));
    if (!presence__many_remove(heap, many, item)) return false;
    item = presence__many_find(many, pid);
  }
  if (!item) return narrow(heap, entry);
  /* They were all of this pid. */
  count_out(tally, presence__item_record(item));
  presence__release(heap, *entry);
  *entry = 0;
  return true;
}

bool presence__entry_remove_pid(presence_heap *heap, presence__slot *entry,
                                const struct presence__name *pid, struct presence__tally *tally) {
  if (presence__tag_of(*entry) == PRESENCE__MANY) return many_remove_pid(heap, entry, pid, tally);
  presence_meta *records[PRESENCE__FEW_MAX];
  unsigned count = presence__entry_list(*entry, records), kept = 0;
  for (unsigned i = 0; i < count; i++) {
    struct presence__name other = presence__record_pid(records[i]);
    if (presence__names_equal(&other, pid))
      count_out(tally, records[i]);
    else
      records[kept++] = records[i];
  }
  return kept == count || rebuild(heap, entry, records, kept);
}

bool presence__entry_remove_equal(presence_heap *heap, presence__slot *entry,
                                  const presence_meta *record, struct presence__tally *tally) {
  if (presence__tag_of(*entry) == PRESENCE__MANY) {
    const struct presence__item *item = presence__many_find_equal(presence__object(*entry), record);
    if (!item) return true;
    count_out(tally, presence__item_record(item));
    struct presence__many *many = presence__many_own(heap, entry);
    return many && presence__many_remove(heap, many, item) && narrow(heap, entry);
  }
  presence_meta *records[PRESENCE__FEW_MAX];
  unsigned count = presence__entry_list(*entry, records), at = 0;
  while (at < count && !presence__records_equal(records[at], record))
    at++;
  if (at == count) return true;
  count_out(tally, records[at]);
  for (count--; at < count; at++)
    records[at] = records[at + 1];
  return rebuild(heap, entry, records, count);
}

/* Index of the newest record of a pid; count when there is none. */
static unsigned newest_of(presence_meta *const *records, unsigned count,
                          const struct presence__name *pid) {
  for (unsigned i = count; i > 0; i--) {
    struct presence__name other = presence__record_pid(records[i - 1]);
    if (presence__names_equal(&other, pid)) return i - 1;
  }
  return count;
}

bool presence__entry_replace(presence_heap *heap, presence__slot *entry, presence_meta *record,
                             struct presence__tally *tally) {
  struct presence__name pid = presence__record_pid(record);
  count_in(tally, record);
  if (presence__tag_of(*entry) == PRESENCE__MANY) {
    const struct presence__item *item = presence__many_find(presence__object(*entry), &pid);
    count_out(tally, presence__item_record(item));
    struct presence__many *many = presence__many_own(heap, entry);
    return many && presence__many_replace(heap, many, item, record);
  }
  presence_meta *records[PRESENCE__FEW_MAX];
  unsigned count = presence__entry_list(*entry, records);
  unsigned at = newest_of(records, count, &pid);
  count_out(tally, records[at]);
  records[at] = record;
  return rebuild(heap, entry, records, count);
}

presence_meta *presence__entry_find(presence__slot entry, const struct presence__name *pid) {
  if (presence__tag_of(entry) == PRESENCE__MANY) {
    const struct presence__item *item = presence__many_find(presence__object(entry), pid);
    return item ? presence__item_record(item) : NULL;
  }
  presence_meta *records[PRESENCE__FEW_MAX];
  unsigned count = presence__entry_list(entry, records);
  unsigned at = newest_of(records, count, pid);
  return at < count ? records[at] : NULL;
}

/* ---- Public ---- */

enum presence_status presence_entry_new(presence_heap *heap, const presence_meta *const *metas,
                                        size_t count, presence_entry **out) {
  if (count > UINT32_MAX) return PRESENCE_TOO_LARGE;
  presence__slot entry;
  if (count == 0) {
    struct presence__list *list = presence__list_new(heap, 0);
    if (!list) return PRESENCE_OUT_OF_MEMORY;
    entry = presence__slot_of(list, PRESENCE__FEW);
  } else if (!presence__entry_build(heap, (presence_meta *const *)metas, count, &entry)) {
    presence__heap_pay(heap);
    return PRESENCE_OUT_OF_MEMORY;
  }
  *out = presence__entry_of(entry);
  return PRESENCE_OK;
}

presence_entry *presence_entry_retain(const presence_entry *entry) {
  return presence__entry_of(presence__retain(presence__entry_slot(entry)));
}

void presence_entry_release(presence_heap *heap, const presence_entry *entry) {
  if (!entry) return;
  presence__heap_enter(heap);
  presence__release(heap, presence__entry_slot(entry));
  presence__heap_settle(heap);
}

size_t presence_entry_count(const presence_entry *entry) {
  return presence__entry_size(presence__entry_slot(entry));
}

const presence_meta *presence_entry_at(const presence_entry *entry, size_t index) {
  presence__slot slot = presence__entry_slot(entry);
  if (index >= presence__entry_size(slot)) return NULL;
  switch (presence__tag_of(slot)) {
  case PRESENCE__RECORD:
    return presence__object(slot);
  case PRESENCE__FEW:
    return presence__object(((const struct presence__list *)presence__object(slot))->slots[index]);
  default: {
    const struct presence__many *many = presence__object(slot);
    return presence__item_record(presence__seq_at(many->by_age, index));
  }
  }
}

const presence_meta *presence_entry_find(const presence_entry *entry, presence_pid pid) {
  struct presence__pid own;
  if (!entry || presence__pid_init(&own, pid) != PRESENCE_OK) return NULL;
  return presence__entry_find(presence__entry_slot(entry), &own.name);
}

void presence_meta_iter_init(presence_meta_iter *iter, const presence_entry *entry) {
  iter->opaque[0] = presence__entry_slot(entry);
  iter->opaque[1] = 0;
}

/* The second word is the index of the next meta, or in MANY the least age it may have. */
const presence_meta *presence_meta_iter_next(presence_meta_iter *iter) {
  presence__slot slot = iter->opaque[0];
  if (presence__tag_of(slot) != PRESENCE__MANY)
    return presence_entry_at(presence__entry_of(slot), iter->opaque[1]++);
  const struct presence__many *many = presence__object(slot);
  const struct presence__item *item = presence__seq_from(many->by_age, iter->opaque[1]);
  if (!item) return NULL;
  iter->opaque[1] = (uintptr_t)item->age + 1;
  return presence__item_record(item);
}
