/* JSON texts: the scanner against the second reader of json_reference.h, and on what both accept
   the walks, strings, cuts of members and of Phoenix messages. */
#include "fuzz_kit.h"
#include "json_reference.h"
#include "net/binary.h"
#include "net/phoenix.h"
#include "text/json.h"
#include "text/utf8.h"

/* ---- The scanner ---- */

static void check_scan(const char *text, size_t size, unsigned max_depth,
                       struct presence__json *json) {
  size_t fault_at;
  enum reference_verdict verdict = reference_judge(text, size, max_depth, &fault_at);
  bool accepted = presence__json_scan(text, size, max_depth, json);
  LAW(accepted == (verdict == REFERENCE_FINE));
  LAW((json->fault == PRESENCE__JSON_SYNTAX) == (verdict == REFERENCE_SYNTAX));
  LAW((json->fault == PRESENCE__JSON_NOT_UTF8) == (verdict == REFERENCE_NOT_UTF8));
  LAW((json->fault == PRESENCE__JSON_TOO_DEEP) == (verdict == REFERENCE_TOO_DEEP));
  if (!accepted) {
    LAW(json->fault_at == fault_at && json->reason && json->kind == PRESENCE__JSON_INVALID);
    return;
  }
  struct presence__json first;
  LAW(presence__json_scan_first(text, size, max_depth, &first));
  LAW(first.text == json->text && first.size == json->size && first.kind == json->kind);
  LAW(json->kind == presence__json_kind_of(json->text) && !json->reason);
}

static void check_first(const char *text, size_t size, unsigned max_depth) {
  struct reference r = reference_of(text, size, max_depth);
  struct presence__json json;
  bool found = reference_value(&r);
  LAW(presence__json_scan_first(text, size, max_depth, &json) == found);
  if (found) LAW(json.text + json.size == text + r.at);
}

/* ---- Strings ---- */

static void check_quote(const char *s, size_t size) {
  size_t quoted_size = presence__json_quote_size(s, size), decoded_size;
  char *quoted = malloc(quoted_size), *decoded = malloc(quoted_size);
  struct presence__json json;
  LAW(presence__json_quote(quoted, s, size) == quoted + quoted_size);
  LAW(presence__json_scan(quoted, quoted_size, 0, &json));
  LAW(json.kind == PRESENCE__JSON_STRING && json.size == quoted_size);
  LAW(presence__json_decode_string(quoted, quoted_size, decoded, &decoded_size));
  LAW(same_bytes(decoded, decoded_size, s, size));
  LAW(presence__json_string_is(quoted, quoted_size, s, size));
  LAW(size == 0 || !presence__json_string_is(quoted, quoted_size, s, size - 1));
  struct presence__buf b;
  presence__buf_init(&b, NULL);
  LAW(presence__json_quote_append(&b, s, size) && same_bytes(b.data, b.size, quoted, quoted_size));
  presence__buf_free(&b);
  free(quoted);
  free(decoded);
}

static void check_string(struct presence__json_span token) {
  char *exact = exact_copy(token.text, token.size), *decoded = malloc(token.size - 1);
  size_t size = 0;
  bool whole = presence__json_decode_string(exact, token.size, decoded, &size);
  if (whole) {
    LAW(size <= token.size - 2 && reference_utf8(decoded, size));
    LAW(presence__json_string_is(exact, token.size, decoded, size));
    check_quote(decoded, size);
  } else {
    LAW(!presence__json_string_is(exact, token.size, token.text + 1, token.size - 2));
  }
  free(exact);
  free(decoded);
}

/* ---- Walks ---- */

/* Writes a scanned value without white space, by walks. */
static void rewrite(struct presence__buf *b, struct presence__json_span value) {
  struct presence__json_walk walk;
  struct presence__json_span name, part;
  bool first = true;
  size_t fault_at;
  LAW(reference_judge(value.text, value.size, 1024, &fault_at) == REFERENCE_FINE);
  switch (presence__json_kind_of(value.text)) {
  case PRESENCE__JSON_OBJECT:
    presence__buf_push(b, '{');
    presence__json_walk_init(&walk, value.text, value.size);
    for (; presence__json_next_member(&walk, &name, &part); first = false) {
      if (!first) presence__buf_push(b, ',');
      check_string(name);
      presence__buf_append(b, name.text, name.size);
      presence__buf_push(b, ':');
      rewrite(b, part);
    }
    LAW(presence__json_is_empty(value.text, value.size) == first);
    presence__buf_push(b, '}');
    break;
  case PRESENCE__JSON_ARRAY:
    presence__buf_push(b, '[');
    presence__json_walk_init(&walk, value.text, value.size);
    for (; presence__json_next_element(&walk, &part); first = false) {
      if (!first) presence__buf_push(b, ',');
      rewrite(b, part);
    }
    LAW(presence__json_is_empty(value.text, value.size) == first);
    presence__buf_push(b, ']');
    break;
  case PRESENCE__JSON_STRING:
    check_string(value);
    presence__buf_append(b, value.text, value.size);
    break;
  default:
    presence__buf_append(b, value.text, value.size);
  }
}

