#include "core/edit.h"

#include "core/suffix.h"
#include "text/json.h"
#include "text/utf8.h"

/* What every edit goes through is laid out in each: calls and the passing of structs would be a
   third of the cost. */
#define FAST inline __attribute__((always_inline))

enum presence_status presence__check_meta(presence_string meta) {
  if (meta.size > PRESENCE_MAX_META_BYTES) return PRESENCE_TOO_LARGE;
  struct presence__json json;
  if (presence__json_scan(meta.bytes, meta.size, PRESENCE__JSON_DEPTH_DEFAULT, &json))
    return PRESENCE_OK;
  return json.fault == PRESENCE__JSON_NOT_UTF8 ? PRESENCE_NOT_UTF8 : PRESENCE_BAD_JSON;
}

static enum presence_status check_name(presence_string name) {
  /* Short names of ASCII need no call. */
  if (name.size - 8 <= 8 &&
      ((presence__load8(name.bytes) | presence__load8(name.bytes + name.size - 8)) &
       0x8080808080808080u) == 0)
    return PRESENCE_OK;
  return presence__utf8_valid(name.bytes, name.size) ? PRESENCE_OK : PRESENCE_NOT_UTF8;
}

static FAST void find(struct presence__place *place, const struct presence__target *target,
                      presence_string topic, presence_string key) {
  presence__place_find(place, target->state, topic, key, target->memo ? *target->memo : NULL);
}

/* The same for an edit that may add: names that are there already have been checked. */
static FAST enum presence_status find_to_add(struct presence__place *place,
                                             const struct presence__target *target,
                                             presence_string topic, presence_string key) {
  if (topic.size > PRESENCE_MAX_NAME_BYTES || key.size > PRESENCE_MAX_NAME_BYTES)
    return PRESENCE_TOO_LARGE;
  find(place, target, topic, key);
  enum presence_status status = place->topic ? PRESENCE_OK : check_name(topic);
  return status == PRESENCE_OK && !place->entry ? check_name(key) : status;
}

/* Puts a new entry (*taken* in any case; 0: none) at a place. */
static enum presence_status commit(struct presence__target *target, struct presence__place *place,
                                   presence__slot entry, const struct presence__tally *tally) {
  presence_heap *heap = target->state->heap;
  presence_state *state = target->in_place;
  if (!state && (state = presence__state_copy(target->state))) presence__place_rebase(place, state);
  bool done = state && presence__place_put(state, place, entry, tally);
  if (done) {
    if (target->memo) *target->memo = place->topic;
    target->out = state;
  } else {
    presence__release(heap, entry);
    if (state && !target->in_place) presence__state_bury(state);
  }
  presence__heap_pay(heap);
  return done ? PRESENCE_OK : PRESENCE_OUT_OF_MEMORY;
}

/* Drops what an edit that ran out of memory left, or ends one that changed nothing. */
static enum presence_status give_up(presence_heap *heap, presence__slot entry,
                                    enum presence_status status) {
  presence__release(heap, entry);
  presence__heap_pay(heap);
  return status;
}

/* A reference of one's own to the entry of a place. */
static presence__slot own_entry(const struct presence__place *place) {
  return place->entry ? presence__retain(place->entry) : 0;
}

/* True when count more metas would be more than can be counted. */
static bool is_full(const struct presence__place *place, size_t count) {
  uint32_t metas = place->topic ? place->topic->metas : 0;
  return count > UINT32_MAX - metas;
}

/* The record that a track or update puts. */
static FAST enum presence_status
make_record(presence_heap *heap, const struct presence__place *place,
            const struct presence__want *want, const struct presence__name *pid,
            presence_string old_ref, presence_meta **out, size_t *size) {
  struct presence__suffix suffix;
  suffix.size = 0;
  if (want->is_runtime) presence__suffix_write(&suffix, want->meta, want->ref, old_ref);
  struct presence__parts parts = {
      place->key, place->key_hash, pid, want->meta, {suffix.bytes, suffix.size}};
  *out = presence__record_new(heap, &parts, size);
  return *out ? PRESENCE_OK : PRESENCE_OUT_OF_MEMORY;
}

/* What is wrong with meta and ref by themselves. */
static FAST enum presence_status check_content(const struct presence__want *want) {
  if (!want->is_runtime) return presence__check_meta(want->meta);
  return presence__suffix_check(want->meta, want->ref);
}

