/* Diff, patch, their JSON and the binary form, of states with and without refs. Laws, for any two
   states a and b:
     patch(a, diff(a, b)) == b, and the two sides of diff(b, a) are those of diff(a, b) swapped;
     diff_json is made of the list_json of both sides, and is JSON; nothing changed: no text;
     decode(encode(a)) == a;
     a call that runs out of memory leaves no trace. */
#include "core/hash.h"
#include "core_kit.h"
#include "fuzz_kit.h"
#include "text/json.h"

enum { topics = 3, keys = 12, pids = 14 };

struct world {
  struct input in;
  struct memory memory;
  presence_heap *heap;
  unsigned ref;
};

static presence_string topic_of(unsigned number) {
  static const char *const names[topics] = {"", "room:1", "r\xc3\xb6\xc3\xb6m \"2\"\n"};
  return str(names[number]);
}

static presence_string key_of(unsigned number) {
  static const char names[keys][12] = {"",          "a",   "b",  "\xf0\x9f\x98\x80",
                                       "__proto__", "c\\", "\"", "\x01\n",
                                       "phx_ref",   "d",   "e",  "\x7f"};
  presence_string name = str(names[number]);
  if (number == 9) name.size = 2; /* with a NUL */
  return name;
}

static presence_pid pid_of(unsigned number) {
  static const char digits[] = "0123456789";
  if (number == 0) return presence_pid_string(NULL, 0);
  if (number % 4 == 1) return presence_pid_string(digits + number % 10, 1);
  if (number % 4 == 2) return pid(((int64_t)1 << 53) * (number % 8 == 2 ? 1 : -1));
  return pid(number % 10);
}

static presence_string meta_of(unsigned number) {
  static const char *const metas[] = {"{}", "{\"a\":1}", "{\"a\":[1,{\"b\":null}]}",
                                      "{\"\":\"\\u0000\"}"};
  return str(metas[number % 4]);
}

static presence_string plain_meta_of(unsigned number) {
  static const char *const metas[] = {"1", "\"\\\"\"", "[]", " null "};
  return number % 3 ? meta_of(number) : str(metas[number / 3 % 4]);
}

/* One edit by an editor. */
static void edit(struct world *w, presence_editor *editor) {
  unsigned roll = input_byte(&w->in), who = input_byte(&w->in);
  presence_string topic = topic_of(roll / 8 % topics), key = key_of(who % keys);
  presence_pid own = pid_of(roll / 24 + who / keys / 8);
  char ref[16];
  int size = snprintf(ref, sizeof ref, "r%u", w->ref++);
  presence_string fresh = {ref, (size_t)size};
  enum presence_status status;
  switch (roll % 8) {
  case 0:
  case 1:
  case 2:
    status = presence_editor_track(editor, topic, key, own, plain_meta_of(who / keys));
    LAW(status == PRESENCE_OK);
    break;
  case 3:
  case 4:
    status = presence_editor_track_ref(editor, topic, key, own, meta_of(who / keys), fresh);
    LAW(status == PRESENCE_OK || status == PRESENCE_ALREADY_TRACKED);
    break;
  case 5:
    status = presence_editor_update_ref(editor, topic, key, own, meta_of(who / keys), fresh);
    LAW(status == PRESENCE_OK || status == PRESENCE_UNCHANGED || status == PRESENCE_NO_PRESENCE);
    break;
  case 6:
    status = presence_editor_update(editor, topic, key, own, plain_meta_of(who / keys));
    LAW(status == PRESENCE_OK || status == PRESENCE_UNCHANGED || status == PRESENCE_NO_PRESENCE);
    break;
  default:
    status = presence_editor_untrack(editor, topic, key, own, NULL);
    LAW(status == PRESENCE_OK || status == PRESENCE_UNCHANGED);
  }
}

static presence_state *edited(struct world *w, const presence_state *from, unsigned edits) {
  presence_editor *editor = presence_editor_open(from);
  LAW(editor != NULL);
  for (; edits > 0 && input_left(&w->in); edits--)
    edit(w, editor);
  presence_state *made = presence_editor_close(editor);
  LAW_NO_FAULT(presence__check(made, NULL));
  return made;
}

static void expect_list(struct text *all, const presence_state *side, presence_string topic,
                        enum presence_view view) {
  LAW(presence_list_json(side, topic, view, (presence_sink){text_write, all}) == PRESENCE_OK);
}

static void literal(struct text *all, const char *text) {
  LAW(text_write(all, text, strlen(text)));
}

