/* Parts of edits that are not worth a copy in each. */
#include "core/edit.h"

#include "text/json.h"

enum presence_status presence__check_meta(presence_string meta) {
  if (meta.size > PRESENCE_MAX_META_BYTES) return PRESENCE_TOO_LARGE;
  struct presence__json json;
  if (presence__json_scan(meta.bytes, meta.size, PRESENCE__JSON_DEPTH_DEFAULT, &json))
    return PRESENCE_OK;
  return json.fault == PRESENCE__JSON_NOT_UTF8 ? PRESENCE_NOT_UTF8 : PRESENCE_BAD_JSON;
}

bool presence__editor_part(presence_editor *editor) {
  presence_state *shared = editor->state, *copy = presence__state_copy(shared);
  if (!copy) return false;
  if (presence__refs_down_shared(&shared->refs)) presence__state_bury(shared);
  editor->state = copy;
  editor->memo = NULL;
  return true;
}

presence_meta *presence__make_record_of_long_key(presence_heap *heap, struct presence__place place,
                                                 struct presence__name pid, presence_string meta,
                                                 presence_string suffix, size_t *size) {
  const struct presence__parts parts = {place.key, place.key_hash, &pid, meta, suffix, place.entry};
  return presence__record_new(heap, &parts, size);
}