/* The same, byte by byte: white space outside of strings is left out. */
static void strip(struct presence__buf *b, const char *text, size_t size) {
  bool in_string = false;
  for (size_t i = 0; i < size; i++) {
    if (!in_string && strchr(" \t\r\n", text[i]) && text[i]) continue;
    presence__buf_push(b, text[i]);
    if (in_string && text[i] == '\\')
      presence__buf_push(b, text[++i]);
    else if (text[i] == '"')
      in_string = !in_string;
  }
}

static void check_walk(const struct presence__json *json) {
  struct presence__buf by_walk, by_byte;
  presence__buf_init(&by_walk, NULL);
  presence__buf_init(&by_byte, NULL);
  rewrite(&by_walk, (struct presence__json_span){json->text, json->size});
  strip(&by_byte, json->text, json->size);
  LAW(same_bytes(by_walk.data, by_walk.size, by_byte.data, by_byte.size));
  presence__buf_free(&by_walk);
  presence__buf_free(&by_byte);
}

/* ---- Members cut ---- */

static const struct presence__json_span refs[] = {{"phx_ref", 7}, {"phx_ref_prev", 12}};

static bool is_ref(struct presence__json_span name) {
  for (size_t i = 0; i < 2; i++)
    if (presence__json_string_is(name.text, name.size, refs[i].text, refs[i].size)) return true;
  return false;
}

static void check_cut(const struct presence__json *json) {
  struct presence__buf out;
  struct presence__json_walk before, after;
  struct presence__json_span name, value, kept_name, kept_value;
  size_t wanted = 0;
  presence__buf_init(&out, NULL);
  size_t cut = presence__json_cut_members(json->text, json->size, refs, 2, &out);
  if (cut == 0) presence__buf_append(&out, json->text, json->size);
  struct presence__json again;
  LAW(presence__json_scan(out.data, out.size, 1024, &again));
  LAW(again.kind == PRESENCE__JSON_OBJECT);
  presence__json_walk_init(&before, json->text, json->size);
  presence__json_walk_init(&after, again.text, again.size);
  while (presence__json_next_member(&before, &name, &value)) {
    if (is_ref(name)) {
      wanted++;
      continue;
    }
    LAW(presence__json_next_member(&after, &kept_name, &kept_value));
    LAW(same_bytes(name.text, name.size, kept_name.text, kept_name.size));
    LAW(same_bytes(value.text, value.size, kept_value.text, kept_value.size));
  }
  LAW(!presence__json_next_member(&after, &kept_name, &kept_value));
  LAW(cut == wanted);
  LAW(presence__json_has_member(json->text, json->size, refs, 2) == (wanted > 0));
  presence__buf_free(&out);
}

/* ---- Phoenix messages ---- */

/* Whether a text that is JSON has the shape of a message, by walking it. */
static bool has_shape(const struct presence__json *json, struct presence__json_span part[5]) {
  struct presence__json_walk walk;
  struct presence__json_span element;
  size_t count = 0;
  if (json->kind != PRESENCE__JSON_ARRAY) return false;
  presence__json_walk_init(&walk, json->text, json->size);
  for (; presence__json_next_element(&walk, &element); count++) {
    enum presence__json_kind kind = presence__json_kind_of(element.text);
    bool string = kind == PRESENCE__JSON_STRING;
    if (count < 2 && !string && kind != PRESENCE__JSON_NUMBER && kind != PRESENCE__JSON_NULL)
      return false;
    if ((count == 2 || count == 3) && !string) return false;
    if (count < 5) part[count] = element;
  }
  return count >= 5;
}

static bool same_span(struct presence__json_span a, struct presence__json_span b) {
  return same_bytes(a.text, a.size, b.text, b.size);
}

static struct presence__json_span decoded(struct presence__json_span token, char *room) {
  struct presence__json_span out = {room, 0};
  if (!presence__json_decode_string(token.text, token.size, room, &out.size)) out.text = NULL;
  return out;
}

