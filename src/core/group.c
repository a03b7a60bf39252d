/* All metas of an entry at once: joining, and leaving. */
#include "core/edit.h"

/* Appends one meta of an entry, as a record of this key. */
static bool join_one(presence_heap *heap, const struct presence__place *place,
                     presence__slot *entry, const presence_meta *meta,
                     struct presence__tally *tally) {
  presence_meta *record = (presence_meta *)meta;
  if (presence__record_is_of(meta, (uint32_t)(place->key_hash >> 32), place->key)) {
    presence__retain(presence__slot_of(record, PRESENCE__RECORD));
  } else {
    record = presence__record_rekey(heap, meta, place->key, place->key_hash, *entry);
    if (!record) return false;
  }
  bool done = presence__entry_add(heap, entry, record, tally);
  presence__release(heap, presence__slot_of(record, PRESENCE__RECORD));
  presence__heap_pay(heap);
  return done;
}

/* True when all metas of an entry are records of this key, so that it can stand there as it is;
   they are counted into *tally. */
static bool can_stand(const struct presence__place *place, const presence_entry *entry,
                      struct presence__tally *tally) {
  struct presence__tally sum = {0, 0};
  presence_meta_iter iter;
  presence_meta_iter_init(&iter, entry);
  for (const presence_meta *meta; (meta = presence_meta_iter_next(&iter));) {
    if (!presence__record_is_of(meta, (uint32_t)(place->key_hash >> 32), place->key)) return false;
    sum.metas++;
    sum.bytes += (int64_t)presence__record_size(meta);
  }
  *tally = sum;
  return true;
}

static enum presence_status join(struct presence__target *target, presence_string topic,
                                 presence_string key, const presence_entry *entry) {
  struct presence__paths paths;
  if (presence__are_too_large(topic, key)) return PRESENCE_TOO_LARGE;
  struct presence__place place = presence__find(target, topic, key, &paths);
  enum presence_status status = presence__check_names(&place);
  if (status != PRESENCE_OK) return status;
  if (presence_entry_count(entry) == 0) return PRESENCE_UNCHANGED;
  presence_heap *heap = target->state->heap;
  if (presence__is_full(&place, presence_entry_count(entry))) return PRESENCE_TOO_LARGE;
  struct presence__tally tally = {0, 0};
  if (!place.entry && can_stand(&place, entry, &tally))
    return presence__commit(target, &place, presence__retain(presence__entry_slot(entry)), tally);
  presence__slot joined = presence__own_entry(&place);
  presence_meta_iter iter;
  presence_meta_iter_init(&iter, entry);
  for (const presence_meta *meta; (meta = presence_meta_iter_next(&iter));)
    if (!join_one(heap, &place, &joined, meta, &tally))
      return presence__give_up(heap, joined, PRESENCE_OUT_OF_MEMORY);
  return presence__commit(target, &place, joined, tally);
}

static enum presence_status leave(struct presence__target *target, presence_string topic,
                                  presence_string key, const presence_entry *entry,
                                  size_t *removed) {
  *removed = 0;
  presence_heap *heap = target->state->heap;
  struct presence__paths paths;
  struct presence__place place = presence__find(target, topic, key, &paths);
  if (!place.entry) return PRESENCE_UNCHANGED;
  struct presence__tally tally = {0, 0};
  presence__slot rest = presence__own_entry(&place);
  presence_meta_iter iter;
  presence_meta_iter_init(&iter, entry);
  for (const presence_meta *meta; rest && (meta = presence_meta_iter_next(&iter));) {
    if (!presence__entry_remove_equal(heap, &rest, meta, &tally))
      return presence__give_up(heap, rest, PRESENCE_OUT_OF_MEMORY);
    presence__heap_pay(heap);
  }
  if (tally.metas == 0) return presence__give_up(heap, rest, PRESENCE_UNCHANGED);
  enum presence_status status = presence__commit(target, &place, rest, tally);
  if (status == PRESENCE_OK) *removed = (size_t)-tally.metas;
  return status;
}

enum presence_status presence_editor_join(presence_editor *editor, presence_string topic,
                                          presence_string key, const presence_entry *entry) {
  struct presence__target target;
  if (!presence__aim(editor, &target)) return PRESENCE_OUT_OF_MEMORY;
  return join(&target, topic, key, entry);
}

enum presence_status presence_editor_leave(presence_editor *editor, presence_string topic,
                                           presence_string key, const presence_entry *entry,
                                           size_t *removed) {
  size_t unwanted;
  struct presence__target target;
  if (!presence__aim(editor, &target)) return PRESENCE_OUT_OF_MEMORY;
  return leave(&target, topic, key, entry, removed ? removed : &unwanted);
}
