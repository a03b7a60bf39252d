/* Phoenix's V1 objects and V2 binary messages, cut and encoded. */
#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "failing_allocator.h"
#include "net/binary.h"
#include "net/phoenix.h"

static struct presence__json_span span(const char *text) {
  return (struct presence__json_span){text, text ? strlen(text) : 0};
}

static void span_is(struct presence__json_span s, const char *text) {
  assert_int_equal(s.size, strlen(text));
  if (s.size) assert_memory_equal(s.text, text, s.size);
}

/* In memory of exactly its size, so that a sanitizer sees what reads past it. */
static char *exact_copy(const char *bytes, size_t n) {
  char *copy = malloc(n ? n : 1);
  assert_non_null(copy);
  if (n) memcpy(copy, bytes, n);
  return copy;
}

static void cuts_a_v1_object(void **state) {
  (void)state;
  static const struct {
    const char *text;
    const char *part[5]; /* join_ref, ref, topic, event, payload */
  } cases[] = {
      {"{\"topic\":\"t\",\"event\":\"e\",\"payload\":{\"a\":[1]},\"ref\":\"2\"}",
       {"", "\"2\"", "\"t\"", "\"e\"", "{\"a\":[1]}"}},
      {" { \"ref\" : null , \"join_ref\" : \"1\" , \"payload\" : 7 , \"event\" : \"\" ,"
       " \"topic\" : \"t\\\"\" } ",
       {"\"1\"", "", "\"t\\\"\"", "\"\"", "7"}},
      {"{\"join_ref\":null,\"ref\":1.50,\"topic\":\"t\",\"event\":\"e\",\"payload\":null}",
       {"", "1.50", "\"t\"", "\"e\"", "null"}},
      {"{\"x\":[[]],\"topic\":\"t\",\"event\":\"e\",\"payload\":{},\"ref\":1,\"\":{}}",
       {"", "1", "\"t\"", "\"e\"", "{}"}},
      {"{\"t\\u006fpic\":\"t\",\"event\":\"e\",\"payload\":\"}\",\"ref\":1}",
       {"", "1", "\"t\"", "\"e\"", "\"}\""}},
      /* The last of two counts, and what the first one was does not matter. */
      {"{\"topic\":7,\"ref\":[],\"topic\":\"t\",\"event\":\"a\",\"event\":\"e\",\"payload\":1,"
       "\"ref\":1,\"payload\":2,\"t\\u006fpic\":\"u\"}",
       {"", "1", "\"u\"", "\"e\"", "2"}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct presence__phoenix parts;
    size_t n = strlen(cases[i].text);
    assert_null(presence__v1_cut(cases[i].text, n, 8, &parts, NULL));
    span_is(parts.join_ref, cases[i].part[0]);
    span_is(parts.ref, cases[i].part[1]);
    span_is(parts.topic, cases[i].part[2]);
    span_is(parts.event, cases[i].part[3]);
    span_is(parts.payload, cases[i].part[4]);
    size_t end = (size_t)(strrchr(cases[i].text, '}') - cases[i].text);
    for (size_t shorter = 0; shorter <= end; shorter++) {
      char *copy = exact_copy(cases[i].text, shorter);
      size_t offset;
      assert_non_null(presence__v1_cut(copy, shorter, 8, &parts, &offset));
      assert_true(offset <= shorter);
      free(copy);
    }
  }
}

static void refuses_other_v1_shapes(void **state) {
  (void)state;
#define REST "\"event\":\"e\",\"payload\":{},\"ref\":1"
  static const struct {
    const char *text;
    const char *reason;
  } cases[] = {
      {"", "unexpected end"},
      {"[]", "not an object"},
      {"[null,\"1\",\"t\",\"e\",{}]", "not an object"},
      {"\"topic\"", "not an object"},
      {"{}", "no ref"},
      {"{" REST "}", "no topic"},
      {"{\"topic\":\"t\",\"payload\":{},\"ref\":1}", "no event"},
      {"{\"topic\":\"t\",\"event\":\"e\",\"ref\":1}", "no payload"},
      {"{\"topic\":\"t\",\"event\":\"e\",\"payload\":{}}", "no ref"},
      {"{\"Topic\":\"t\"," REST "}", "no topic"},
      {"{\"topic\":null," REST "}", "topic is no string"},
      {"{\"topic\":\"t\"," REST ",\"event\":1}", "event is no string"},
      {"{\"topic\":\"t\"," REST ",\"ref\":{}}", "ref is no string, number or null"},
      {"{\"topic\":\"t\"," REST ",\"join_ref\":true}", "join_ref is no string, number or null"},
      {"{\"topic\":\"t\"," REST ",\"x\":\"\xFF\"}", "not UTF-8"},
      {"{\"topic\":\"t\"," REST ",\"x\":[[[]]]}", "nested too deep"},
      {"{\"topic\":\"t\"," REST "}{", "something follows the value"},
      {"{\"topic\":\"t\"," REST ",}", NULL},
      {"{\"topic\":\"t\"," REST, NULL},
  };
#undef REST
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct presence__phoenix parts;
    const char *reason = presence__v1_cut(cases[i].text, strlen(cases[i].text), 2, &parts, NULL);
    if (!reason || (cases[i].reason && strcmp(reason, cases[i].reason) != 0))
      fail_msg("%s: %s", cases[i].text, reason ? reason : "accepted");
  }
}