enum presence_status presence__edit_track(struct presence__target *target,
                                          const struct presence__want *want) {
  struct presence__place place;
  struct presence__pid pid;
  enum presence_status status = find_to_add(&place, target, want->topic, want->key);
  if (status == PRESENCE_OK) status = presence__pid_init(&pid, want->pid);
  if (status == PRESENCE_OK) status = check_content(want);
  if (status != PRESENCE_OK) return status;
  presence_heap *heap = target->state->heap;
  if (want->is_runtime && place.entry && presence__entry_find(place.entry, &pid.name))
    return PRESENCE_ALREADY_TRACKED;
  if (is_full(&place, 1)) return PRESENCE_TOO_LARGE;
  presence_meta *record;
  size_t size;
  status = make_record(heap, &place, want, &pid.name, (presence_string){NULL, 0}, &record, &size);
  if (status != PRESENCE_OK) return status;
  presence__slot slot = presence__slot_of(record, PRESENCE__RECORD);
  if (!place.entry) {
    struct presence__tally one = {1, (int64_t)size};
    return commit(target, &place, slot, &one);
  }
  struct presence__tally tally = {0, 0};
  presence__slot entry = own_entry(&place);
  bool done = presence__entry_add(heap, &entry, record, &tally);
  presence__release(heap, slot);
  if (!done) return give_up(heap, entry, PRESENCE_OUT_OF_MEMORY);
  return commit(target, &place, entry, &tally);
}

enum presence_status presence__edit_update(struct presence__target *target,
                                           const struct presence__want *want) {
  struct presence__pid pid;
  enum presence_status status = presence__pid_init(&pid, want->pid);
  if (status == PRESENCE_OK) status = check_content(want);
  if (status != PRESENCE_OK) return status;
  presence_heap *heap = target->state->heap;
  struct presence__place place;
  find(&place, target, want->topic, want->key);
  const presence_meta *old = place.entry ? presence__entry_find(place.entry, &pid.name) : NULL;
  if (!old) return PRESENCE_NO_PRESENCE;
  presence_string data = presence_meta_data(old);
  if (data.size == want->meta.size && memcmp(data.bytes, want->meta.bytes, data.size) == 0)
    return PRESENCE_UNCHANGED;
  presence_meta *record;
  size_t size;
  status = make_record(heap, &place, want, &pid.name, presence_meta_ref(old), &record, &size);
  if (status != PRESENCE_OK) return status;
  struct presence__tally tally = {0, 0};
  presence__slot entry = own_entry(&place);
  bool done = presence__entry_replace(heap, &entry, record, &tally);
  presence__release(heap, presence__slot_of(record, PRESENCE__RECORD));
  if (!done) return give_up(heap, entry, PRESENCE_OUT_OF_MEMORY);
  return commit(target, &place, entry, &tally);
}

enum presence_status presence__edit_take_over(struct presence__target *target,
                                              const struct presence__want *want,
                                              presence_pid old_pid) {
  struct presence__pid pid;
  struct presence__pid from;
  enum presence_status status = presence__pid_init(&pid, want->pid);
  if (status == PRESENCE_OK) status = presence__pid_init(&from, old_pid);
  if (status == PRESENCE_OK) status = check_content(want);
  if (status != PRESENCE_OK) return status;
  presence_heap *heap = target->state->heap;
  struct presence__place place;
  find(&place, target, want->topic, want->key);
  const presence_meta *old = place.entry ? presence__entry_find(place.entry, &from.name) : NULL;
  if (!old) return PRESENCE_NO_PRESENCE;
  if (presence__entry_find(place.entry, &pid.name)) return PRESENCE_ALREADY_TRACKED;
  presence_meta *record;
  size_t size;
  status = make_record(heap, &place, want, &pid.name, presence_meta_ref(old), &record, &size);
  if (status != PRESENCE_OK) return status;
  struct presence__tally tally = {0, 0};
  presence__slot entry = own_entry(&place);
  bool done = presence__entry_add(heap, &entry, record, &tally) &&
              presence__entry_remove_pid(heap, &entry, &from.name, &tally);
  presence__release(heap, presence__slot_of(record, PRESENCE__RECORD));
  if (!done) return give_up(heap, entry, PRESENCE_OUT_OF_MEMORY);
  return commit(target, &place, entry, &tally);
}