static void check_topic_json(const presence_state *a, const presence_state *b,
                             const presence_state *joins, const presence_state *leaves,
                             presence_string topic, enum presence_view view) {
  struct text got, wanted;
  enum presence_status status = presence_diff_json(a, b, topic, view, text_sink(&got));
  bool changed = presence_find_topic(joins, topic) || presence_find_topic(leaves, topic);
  LAW(status == (changed ? PRESENCE_OK : PRESENCE_UNCHANGED));
  if (changed) {
    struct presence__json json;
    text_sink(&wanted);
    literal(&wanted, "{\"joins\":");
    expect_list(&wanted, joins, topic, view);
    literal(&wanted, ",\"leaves\":");
    expect_list(&wanted, leaves, topic, view);
    literal(&wanted, "}");
    LAW(same_bytes(got.bytes, got.size, wanted.bytes, wanted.size));
    LAW(presence__json_scan(got.bytes, got.size, 64, &json));
    free(wanted.bytes);
  }
  free(got.bytes);
}

static void check_diff(const presence_state *a, const presence_state *b) {
  presence_state *joins, *leaves, *swapped_joins, *swapped_leaves, *patched;
  LAW(presence_diff(a, b, &joins, &leaves) == PRESENCE_OK);
  LAW(presence_diff(b, a, &swapped_joins, &swapped_leaves) == PRESENCE_OK);
  LAW_NO_FAULT(presence__check(joins, NULL));
  LAW_NO_FAULT(presence__check(leaves, NULL));
  LAW(presence_equal(joins, swapped_leaves) && presence_equal(leaves, swapped_joins));
  presence_counts joined, left;
  presence_stats(joins, &joined);
  presence_stats(leaves, &left);
  bool same = joined.metas + left.metas == 0;
  LAW(presence_equal(a, b) == same && presence_equal(b, a) == same);
  enum presence_status status = presence_patch(a, joins, leaves, &patched);
  LAW(status == (same ? PRESENCE_UNCHANGED : PRESENCE_OK));
  LAW_NO_FAULT(presence__check(patched, NULL));
  LAW(presence_equal(patched, b) && presence_equal(b, patched));
  for (unsigned topic = 0; topic < topics; topic++) {
    check_topic_json(a, b, joins, leaves, topic_of(topic), PRESENCE_PLAIN);
    check_topic_json(a, b, joins, leaves, topic_of(topic), PRESENCE_WIRE);
  }
  presence_state_release(joins);
  presence_state_release(leaves);
  presence_state_release(swapped_joins);
  presence_state_release(swapped_leaves);
  presence_state_release(patched);
}

static void check_binary(struct world *w, const presence_state *a) {
  struct text form;
  presence_state *again;
  LAW(presence_encode(a, text_sink(&form)) == PRESENCE_OK);
  presence_string bytes = {form.bytes, form.size};
  LAW(presence_decode(w->heap, bytes, &again) == PRESENCE_OK);
  LAW_NO_FAULT(presence__check(again, NULL));
  LAW(presence_equal(a, again) && presence_equal(again, a));
  presence_state_release(again);
  free(form.bytes);
}

/* The same calls where memory runs out at some request, once or for good. */
static void check_failing(struct world *w, const presence_state *a, const presence_state *b) {
  presence_state *joins = NULL, *leaves = NULL, *patched = NULL;
  struct text got;
  w->memory.fail_at = w->memory.requests + 1 + input_byte(&w->in);
  w->memory.and_after = input_byte(&w->in) & 1;
  enum presence_status status = presence_diff(a, b, &joins, &leaves);
  if (status == PRESENCE_OK)
    status = presence_patch(a, joins, leaves, &patched);
  else
    LAW(joins == NULL && leaves == NULL);
  LAW(patched || status == PRESENCE_OUT_OF_MEMORY);
  bool equal = presence_equal(a, b);
  (void)presence_diff_json(a, b, topic_of(1), PRESENCE_WIRE, text_sink(&got));
  w->memory.fail_at = 0;
  LAW(equal == presence_equal(a, b));
  if (patched) LAW(presence_equal(patched, b));
  LAW_NO_FAULT(presence__check(a, NULL));
  LAW_NO_FAULT(presence__check(b, NULL));
  free(got.bytes);
  presence_state_release(joins);
  presence_state_release(leaves);
  presence_state_release(patched);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  static const uint64_t masks[] = {UINT64_MAX, 0, 7, 0x8000000000000001u};
  static const unsigned char seed[16] = {4, 5, 6};
  struct world w = {.in = {bytes, bytes + size}};
  unsigned roll = input_byte(&w.in);
  presence__hash_weaken(seed, masks[roll % 4]);
  w.heap = memory_heap(&w.memory, roll & 16);
  presence_state *empty = presence_state_new(w.heap);
  presence_state *a = edited(&w, empty, input_byte(&w.in));
  /* Of one history, or of none in common. */
  presence_state *b = edited(&w, roll & 4 ? empty : a, input_byte(&w.in));
  if (roll & 8) check_failing(&w, a, b);
  check_diff(a, b);
  check_diff(a, a);
  check_diff(empty, a);
  check_binary(&w, a);
  check_binary(&w, b);
  presence_state_release(empty);
  presence_state_release(a);
  presence_state_release(b);
  presence_heap_free(w.heap);
  LAW(w.memory.blocks_alive == 0);
  return 0;
}