static void encodes_a_v1_object(void **state) {
  (void)state;
  static const struct {
    const char *ref, *topic, *event, *payload, *text;
  } cases[] = {
      {NULL, "t", "e", "{}", "{\"topic\":\"t\",\"event\":\"e\",\"ref\":null,\"payload\":{}}"},
      {"\"2\"", "a\"\n", "\xC3\xA9", "[1]",
       "{\"topic\":\"a\\\"\\n\",\"event\":\"\xC3\xA9\",\"ref\":\"2\",\"payload\":[1]}"},
  };
  struct failing f;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct presence__message *m =
        presence__v1_encode(NULL, span(cases[i].ref), span(cases[i].topic), span(cases[i].event),
                            span(cases[i].payload));
    struct presence__phoenix parts;
    assert_non_null(m);
    assert_int_equal(m->size, strlen(cases[i].text));
    assert_memory_equal(presence__message_payload(m), cases[i].text, m->size);
    assert_null(presence__v1_cut(presence__message_payload(m), m->size, 8, &parts, NULL));
    span_is(parts.payload, cases[i].payload);
    presence__message_release(m);
  }
  failing_init(&f, 1);
  assert_null(presence__v1_encode(&f.allocator, span(NULL), span("t"), span("e"), span("{}")));
}

static const struct {
  enum presence__binary_kind kind;
  const char *field[PRESENCE__BINARY_FIELDS]; /* NULL: the kind has none */
  const char *bytes;
  size_t size;
} binaries[] = {
    {PRESENCE__BINARY_CLIENT_PUSH,
     {"1", "23", "room", "e"},
     "\0\1\2\4\1"
     "123roome\0\xFF",
     15},
    {PRESENCE__BINARY_PUSH,
     {"1", NULL, "room", "e"},
     "\0\1\4\1"
     "1roome\0\xFF",
     12},
    {PRESENCE__BINARY_REPLY,
     {"1", "23", "room", "ok"},
     "\1\1\2\4\2"
     "123roomok\0\xFF",
     16},
    {PRESENCE__BINARY_BROADCAST, {NULL, NULL, "\xC3\xA9", ""}, "\2\2\0\xC3\xA9\0\xFF", 7},
};

static void cuts_and_encodes_binary_messages(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof binaries / sizeof *binaries; i++) {
    struct presence__binary parts;
    bool from_server = binaries[i].kind != PRESENCE__BINARY_CLIENT_PUSH;
    char *copy = exact_copy(binaries[i].bytes, binaries[i].size);
    assert_null(presence__binary_cut(copy, binaries[i].size, from_server, &parts));
    assert_int_equal(parts.kind, binaries[i].kind);
    for (size_t k = 0; k < PRESENCE__BINARY_FIELDS; k++)
      span_is(parts.field[k], binaries[i].field[k] ? binaries[i].field[k] : "");
    assert_int_equal(parts.data.size, 2);
    assert_memory_equal(parts.data.text, "\0\xFF", 2);

    struct presence__message *m = presence__binary_encode(NULL, &parts);
    assert_non_null(m);
    assert_int_equal(m->opcode, PRESENCE__WS_OP_BINARY);
    assert_int_equal(m->size, binaries[i].size);
    assert_memory_equal(presence__message_payload(m), copy, m->size);
    presence__message_release(m);
    struct failing f;
    failing_init(&f, 1);
    assert_null(presence__binary_encode(&f.allocator, &parts));

    /* Without its data it is whole, with less it is not. */
    size_t head = binaries[i].size - 2;
    assert_null(presence__binary_cut(copy, head, from_server, &parts));
    assert_int_equal(parts.data.size, 0);
    free(copy);
    for (size_t shorter = 0; shorter < head; shorter++) {
      copy = exact_copy(binaries[i].bytes, shorter);
      assert_non_null(presence__binary_cut(copy, shorter, from_server, &parts));
      free(copy);
    }
  }
}

static void binary_fields_hold_255_bytes(void **state) {
  (void)state;
  char name[PRESENCE__BINARY_FIELD_MAX];
  memset(name, 'n', sizeof name);
  struct presence__binary parts = {.kind = PRESENCE__BINARY_REPLY}, again;
  for (size_t i = 0; i < PRESENCE__BINARY_FIELDS; i++)
    parts.field[i] = (struct presence__json_span){name, sizeof name};
  struct presence__message *m = presence__binary_encode(NULL, &parts);
  assert_non_null(m);
  assert_int_equal(m->size, 5 + 4 * 255);
  assert_null(presence__binary_cut(presence__message_payload(m), m->size, true, &again));
  assert_int_equal(again.field[PRESENCE__BINARY_EVENT].size, 255);
  assert_int_equal(again.data.size, 0);
  presence__message_release(m);
}

static void refuses_other_binary_shapes(void **state) {
  (void)state;
  struct presence__binary parts;
  static const struct {
    const char *bytes;
    size_t size;
    bool from_server;
    const char *reason;
  } cases[] = {
      {"\1\0\0\0\0", 5, false, "unknown kind"},
      {"\2\0\0\0\0", 5, false, "unknown kind"},
      {"\3\0\0\0\0", 5, true, "unknown kind"},
      {"\xFF\0\0\0\0", 5, true, "unknown kind"},
      {"", 0, false, "empty"},
      {"\0\0\0\0\xFF", 5, false, "field cut short"},
      {"\0\0\0\1\0\xFF", 6, false, "not UTF-8"},
      {"\0\2\0\0\0\xED\xA0", 7, false, "not UTF-8"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const char *reason =
        presence__binary_cut(cases[i].bytes, cases[i].size, cases[i].from_server, &parts);
    assert_non_null(reason);
    assert_string_equal(reason, cases[i].reason);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cuts_a_v1_object),
      cmocka_unit_test(refuses_other_v1_shapes),
      cmocka_unit_test(encodes_a_v1_object),
      cmocka_unit_test(cuts_and_encodes_binary_messages),
      cmocka_unit_test(binary_fields_hold_255_bytes),
      cmocka_unit_test(refuses_other_binary_shapes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
