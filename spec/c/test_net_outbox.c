/* Phoenix messages cut and encoded; messages shared by outboxes. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failing_allocator.h"
#include "net/outbox.h"
#include "net/phoenix.h"

static struct presence__json_span span(const char *text) {
  return (struct presence__json_span){text, text ? strlen(text) : 0};
}

static void span_is(struct presence__json_span s, const char *text) {
  assert_int_equal(s.size, strlen(text));
  assert_memory_equal(s.text, text, s.size);
}

static void cuts_a_message_in_five(void **state) {
  (void)state;
  static const struct {
    const char *text;
    const char *part[5];
  } cases[] = {
      {"[\"1\",\"2\",\"room:1\",\"shout\",{}]",
       {"\"1\"", "\"2\"", "\"room:1\"", "\"shout\"", "{}"}},
      {"[null,null,\"t\",\"e\",null]", {"", "", "\"t\"", "\"e\"", "null"}},
      {"[1,-2.5e3,\"t\",\"e\",[1,[2]]]", {"1", "-2.5e3", "\"t\"", "\"e\"", "[1,[2]]"}},
      {" [ null , \"2\" , \"t\\\"\" , \"\" , \"x\" ] ",
       {"", "\"2\"", "\"t\\\"\"", "\"\"", "\"x\""}},
      {"[null,null,\"t\",\"e\",{\"a\":1},6,[7],{\"8\":9}]",
       {"", "", "\"t\"", "\"e\"", "{\"a\":1}"}},
      {"[\"\",0,\"\\u0061\",\"e\",{\"a\":\"]\"}]",
       {"\"\"", "0", "\"\\u0061\"", "\"e\"", "{\"a\":\"]\"}"}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    size_t n = strlen(cases[i].text);
    struct presence__phoenix parts;
    assert_null(presence__v2_cut(cases[i].text, n, 8, &parts, NULL));
    span_is(parts.join_ref, cases[i].part[0]);
    span_is(parts.ref, cases[i].part[1]);
    span_is(parts.topic, cases[i].part[2]);
    span_is(parts.event, cases[i].part[3]);
    span_is(parts.payload, cases[i].part[4]);
    const char *end = strrchr(cases[i].text, ']');
    for (size_t shorter = 0; shorter <= (size_t)(end - cases[i].text); shorter++) {
      char *copy = malloc(shorter + 1);
      size_t offset;
      assert_non_null(copy);
      memcpy(copy, cases[i].text, shorter);
      assert_non_null(presence__v2_cut(copy, shorter, 8, &parts, &offset));
      assert_true(offset <= shorter);
      free(copy);
    }
  }
}

static void refuses_other_shapes(void **state) {
  (void)state;
  static const struct {
    const char *text;
    const char *reason;
  } cases[] = {
      {"", "not an array"},
      {"{}", "not an array"},
      {"null", "not an array"},
      {"\"[\"", "not an array"},
      {"[]", "unexpected character"},
      {"[1]", "fewer than five elements"},
      {"[null,null,\"t\",\"e\"]", "fewer than five elements"},
      {"[null,null,\"t\",\"e\",]", "unexpected character"},
      {"[null,null,\"t\",\"e\",{}", "unexpected end"},
      {"[null,null,\"t\",\"e\",{},]", "unexpected character"},
      {"[null,null,\"t\",\"e\",{}]x", "something follows the array"},
      {"[null,null,\"t\",\"e\",{}][]", "something follows the array"},
      {"[null,null,\"t\",\"e\" {}]", "a comma or the end is missing"},
      {"[null,null,\"t\",\"e\",{}}", "a comma or the end is missing"},
      {"[[],null,\"t\",\"e\",{}]", "join_ref is no string, number or null"},
      {"[true,null,\"t\",\"e\",{}]", "join_ref is no string, number or null"},
      {"[null,{},\"t\",\"e\",{}]", "ref is no string, number or null"},
      {"[null,null,1,\"e\",{}]", "topic is no string"},
      {"[null,null,null,\"e\",{}]", "topic is no string"},
      {"[null,null,\"t\",[\"e\"],{}]", "event is no string"},
      {"[null,null,\"t\",\"e\",{\"a\":nan}]", "unexpected character"},
      {"[null,null,\"t\",\"e\",{\"a\":\"\xFF\"}]", "not UTF-8"},
      {"[null,null,\"\xED\xA0\x80\",\"e\",{}]", "not UTF-8"},
      {"[null,null,\"t\",\"e\",[[[]]]]", "nested too deep"},
      {"[null,null,\"t\",\"e\",{},[[[]]]]", "nested too deep"},
      {"\xEF\xBB\xBF[null,null,\"t\",\"e\",{}]", "not an array"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct presence__phoenix parts;
    const char *reason = presence__v2_cut(cases[i].text, strlen(cases[i].text), 2, &parts, NULL);
    if (!reason || strcmp(reason, cases[i].reason) != 0)
      fail_msg("%s: %s", cases[i].text, reason ? reason : "accepted");
  }
}

static void encodes_what_it_cuts(void **state) {
  (void)state;
  static const struct {
    const char *join_ref, *ref, *topic, *event, *payload, *text;
  } cases[] = {
      {NULL, NULL, "room:1", "presence_diff", "{\"joins\":{},\"leaves\":{}}",
       "[null,null,\"room:1\",\"presence_diff\",{\"joins\":{},\"leaves\":{}}]"},
      {"\"1\"", "2", "", "", "null", "[\"1\",2,\"\",\"\",null]"},
      {"1", NULL, "a\"\\\n", "\xC3\xA9", "[]", "[1,null,\"a\\\"\\\\\\n\",\"\xC3\xA9\",[]]"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct presence__message *m =
        presence__v2_encode(NULL, span(cases[i].join_ref), span(cases[i].ref), span(cases[i].topic),
                            span(cases[i].event), span(cases[i].payload));
    assert_non_null(m);
    assert_int_equal(m->size, strlen(cases[i].text));
    assert_memory_equal(presence__message_payload(m), cases[i].text, m->size);
    assert_int_equal((unsigned char)presence__message_frame(m)[0], 0x81);
    assert_int_equal(presence__message_frame(m)[1], m->size);
    struct presence__phoenix parts;
    assert_null(presence__v2_cut(presence__message_payload(m), m->size, 8, &parts, NULL));
    span_is(parts.payload, cases[i].payload);
    presence__message_release(m);
  }
}

static void heads_fit_their_payload(void **state) {
  (void)state;
  static const size_t sizes[] = {0, 125, 126, 65535, 65536, 70000};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    struct presence__message *m = presence__message_new(NULL, PRESENCE__WS_OP_BINARY, sizes[i]);
    assert_non_null(m);
    const unsigned char *head = (const unsigned char *)presence__message_frame(m);
    memset(presence__message_payload(m), 'x', sizes[i]);
    assert_int_equal(head[0], 0x82);
    assert_int_equal(m->head_size, sizes[i] < 126 ? 2 : sizes[i] < 65536 ? 4 : 10);
    size_t length = head[1];
    if (m->head_size > 2) {
      assert_int_equal(length, m->head_size == 4 ? 126 : 127);
      length = 0;
      for (size_t k = 2; k < m->head_size; k++)
        length = length << 8 | head[k];
    }
    assert_int_equal(length, sizes[i]);
    assert_int_equal(presence__message_frame_size(m), sizes[i] + m->head_size);
    presence__message_release(m);
  }
  assert_null(presence__message_new(NULL, PRESENCE__WS_OP_TEXT, SIZE_MAX));
}

static struct presence__message *numbered(const struct presence__allocator *a, unsigned number) {
  struct presence__message *m = presence__message_new(a, PRESENCE__WS_OP_TEXT, 6);
  char text[16];
  if (m) {
    snprintf(text, sizeof text, "%06u", number % 1000000);
    memcpy(presence__message_payload(m), text, 6);
  }
  return m;
}

/* A queue at random against two counters; memory is given back as it gets shorter. */
static void keeps_order_and_gives_memory_back(void **state) {
  (void)state;
  struct failing f;
  struct presence__outbox o;
  unsigned in = 0, out = 0, seed = 3;
  failing_init(&f, 0);
  presence__outbox_init(&o, &f.allocator);
  for (int phase = 0; phase < 6; phase++) {
    for (int i = 0; i < 3000; i++) {
      seed = seed * 1103515245u + 12345u;
      bool adds = (seed >> 16) % 100 < (phase % 2 ? 20 : 80);
      if (adds) {
        struct presence__message *m = numbered(NULL, in++);
        assert_true(presence__outbox_add(&o, m));
        presence__message_release(m);
      } else if (o.count) {
        char text[16];
        snprintf(text, sizeof text, "%06u", out++);
        assert_memory_equal(presence__message_payload(presence__outbox_front(&o)), text, 6);
        presence__outbox_drop_front(&o);
      }
      assert_int_equal(o.count, in - out);
      assert_int_equal(o.frame_bytes, (in - out) * 8);
      assert_int_equal(o.payload_bytes, (in - out) * 6);
      assert_true(f.bytes_alive <= sizeof(void *) * (o.count * 8 + 8));
      char *frames = malloc(o.frame_bytes + 1);
      if (i % 500 == 0 && o.count) {
        char text[16];
        size_t written;
        assert_int_equal(presence__outbox_copy_frames(&o, 0, frames, o.frame_bytes - 1, &written),
                         o.count - 1);
        assert_int_equal(written, o.frame_bytes - 8);
        assert_int_equal(presence__outbox_copy_frames(&o, 0, frames, o.frame_bytes, &written),
                         o.count);
        assert_int_equal(written, o.frame_bytes);
        snprintf(text, sizeof text, "\x81\x06%06u", in - 1);
        assert_memory_equal(frames + o.frame_bytes - 8, text, 8);
      }
      free(frames);
    }
  }
  presence__outbox_clear(&o);
  assert_null(presence__outbox_front(&o));
  assert_int_equal(f.blocks_alive, 0);
}

