/* Walking, decoding, quoting and cutting of scanned JSON. */
#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "failing_allocator.h"
#include "text/json.h"
#include "text/utf8.h"

static void span_is(struct presence__json_span span, const char *text) {
  assert_int_equal(span.size, strlen(text));
  assert_memory_equal(span.text, text, span.size);
}

static void walks_members(void **state) {
  (void)state;
  static const char text[] =
      "{ \"a\" : 1 ,\"b\":[1,{\"x\":\"]}\"}],\"c\\\"\" :\"q,\\\\\", \"d\":{},"
      "\"e\":-1.5e3 }";
  struct presence__json_walk walk;
  struct presence__json_span name, value;
  static const char *const expected[][2] = {{"\"a\"", "1"},
                                            {"\"b\"", "[1,{\"x\":\"]}\"}]"},
                                            {"\"c\\\"\"", "\"q,\\\\\""},
                                            {"\"d\"", "{}"},
                                            {"\"e\"", "-1.5e3"}};
  presence__json_walk_init(&walk, text, sizeof text - 1);
  for (size_t i = 0; i < 5; i++) {
    assert_true(presence__json_next_member(&walk, &name, &value));
    span_is(name, expected[i][0]);
    span_is(value, expected[i][1]);
  }
  assert_false(presence__json_next_member(&walk, &name, &value));
  assert_false(presence__json_next_member(&walk, &name, &value));
}

static void walks_elements(void **state) {
  (void)state;
  static const char text[] = "[ null,[[]] , {\"a\":[1,2]},\"\xC3\xA9,\" ,1 ]";
  static const char *const expected[] = {"null", "[[]]", "{\"a\":[1,2]}", "\"\xC3\xA9,\"", "1"};
  struct presence__json_walk walk;
  struct presence__json_span value;
  presence__json_walk_init(&walk, text, sizeof text - 1);
  for (size_t i = 0; i < 5; i++) {
    assert_true(presence__json_next_element(&walk, &value));
    span_is(value, expected[i]);
  }
  assert_false(presence__json_next_element(&walk, &value));
  presence__json_walk_init(&walk, "[ ]", 3);
  assert_false(presence__json_next_element(&walk, &value));
  assert_true(presence__json_is_empty("{ }", 3));
  assert_true(presence__json_is_empty("[]", 2));
  assert_false(presence__json_is_empty("[0]", 3));
}