enum presence_status presence__edit_untrack(struct presence__target *target, presence_string topic,
                                            presence_string key, presence_pid pid,
                                            size_t *removed) {
  struct presence__pid own;
  *removed = 0;
  enum presence_status status = presence__pid_init(&own, pid);
  if (status != PRESENCE_OK) return status == PRESENCE_TOO_LARGE ? PRESENCE_UNCHANGED : status;
  presence_heap *heap = target->state->heap;
  struct presence__place place;
  find(&place, target, topic, key);
  if (!place.entry) return PRESENCE_UNCHANGED;
  struct presence__tally tally = {0, 0};
  if (presence__tag_of(place.entry) == PRESENCE__RECORD) {
    /* By far the most frequent. */
    const presence_meta *record = presence__object(place.entry);
    struct presence__name only = presence__record_pid(record);
    if (!presence__names_equal(&only, &own.name)) return PRESENCE_UNCHANGED;
    tally = (struct presence__tally){-1, -(int64_t)presence__record_size(record)};
    status = commit(target, &place, 0, &tally);
    if (status == PRESENCE_OK) *removed = 1;
    return status;
  }
  presence__slot entry = own_entry(&place);
  if (!presence__entry_remove_pid(heap, &entry, &own.name, &tally))
    return give_up(heap, entry, PRESENCE_OUT_OF_MEMORY);
  if (tally.metas == 0) return give_up(heap, entry, PRESENCE_UNCHANGED);
  status = commit(target, &place, entry, &tally);
  if (status == PRESENCE_OK) *removed = (size_t)-tally.metas;
  return status;
}

/* Appends one meta of an entry, as a record of this key. */
static bool join_one(presence_heap *heap, const struct presence__place *place,
                     presence__slot *entry, const presence_meta *meta,
                     struct presence__tally *tally) {
  presence_string own = presence__key(meta);
  presence_meta *record = (presence_meta *)meta;
  bool is_same_key = own.size == place->key.size &&
                     meta->hash == (uint32_t)(place->key_hash >> 32) &&
                     presence__bytes_equal(own.bytes, place->key.bytes, own.size);
  if (is_same_key) {
    presence__retain(presence__slot_of(record, PRESENCE__RECORD));
  } else {
    record = presence__record_rekey(heap, meta, place->key, place->key_hash);
    if (!record) return false;
  }
  bool done = presence__entry_add(heap, entry, record, tally);
  presence__release(heap, presence__slot_of(record, PRESENCE__RECORD));
  return done;
}

enum presence_status presence__edit_join(struct presence__target *target, presence_string topic,
                                         presence_string key, const presence_entry *entry) {
  struct presence__place place;
  enum presence_status status = find_to_add(&place, target, topic, key);
  if (status != PRESENCE_OK) return status;
  if (presence_entry_count(entry) == 0) return PRESENCE_UNCHANGED;
  presence_heap *heap = target->state->heap;
  if (is_full(&place, presence_entry_count(entry))) return PRESENCE_TOO_LARGE;
  struct presence__tally tally = {0, 0};
  presence__slot joined = own_entry(&place);
  presence_meta_iter iter;
  presence_meta_iter_init(&iter, entry);
  for (const presence_meta *meta; (meta = presence_meta_iter_next(&iter));)
    if (!join_one(heap, &place, &joined, meta, &tally))
      return give_up(heap, joined, PRESENCE_OUT_OF_MEMORY);
  return commit(target, &place, joined, &tally);
}

enum presence_status presence__edit_leave(struct presence__target *target, presence_string topic,
                                          presence_string key, const presence_entry *entry,
                                          size_t *removed) {
  *removed = 0;
  presence_heap *heap = target->state->heap;
  struct presence__place place;
  find(&place, target, topic, key);
  if (!place.entry) return PRESENCE_UNCHANGED;
  struct presence__tally tally = {0, 0};
  presence__slot rest = own_entry(&place);
  presence_meta_iter iter;
  presence_meta_iter_init(&iter, entry);
  for (const presence_meta *meta; rest && (meta = presence_meta_iter_next(&iter));)
    if (!presence__entry_remove_equal(heap, &rest, meta, &tally))
      return give_up(heap, rest, PRESENCE_OUT_OF_MEMORY);
  if (tally.metas == 0) return give_up(heap, rest, PRESENCE_UNCHANGED);
  enum presence_status status = commit(target, &place, rest, &tally);
  if (status == PRESENCE_OK) *removed = (size_t)-tally.metas;
  return status;
}