static void every_failed_allocation_changes_nothing(void **state) {
  (void)state;
  for (long n = 1; n < 60; n++) {
    struct failing f;
    struct presence__outbox a, b;
    failing_init(&f, n);
    presence__outbox_init(&a, &f.allocator);
    presence__outbox_init(&b, &f.allocator);
    size_t in_a = 0;
    for (unsigned i = 0; i < 20; i++) {
      struct presence__message *m = numbered(&f.allocator, i);
      if (!m) continue;
      in_a += presence__outbox_add(&a, m);
      assert_int_equal(a.count, in_a);
      assert_int_equal(a.payload_bytes, in_a * 6);
      (void)presence__outbox_add(&b, m);
      presence__message_release(m);
    }
    unsigned last = 0;
    while (a.count) { /* still in order, whatever was left out */
      unsigned digits = 0;
      for (int i = 0; i < 6; i++)
        digits = digits * 10 +
                 (unsigned)(presence__message_payload(presence__outbox_front(&a))[i] - '0');
      assert_true(digits >= last);
      last = digits;
      presence__outbox_drop_front(&a);
    }
    presence__outbox_clear(&b);
    assert_int_equal(f.blocks_alive, 0);
    assert_int_equal(f.bytes_alive, 0);
  }
  struct failing f;
  failing_init(&f, 1);
  assert_null(
      presence__v2_encode(&f.allocator, span(NULL), span(NULL), span("t"), span("e"), span("{}")));
}