static void decodes_strings(void **state) {
  (void)state;
  static const struct {
    const char *token;
    const char *bytes; /* NULL: refused */
    size_t size;
  } cases[] = {
      {"\"\"", "", 0},
      {"\"abc\"", "abc", 3},
      {"\"\\u0041bc\"", "Abc", 3},
      {"\"a\\u0000b\"", "a\0b", 3},
      {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", 8},
      {"\"\\u00e9\\u00E9\"", "\xC3\xA9\xC3\xA9", 4},
      {"\"\\u20ac\"", "\xE2\x82\xAC", 3},
      {"\"\\uffff\"", "\xEF\xBF\xBF", 3},
      {"\"\\ud83d\\ude00!\"", "\xF0\x9F\x98\x80!", 5},
      {"\"\\uD800\\uDC00\"", "\xF0\x90\x80\x80", 4},
      {"\"\\uDBFF\\uDFFF\"", "\xF4\x8F\xBF\xBF", 4},
      {"\"\xC3\xA9\"", "\xC3\xA9", 2},
      {"\"\\ud800\"", NULL, 0},
      {"\"\\udc00\"", NULL, 0},
      {"\"\\ud800x\"", NULL, 0},
      {"\"\\ud800\\n\"", NULL, 0},
      {"\"\\ud800\\u0041\"", NULL, 0},
      {"\"\\ud800\\ud800\"", NULL, 0},
      {"\"\\udc00\\ud800\"", NULL, 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    size_t n = strlen(cases[i].token), size = 99;
    char *dst = malloc(n);
    assert_non_null(dst);
    bool ok = presence__json_decode_string(cases[i].token, n, dst, &size);
    assert_int_equal(ok, cases[i].bytes != NULL);
    if (ok) {
      assert_int_equal(size, cases[i].size);
      assert_memory_equal(dst, cases[i].bytes, size);
      assert_true(presence__json_string_is(cases[i].token, n, dst, size));
      assert_false(presence__json_string_is(cases[i].token, n, "other", 5));
      if (size > 0) {
        assert_false(presence__json_string_is(cases[i].token, n, dst, size - 1));
        dst[size - 1] ^= 1;
        assert_false(presence__json_string_is(cases[i].token, n, dst, size));
      }
    }
    free(dst);
  }
}

static void quotes_every_character_so_that_it_comes_back(void **state) {
  (void)state;
  for (uint32_t c = 0; c < 0x11000; c++) {
    char bytes[12] = "ab", quoted[64], back[64];
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    size_t n = 2 + presence__utf8_encode(bytes + 2, c), size;
    bytes[n++] = 'z';
    size_t expected = presence__json_quote_size(bytes, n);
    char *end = presence__json_quote(quoted, bytes, n);
    assert_int_equal(end - quoted, expected);
    struct presence__json found;
    assert_true(presence__json_scan(quoted, expected, 0, &found));
    assert_int_equal(found.kind, PRESENCE__JSON_STRING);
    assert_true(presence__json_decode_string(quoted, expected, back, &size));
    assert_int_equal(size, n);
    assert_memory_equal(back, bytes, n);
  }
}

static void quotes_in_the_shortest_common_form(void **state) {
  (void)state;
  static const struct {
    const char *bytes;
    size_t size;
    const char *quoted;
  } cases[] = {
      {"", 0, "\"\""},
      {"plain", 5, "\"plain\""},
      {"a\"b\\c/", 6, "\"a\\\"b\\\\c/\""},
      {"\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\""},
      {"\0\x01\x1f\x7f", 4, "\"\\u0000\\u0001\\u001f\x7f\""},
      {"\xC3\xA9\n\xE2\x82\xAC", 6, "\"\xC3\xA9\\n\xE2\x82\xAC\""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct presence__buf b;
    presence__buf_init(&b, NULL);
    assert_true(presence__json_quote_append(&b, cases[i].bytes, cases[i].size));
    assert_int_equal(b.size, strlen(cases[i].quoted));
    assert_memory_equal(b.data, cases[i].quoted, b.size);
    presence__buf_free(&b);
  }
}

static const struct presence__json_span refs[] = {{"phx_ref", 7}, {"phx_ref_prev", 12}};

static const struct {
  const char *object;
  size_t cut;
  const char *left; /* when something was cut */
} cuts[] = {
    {"{}", 0, ""},
    {"{ }", 0, ""},
    {"{\"a\":1}", 0, ""},
    {"{\"phx_reff\":1,\"phx_re\":2,\"xphx_ref\":3}", 0, ""},
    {"{\"a\":\"phx_ref\"}", 0, ""},
    {"{\"a\":{\"phx_ref\":1}}", 0, ""},
    {"{\"a\":[{\"phx_ref\":1}],\"\\n\":2}", 0, ""},
    {"{\"PHX_REF\":1}", 0, ""},
    {"{\"\\ud800\":1}", 0, ""},
    {"{\"phx_ref\":1}", 1, "{}"},
    {"{ \"phx_ref\" : 1 }", 1, "{}"},
    {"{\"phx_ref\":1,\"a\":2}", 1, "{\"a\":2}"},
    {"{\"a\":2,\"phx_ref\":1}", 1, "{\"a\":2}"},
    {"{\"a\":2,\"phx_ref\":1,\"b\":3}", 1, "{\"a\":2,\"b\":3}"},
    {"{\"phx_ref\":1,\"phx_ref\":2}", 2, "{}"},
    {"{\"phx_ref\":1,\"a\":0,\"phx_ref_prev\":2}", 2, "{\"a\":0}"},
    {"{\"a\":0,\"phx_ref\":1,\"phx_ref_prev\":2,\"b\":1}", 2, "{\"a\":0,\"b\":1}"},
    {"{\"a\":0,\"b\":1,\"phx_ref\":{\"x\":[1,2,\"}\"]},\"c\":2,\"d\":3}", 1,
     "{\"a\":0,\"b\":1,\"c\":2,\"d\":3}"},
    {"{\"phx\\u005fref\":1,\"a\":2}", 1, "{\"a\":2}"},
    {"{\"\\u0070hx_re\\u0066\":1}", 1, "{}"},
    {"{\"phx\\u005Fref\\u005Fprev\":\"\\\"}\",\"a\":\"\\\\\"}", 1, "{\"a\":\"\\\\\"}"},
    {"{ \"a\" : 1 , \"phx_ref\" : 2 , \"b\" : 3 }", 1, "{ \"a\" : 1 , \"b\" : 3 }"},
    {"{\"phx_ref\":null ,\"a\": {\"phx_ref\":1} }", 1, "{\"a\": {\"phx_ref\":1} }"},
    {"{\"a\":\"\\\"phx_ref\\\":1\",\"phx_ref\":0}", 1, "{\"a\":\"\\\"phx_ref\\\":1\"}"},
};

static void cuts_named_members(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
    struct presence__buf b;
    presence__buf_init(&b, NULL);
    size_t n = strlen(cuts[i].object);
    assert_int_equal(presence__json_has_member(cuts[i].object, n, refs, 2), cuts[i].cut > 0);
    assert_int_equal(presence__json_cut_members(cuts[i].object, n, refs, 2, &b), cuts[i].cut);
    assert_int_equal(b.size, strlen(cuts[i].left));
    if (b.size) {
      struct presence__json found;
      assert_memory_equal(b.data, cuts[i].left, b.size);
      assert_true(presence__json_scan(b.data, b.size, 64, &found));
      assert_int_equal(presence__json_cut_members(b.data, b.size, refs, 2, &b), 0);
    }
    presence__buf_free(&b);
  }
}

static void cutting_reports_that_memory_ran_out(void **state) {
  (void)state;
  static const char tail[] = "\",\"phx_ref\":1,\"b\":2}";
  static char object[400] = "{\"a\":\"";
  memset(object + 6, 'x', 300);
  memcpy(object + 306, tail, sizeof tail);
  for (long n = 1;; n++) {
    struct failing f;
    struct presence__buf b;
    failing_init(&f, n);
    presence__buf_init(&b, &f.allocator);
    assert_int_equal(presence__json_cut_members(object, strlen(object), refs, 2, &b), 1);
    bool failed = b.failed;
    presence__buf_free(&b);
    assert_int_equal(f.blocks_alive, 0);
    assert_int_equal(f.bytes_alive, 0);
    if (!failed) {
      assert_true(n > 2);
      break;
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(walks_members),
      cmocka_unit_test(walks_elements),
      cmocka_unit_test(decodes_strings),
      cmocka_unit_test(quotes_every_character_so_that_it_comes_back),
      cmocka_unit_test(quotes_in_the_shortest_common_form),
      cmocka_unit_test(cuts_named_members),
      cmocka_unit_test(cutting_reports_that_memory_ran_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