/* Written anew, a message is cut into the same parts. */
static void check_encode(const struct presence__phoenix *v2) {
  char *room = malloc(v2->topic.size), *other_room = malloc(v2->event.size);
  struct presence__json_span topic = decoded(v2->topic, room);
  struct presence__json_span event = decoded(v2->event, other_room);
  if (topic.text && event.text) {
    struct presence__message *m =
        presence__v2_encode(NULL, v2->join_ref, v2->ref, topic, event, v2->payload);
    struct presence__phoenix again;
    LAW(m != NULL);
    LAW(!presence__v2_cut(presence__message_payload(m), m->size, 1024, &again, NULL));
    LAW(same_span(again.join_ref, v2->join_ref) && same_span(again.ref, v2->ref));
    LAW(same_span(again.payload, v2->payload));
    LAW(presence__json_string_is(again.topic.text, again.topic.size, topic.text, topic.size));
    LAW(presence__json_string_is(again.event.text, again.event.size, event.text, event.size));
    presence__message_release(m);
  }
  free(room);
  free(other_room);
}

static void check_message(const char *text, size_t size, unsigned max_depth) {
  struct presence__phoenix v2;
  struct presence__json json;
  struct presence__json_span part[5];
  size_t offset = SIZE_MAX;
  /* The array itself is one level more than its payload. */
  bool wanted = presence__json_scan(text, size, max_depth + 1, &json) && has_shape(&json, part);
  const char *fault = presence__v2_cut(text, size, max_depth, &v2, &offset);
  LAW(!fault == wanted);
  LAW(offset <= size);
  if (fault) return;
  for (size_t i = 0; i < 2; i++)
    if (*part[i].text == 'n') part[i].size = 0;
  LAW(same_span(v2.join_ref, part[0]) && same_span(v2.ref, part[1]));
  LAW(same_span(v2.topic, part[2]) && same_span(v2.event, part[3]));
  LAW(same_span(v2.payload, part[4]));
  check_encode(&v2);
}

/* The member of that name that counts, or an empty span. */
static struct presence__json_span last_member(const struct presence__json *object,
                                              const char *wanted) {
  struct presence__json_walk walk;
  struct presence__json_span name, value, last = {NULL, 0};
  presence__json_walk_init(&walk, object->text, object->size);
  while (presence__json_next_member(&walk, &name, &value))
    if (presence__json_string_is(name.text, name.size, wanted, strlen(wanted))) last = value;
  return last;
}

static void check_v1(const char *text, size_t size, unsigned max_depth) {
  struct presence__phoenix v1, again;
  struct presence__json json;
  size_t offset = SIZE_MAX;
  const char *fault = presence__v1_cut(text, size, max_depth, &v1, &offset);
  LAW(fault || offset <= size);
  if (fault) return;
  LAW(presence__json_scan(text, size, max_depth + 1, &json));
  LAW(same_span(v1.topic, last_member(&json, "topic")));
  LAW(same_span(v1.event, last_member(&json, "event")));
  LAW(same_span(v1.payload, last_member(&json, "payload")));
  struct presence__message *m =
      presence__v1_encode(NULL, v1.ref, (struct presence__json_span){"t", 1},
                          (struct presence__json_span){"e", 1}, v1.payload);
  LAW(m != NULL);
  LAW(!presence__v1_cut(presence__message_payload(m), m->size, 1024, &again, NULL));
  LAW(same_span(again.ref, v1.ref) && same_span(again.payload, v1.payload));
  presence__message_release(m);
}

/* What is cut is written anew with the same bytes. */
static void check_binary(const char *bytes, size_t size) {
  for (int from_server = 0; from_server < 2; from_server++) {
    struct presence__binary parts;
    if (presence__binary_cut(bytes, size, from_server, &parts)) continue;
    struct presence__message *m = presence__binary_encode(NULL, &parts);
    LAW(m != NULL);
    LAW(same_bytes(presence__message_payload(m), m->size, bytes, size));
    presence__message_release(m);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  struct input in = {bytes, bytes + size};
  struct presence__json json;
  unsigned max_depth = input_byte(&in) % 70;
  size_t n = input_left(&in);
  char *text = exact_copy(in.at, n);
  bool utf8 = reference_utf8(text, n);
  LAW(presence__utf8_valid(text, n) == utf8);
  if (utf8) check_quote(text, n);
  check_scan(text, n, max_depth, &json);
  if (json.kind != PRESENCE__JSON_INVALID) check_walk(&json);
  if (json.kind == PRESENCE__JSON_OBJECT) check_cut(&json);
  check_first(text, n, max_depth);
  check_message(text, n, max_depth);
  check_v1(text, n, max_depth);
  check_binary(text, n);
  free(text);
  return 0;
}