static void a_message_lives_as_long_as_somebody_holds_it(void **state) {
  (void)state;
  struct failing f;
  struct presence__outbox outboxes[10];
  failing_init(&f, 0);
  struct presence__message *m = numbered(&f.allocator, 7);
  for (int i = 0; i < 10; i++) {
    presence__outbox_init(&outboxes[i], NULL);
    assert_true(presence__outbox_add(&outboxes[i], m));
    assert_true(presence__outbox_add(&outboxes[i], m));
  }
  presence__message_release(m);
  assert_int_equal(f.blocks_alive, 1);
  for (int i = 0; i < 10; i++) {
    assert_int_equal(f.blocks_alive, 1);
    assert_memory_equal(presence__message_payload(presence__outbox_front(&outboxes[i])), "000007",
                        6);
    presence__outbox_drop_front(&outboxes[i]);
    presence__outbox_clear(&outboxes[i]);
  }
  assert_int_equal(f.blocks_alive, 0);
  presence__message_release(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cuts_a_message_in_five),
      cmocka_unit_test(refuses_other_shapes),
      cmocka_unit_test(encodes_what_it_cuts),
      cmocka_unit_test(heads_fit_their_payload),
      cmocka_unit_test(keeps_order_and_gives_memory_back),
      cmocka_unit_test(every_failed_allocation_changes_nothing),
      cmocka_unit_test(a_message_lives_as_long_as_somebody_holds_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
