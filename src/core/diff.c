/* Differences of states: walk both tries of topics side by side, and where a topic's object differs
   both tries of its keys. */
#include "core/edit.h"
#include "core/walk.h"

struct diff_walk {
  presence_heap *heap;
  bool in_topic;
  presence_string topic;
  struct presence__walk topics;
  struct presence__walk keys;
};

_Static_assert(sizeof(struct diff_walk) <= sizeof(presence_diff_iter), "fits into its iterator");

static void begin(struct diff_walk *walk, presence_heap *heap, const presence__slot *old,
                  const presence__slot *now) {
  walk->heap = heap;
  walk->in_topic = false;
  presence__walk_init(&walk->topics, old, now);
}

void presence_diff_iter_init(presence_diff_iter *iter, const presence_state *old,
                             const presence_state *now) {
  begin((struct diff_walk *)iter, old->heap, &old->root, &now->root);
}

static presence__slot topic_slot(const presence_state *state, presence_string name) {
  const presence_topic *topic = presence_find_topic(state, name);
  return topic ? presence__slot_of(topic, PRESENCE__TOPIC) : 0;
}

void presence_diff_iter_init_topic(presence_diff_iter *iter, const presence_state *old,
                                   const presence_state *now, presence_string topic) {
  presence__slot root_old = 0, root_now = 0;
  if (old->root != now->root) {
    root_old = topic_slot(old, topic);
    root_now = topic_slot(now, topic);
  }
  begin((struct diff_walk *)iter, old->heap, &root_old, &root_now);
}

/* Goes on to the next topic that is not the same object in both. */
static bool next_topic(struct diff_walk *walk) {
  presence__slot old, now;
  if (!presence__walk_next(&walk->topics, &old, &now)) return false;
  const struct presence_topic *topic_old = presence__object(old);
  const struct presence_topic *topic_now = presence__object(now);
  walk->topic = presence_topic_name(topic_now ? topic_now : topic_old);
  static const presence__slot nobody = 0;
  presence__walk_init(&walk->keys, topic_old ? &topic_old->root : &nobody,
                      topic_now ? &topic_now->root : &nobody);
  walk->in_topic = true;
  return true;
}

static inline presence_string key_of(presence__slot entry) {
  if (presence__tag_of(entry) == PRESENCE__RECORD) return presence__key(presence__object(entry));
  struct presence__name name = presence__leaf_name(entry);
  return (presence_string){name.bytes, name.size};
}

bool presence_diff_iter_next(presence_diff_iter *iter, presence_change *change) {
  struct diff_walk *walk = (struct diff_walk *)iter;
  presence__slot before, after;
  for (;;) {
    while (walk->in_topic && presence__walk_next(&walk->keys, &before, &after)) {
      if (before && after && presence__entries_equal(walk->heap, before, after)) continue;
      change->topic = walk->topic;
      change->key = key_of(after ? after : before);
      change->before = presence__entry_of(before);
      change->after = presence__entry_of(after);
      return true;
    }
    if (!next_topic(walk)) return false;
  }
}

bool presence_equal(const presence_state *a, const presence_state *b) {
  if (a == b || a->root == b->root) return true;
  if (a->topics != b->topics) return false;
  presence_diff_iter iter;
  presence_change change;
  presence_diff_iter_init(&iter, a, b);
  return !presence_diff_iter_next(&iter, &change);
}

/* ---- Differences as states ---- */

/* Adds what a has and b lacks to an editor. */
static enum presence_status add_difference(presence_heap *heap, presence_editor *editor,
                                           const presence_change *change, const presence_entry *a,
                                           const presence_entry *b) {
  presence_entry *entry = NULL;
  enum presence_status status = presence_entry_difference(heap, a, b, &entry);
  if (status != PRESENCE_OK || !entry) return status;
  status = presence_editor_join(editor, change->topic, change->key, entry);
  presence_entry_release(heap, entry);
  return status;
}

static enum presence_status collect(const presence_state *old, const presence_state *now,
                                    presence_editor *joins, presence_editor *leaves) {
  presence_heap *heap = old->heap;
  presence_diff_iter iter;
  presence_change change;
  enum presence_status status = PRESENCE_OK;
  presence_diff_iter_init(&iter, old, now);
  while (status == PRESENCE_OK && presence_diff_iter_next(&iter, &change)) {
    status = add_difference(heap, joins, &change, change.after, change.before);
    if (status == PRESENCE_OK)
      status = add_difference(heap, leaves, &change, change.before, change.after);
  }
  return status;
}

enum presence_status presence_diff(const presence_state *old, const presence_state *now,
                                   presence_state **joins, presence_state **leaves) {
  presence_state *empty = presence_state_new(old->heap);
  presence_editor *joined = empty ? presence_editor_open(empty) : NULL;
  presence_editor *left = joined ? presence_editor_open(empty) : NULL;
  presence_state_release(empty);
  enum presence_status status = PRESENCE_OUT_OF_MEMORY;
  if (left) status = collect(old, now, joined, left);
  if (status == PRESENCE_OK) {
    *joins = presence_editor_close(joined);
    *leaves = presence_editor_close(left);
  } else {
    presence_editor_discard(joined);
    presence_editor_discard(left);
  }
  return status;
}

/* Lets every entry of a state join an editor, or leave it. */
static enum presence_status apply(presence_editor *editor, const presence_state *state, bool join,
                                  bool *changed) {
  presence_topic_iter topics;
  presence_topic_iter_init(&topics, state);
  for (const presence_topic *topic; (topic = presence_topic_iter_next(&topics));) {
    presence_string name = presence_topic_name(topic), key;
    presence_entry_iter entries;
    presence_entry_iter_init(&entries, topic);
    for (const presence_entry *entry; (entry = presence_entry_iter_next(&entries, &key));) {
      enum presence_status status = join ? presence_editor_join(editor, name, key, entry)
                                         : presence_editor_leave(editor, name, key, entry, NULL);
      if (status == PRESENCE_OK)
        *changed = true;
      else if (status != PRESENCE_UNCHANGED)
        return status;
    }
  }
  return PRESENCE_OK;
}

enum presence_status presence_patch(const presence_state *state, const presence_state *joins,
                                    const presence_state *leaves, presence_state **out) {
  presence_editor *editor = presence_editor_open(state);
  if (!editor) return PRESENCE_OUT_OF_MEMORY;
  bool changed = false;
  enum presence_status status = apply(editor, leaves, false, &changed);
  if (status == PRESENCE_OK) status = apply(editor, joins, true, &changed);
  if (status != PRESENCE_OK) {
    presence_editor_discard(editor);
    return status;
  }
  *out = presence_editor_close(editor);
  return changed ? PRESENCE_OK : PRESENCE_UNCHANGED;
}
