/* Metas by themselves, pids, and words. */
#include "core/edit.h"
#include "core/record.h"

presence_string presence_string_of(const char *text) {
  return (presence_string){text, strlen(text)};
}

presence_pid presence_pid_integer(int64_t integer) {
  return (presence_pid){integer, NULL, 0};
}

presence_pid presence_pid_string(const char *bytes, size_t size) {
  return (presence_pid){0, bytes ? bytes : "", size};
}

enum presence_status presence_meta_new(presence_heap *heap, presence_pid pid, presence_string data,
                                       presence_meta **out) {
  struct presence__pid own;
  enum presence_status status = presence__pid_init(&own, pid);
  if (status == PRESENCE_OK) status = presence__check_meta(data);
  if (status != PRESENCE_OK) return status;
  struct presence__parts parts = {{NULL, 0}, 0, &own.name, data, {NULL, 0}, 0};
  size_t size;
  presence_meta *meta = presence__record_new(heap, &parts, &size);
  if (!meta) return PRESENCE_OUT_OF_MEMORY;
  *out = meta;
  return PRESENCE_OK;
}

presence_meta *presence_meta_retain(const presence_meta *meta) {
  presence_meta *shared = (presence_meta *)meta;
  presence__refs_up(&shared->refs);
  return shared;
}

void presence_meta_release(presence_heap *heap, const presence_meta *meta) {
  if (!meta) return;
  presence__heap_enter(heap);
  presence__release(heap, presence__slot_of(meta, PRESENCE__RECORD));
  presence__heap_settle(heap);
}

presence_pid presence_meta_pid(const presence_meta *meta) {
  struct presence__name pid = presence__record_pid(meta);
  int32_t narrow;
  int64_t wide;
  switch (pid.kind) {
  case PRESENCE__INT32:
    memcpy(&narrow, pid.bytes, sizeof narrow);
    return presence_pid_integer(narrow);
  case PRESENCE__INT64:
    memcpy(&wide, pid.bytes, sizeof wide);
    return presence_pid_integer(wide);
  default:
    return presence_pid_string(pid.bytes, pid.size);
  }
}

const char *presence_status_word(enum presence_status status) {
  static const char *const words[] = {
      [PRESENCE_OK] = "ok",
      [PRESENCE_UNCHANGED] = "unchanged",
      [PRESENCE_OUT_OF_MEMORY] = "out_of_memory",
      [PRESENCE_NOT_UTF8] = "not_utf8",
      [PRESENCE_BAD_JSON] = "bad_json",
      [PRESENCE_NOT_OBJECT] = "not_object",
      [PRESENCE_BAD_PID] = "bad_pid",
      [PRESENCE_BAD_REF] = "bad_ref",
      [PRESENCE_NO_PRESENCE] = "nopresence",
      [PRESENCE_ALREADY_TRACKED] = "already_tracked",
      [PRESENCE_TOO_LARGE] = "too_large",
      [PRESENCE_DAMAGED] = "damaged",
      [PRESENCE_WRITE_FAILED] = "write_failed",
  };
  unsigned index = (unsigned)status;
  return index < sizeof words / sizeof *words ? words[index] : "unknown";
}

const char *presence_version(void) {
  return "0.1.0";
}
