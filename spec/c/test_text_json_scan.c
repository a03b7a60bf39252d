/* The JSON scanner: what RFC 8259 allows, what it does not, and where the line runs. */
#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "text/json.h"

#define T(s)                                                                                       \
  { s, sizeof(s) - 1 }

struct text {
  const char *bytes;
  size_t size;
};

static const struct text accepted[] = {
    T("{}"),
    T("[]"),
    T("\"\""),
    T("0"),
    T("-0"),
    T("1"),
    T("-1"),
    T("10"),
    T("123456789012345678901234567890"),
    T("0.0"),
    T("-0.0"),
    T("1.5"),
    T("0.000000000000000000000000001"),
    T("1e5"),
    T("1E5"),
    T("1e+5"),
    T("1E-5"),
    T("0e0"),
    T("0E+0"),
    T("-0e-0"),
    T("1.25e400"),
    T("1e00001"),
    T("true"),
    T("false"),
    T("null"),
    T(" true"),
    T("true "),
    T("\t\n\r true\r\n\t "),
    T(" {} "),
    T("[ ]"),
    T("{ }"),
    T("{\n}"),
    T("[\t\r\n ]"),
    T("[1]"),
    T("[1,2]"),
    T("[ 1 , 2 ]"),
    T("[1\n,\n2]"),
    T("[[]]"),
    T("[[],[]]"),
    T("[{},{}]"),
    T("[[[[[[]]]]]]"),
    T("[null,true,false,0,\"\",[],{}]"),
    T("{\"a\":1}"),
    T("{\"a\":1,\"b\":2}"),
    T("{ \"a\" : 1 , \"b\" : 2 }"),
    T("{\"a\"\n:\n1}"),
    T("{\"\":0}"),
    T("{\"a\":1,\"a\":2}"),
    T("{\"a\":{\"b\":{\"c\":[1,{\"d\":null}]}}}"),
    T("{\"a\":[]}"),
    T("{\"a\":{}}"),
    T("\"a\""),
    T("\"abcdefg\""),
    T("\"abcdefgh\""),
    T("\"abcdefghijklmnopqrstuvwxyz0123456789\""),
    T("\" \""),
    T("\"\x7f\""),
    T("\"\\\"\""),
    T("\"\\\\\""),
    T("\"\\/\""),
    T("\"\\b\\f\\n\\r\\t\""),
    T("\"\\u0000\""),
    T("\"\\u0041\""),
    T("\"\\uABCD\""),
    T("\"\\uabcd\""),
    T("\"\\uFFFF\""),
    T("\"\\ud83d\\ude00\""),
    T("\"\\ud800\""),
    T("\"\\udc00\""),
    T("\"\\udc00\\ud800\""),
    T("\"\\ud800x\""),
    T("\"\\u2028\""),
    T("\"\xC3\xA9\""),
    T("\"\xC2\x80\""),
    T("\"\xE2\x82\xAC\""),
    T("\"\xE2\x80\xA8\""),
    T("\"\xED\x9F\xBF\""),
    T("\"\xEE\x80\x80\""),
    T("\"\xEF\xBF\xBF\""),
    T("\"\xEF\xBB\xBF\""),
    T("\"\xF0\x9F\x98\x80\""),
    T("\"\xF4\x8F\xBF\xBF\""),
    T("\"abcdef\xF0\x9F\x98\x80xyz\""),
    T("{\"\xC3\xA9\":\"\xC3\xA9\"}"),
    T("{\"__proto__\":{}}"),
    T("{\"\\u0061\":1}"),
    T("[1e1,1.0,-1]"),
    T("\"[\""),
    T("\"{\\\"\""),
    T("\"/*no comment*/\""),
};

static const struct text refused[] = {
    T(""),
    T(" "),
    T("\n\t\r "),
    T("\0"),
    T("{"),
    T("["),
    T("}"),
    T("]"),
    T("\""),
    T("\"a"),
    T("\"abcdefghijklmnop"),
    T("'a'"),
    T("[}"),
    T("{]"),
    T("[1}"),
    T("{\"a\":1]"),
    T("[[]"),
    T("[]]"),
    T("{}}"),
    T("[1"),
    T("[1,"),
    T("[,"),
    T("[,]"),
    T("[,1]"),
    T("[1,]"),
    T("[1,,2]"),
    T("[1 2]"),
    T("[1;2]"),
    T("[\"a\" \"b\"]"),
    T("{,}"),
    T("{1:2}"),
    T("{a:1}"),
    T("{'a':1}"),
    T("{null:1}"),
    T("{\"a\"}"),
    T("{\"a\":}"),
    T("{\"a\":,}"),
    T("{\"a\" 1}"),
    T("{\"a\"::1}"),
    T("{\"a\":1,}"),
    T("{\"a\":1,,\"b\":2}"),
    T("{\"a\":1 \"b\":2}"),
    T("{\"a\":1"),
    T("{\"a\":"),
    T("{\"a\""),
    T("{\"a"),
    T("{\"a\",\"b\"}"),
    T("{[]:1}"),
    T("[\"a\":1]"),
    T("{} {}"),
    T("1 2"),
    T("nulltrue"),
    T("\"a\"\"b\""),
    T("[],"),
    T("tru"),
    T("t"),
    T("True"),
    T("TRUE"),
    T("truE"),
    T("truex"),
    T("fals"),
    T("nul"),
    T("nulL"),
    T("nil"),
    T("None"),
    T("undefined"),
    T("NaN"),
    T("nan"),
    T("-nan"),
    T("Infinity"),
    T("-Infinity"),
    T("inf"),
    T("-"),
    T("+"),
    T("+1"),
    T("--1"),
    T("- 1"),
    T("01"),
    T("-01"),
    T("00"),
    T("1."),
    T(".5"),
    T("-.5"),
    T("1.e5"),
    T("1..5"),
    T("1.5.5"),
    T("1e"),
    T("1e+"),
    T("1e-"),
    T("1e1.5"),
    T("1ee5"),
    T("1e+-5"),
    T("0x10"),
    T("0b1"),
    T("1_000"),
    T("1,000"),
    T("1a"),
    T("12f"),
    T("\xEF\xBC\x91"),
    T("\"\n\""),
    T("\"\t\""),
    T("\"\r\""),
    T("\"\0\""),
    T("\"\x1f\""),
    T("\"abcdefg\x01hijklmn\""),
    T("\"\\\""),
    T("\"\\"),
    T("\"\\a\""),
    T("\"\\v\""),
    T("\"\\0\""),
    T("\"\\x41\""),
    T("\"\\'\""),
    T("\"\\\0\""),
    T("\"\\\n\""),
    T("\"\\U0041\""),
    T("\"\\u\""),
    T("\"\\u0\""),
    T("\"\\u00\""),
    T("\"\\u004\""),
    T("\"\\u004"),
    T("\"\\u004g\""),
    T("\"\\u 041\""),
    T("\"\\u+041\""),
    T("\"\\u{41}\""),
    T("\"\\ud83d\\u\""),
    T("\"\\ud83d\\ude0\""),
    T("\"\\\xC3\xA9\""),
    T("\xEF\xBB\xBF{}"),
    T("{}\0"),
    T("{}\xEF\xBB\xBF"),
    T("[1]x"),
    T("\v1"),
    T("\f1"),
    T("1\v"),
    T("\xC2\xA0"
      "1"),
    T("[1\f]"),
    T("{}//x"),
    T("/**/1"),
    T("[1/**/]"),
    T("#1"),
    T("(1)"),
    T("*"),
    T("1=1"),
    T("[\\u0031]"),
    T("{\"a\":tru}"),
    T("[1e]"),
    T("[-]"),
    T("[\"a]"),
    T("{\"a\":\"b}"),
};

static const struct text not_utf8[] = {
    T("\"\x80\""),
    T("\"\xFF\""),
    T("\"\xC3\""),
    T("\"\xC3"),
    T("\"\xC0\x80\""),
    T("\"\xC1\xBF\""),
    T("\"\xE0\x80\x80\""),
    T("\"\xE2\x82\""),
    T("\"\xE2\x82"),
    T("\"\xED\xA0\x80\""),
    T("\"\xED\xA0\xBD\xED\xB8\x80\""),
    T("\"\xF0\x80\x80\x80\""),
    T("\"\xF4\x90\x80\x80\""),
    T("\"\xF5\x80\x80\x80\""),
    T("\"ok\xC3\xA9\xC3\""),
    T("\"abcdefgh\xFFijklmnop\""),
    T("{\"\xFF\":1}"),
    T("{\"a\":\"\xFE\"}"),
    T("[\"\xC3\xA9\",\"\xC3\x28\"]"),
    T("\xFF"),
    T("{}\xFF"),
    T("[1\x80]"),
};

/* Scans a copy of exactly n bytes, so that sanitizers see a read beyond them. */
static bool scan(const char *bytes, size_t n, unsigned depth, struct presence__json *out) {
  char *copy = malloc(n ? n : 1);
  assert_non_null(copy);
  memcpy(copy, bytes, n);
  bool ok = presence__json_scan(copy, n, depth, out);
  if (ok) {
    assert_true(out->text >= copy && out->text + out->size <= copy + n);
    assert_int_equal(out->fault, PRESENCE__JSON_FINE);
    assert_null(out->reason);
    out->text = bytes + (out->text - copy);
  } else {
    assert_int_equal(out->kind, PRESENCE__JSON_INVALID);
    assert_non_null(out->reason);
    assert_true(out->fault_at <= n);
  }
  free(copy);
  return ok;
}

static void accepts_what_the_grammar_allows(void **state) {
  (void)state;
  struct presence__json found;
  for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++) {
    if (!scan(accepted[i].bytes, accepted[i].size, 64, &found))
      fail_msg("refused: %s (%s at %zu)", accepted[i].bytes, found.reason, found.fault_at);
  }
}

static void refuses_the_rest(void **state) {
  (void)state;
  struct presence__json found;
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    if (scan(refused[i].bytes, refused[i].size, 64, &found))
      fail_msg("accepted: %s", refused[i].bytes);
    if (found.fault != PRESENCE__JSON_SYNTAX)
      fail_msg("not a fault of syntax: %s", refused[i].bytes);
  }
}

static void tells_bad_utf8_from_bad_syntax(void **state) {
  (void)state;
  struct presence__json found;
  for (size_t i = 0; i < sizeof not_utf8 / sizeof *not_utf8; i++) {
    assert_false(scan(not_utf8[i].bytes, not_utf8[i].size, 64, &found));
    if (found.fault != PRESENCE__JSON_NOT_UTF8)
      fail_msg("case %zu: %s at %zu", i, found.reason, found.fault_at);
  }
}

/* Whatever is cut off an array, an object or a string that was whole, is not whole. */
static void no_prefix_of_a_container_is_accepted(void **state) {
  (void)state;
  struct presence__json found;
  for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++) {
    assert_true(scan(accepted[i].bytes, accepted[i].size, 64, &found));
    if (!strchr("{[\"", found.text[0])) continue;
    for (size_t n = 0; n < (size_t)(found.text - accepted[i].bytes) + found.size; n++) {
      struct presence__json ignored;
      assert_false(scan(accepted[i].bytes, n, 64, &ignored));
    }
  }
}

static void put(struct presence__buf *b, struct text text) {
  assert_true(presence__buf_append(b, text.bytes, text.size));
}

static void combines_into_arrays_and_objects(void **state) {
  (void)state;
  struct presence__json found;
  struct presence__buf b;
  presence__buf_init(&b, NULL);
  for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++) {
    presence__buf_clear(&b);
    put(&b, (struct text)T("[\"x\","));
    put(&b, accepted[i]);
    put(&b, (struct text)T(",{\"y\":"));
    put(&b, accepted[i]);
    put(&b, (struct text)T("}]"));
    assert_true(scan(b.data, b.size, 64, &found));
    assert_int_equal(found.size, b.size);
    for (size_t k = 0; k < sizeof refused / sizeof *refused; k++) {
      if (memchr(refused[k].bytes, ',', refused[k].size)) continue;
      presence__buf_clear(&b);
      put(&b, (struct text)T("["));
      put(&b, accepted[i]);
      put(&b, (struct text)T(","));
      put(&b, refused[k]);
      put(&b, (struct text)T("]"));
      if (scan(b.data, b.size, 64, &found)) fail_msg("accepted: %.*s", (int)b.size, b.data);
    }
  }
  presence__buf_free(&b);
}

static void gives_kind_and_span(void **state) {
  (void)state;
  static const struct {
    const char *text;
    const char *span;
    enum presence__json_kind kind;
  } cases[] = {
      {" {\"a\":1} ", "{\"a\":1}", PRESENCE__JSON_OBJECT},
      {"\n[1]\n", "[1]", PRESENCE__JSON_ARRAY},
      {"\t\"a\"\t", "\"a\"", PRESENCE__JSON_STRING},
      {" -1.5e3 ", "-1.5e3", PRESENCE__JSON_NUMBER},
      {" true ", "true", PRESENCE__JSON_TRUE},
      {" false", "false", PRESENCE__JSON_FALSE},
      {"null ", "null", PRESENCE__JSON_NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct presence__json found;
    assert_true(scan(cases[i].text, strlen(cases[i].text), 64, &found));
    assert_int_equal(found.kind, cases[i].kind);
    assert_int_equal(found.size, strlen(cases[i].span));
    assert_memory_equal(found.text, cases[i].span, found.size);
  }
}

static void says_where_and_why(void **state) {
  (void)state;
  static const struct {
    const char *text;
    size_t at;
    const char *reason;
  } cases[] = {
      {"", 0, "unexpected end"},
      {"{\"a\":1", 6, "unexpected end"},
      {"[1 2]", 3, "a comma or the end is missing"},
      {"{\"a\" 1}", 5, "a colon is missing"},
      {"{a}", 1, "a member's name is missing"},
      {"[1] x", 4, "something follows the value"},
      {"[nul]", 4, "unexpected character"},
      {"[\"a\nb\"]", 3, "control character in a string"},
      {"\"\\q\"", 2, "bad escape"},
      {"\"\\u00g0\"", 5, "bad \\u escape"},
      {"\"ab\xFF\"", 3, "not UTF-8"},
      {"[1.]", 3, "a digit is missing after the point"},
      {"[1ex]", 3, "a digit is missing in the exponent"},
      {"[-]", 2, "a digit is missing"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct presence__json found;
    assert_false(scan(cases[i].text, strlen(cases[i].text), 64, &found));
    assert_string_equal(found.reason, cases[i].reason);
    assert_int_equal(found.fault_at, cases[i].at);
  }
}

static void limits_depth_exactly(void **state) {
  (void)state;
  enum { most = PRESENCE__JSON_DEPTH_CEILING + 8 };
  static char text[2 * most];
  static const size_t limits[] = {0, 1, 2, 63, 64, 65, 127, 128, 129, 1023, 1024};
  struct presence__json found;
  for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
    size_t limit = limits[i];
    memset(text, '[', limit);
    memset(text + limit, ']', limit);
    if (limit > 0) assert_true(scan(text, 2 * limit, (unsigned)limit, &found));
    memset(text, '[', limit + 1);
    memset(text + limit + 1, ']', limit + 1);
    assert_false(scan(text, 2 * (limit + 1), (unsigned)limit, &found));
    assert_int_equal(found.fault, PRESENCE__JSON_TOO_DEEP);
    assert_int_equal(found.fault_at, limit);
  }
  assert_true(scan("1", 1, 0, &found));
  assert_false(scan("[]", 2, 0, &found));
  memset(text, '[', most);
  assert_false(scan(text, most, 100000, &found));
  assert_int_equal(found.fault_at, PRESENCE__JSON_DEPTH_CEILING);
}

/* The bit of each level must be its own: objects and arrays mixed at random, closed rightly and
   once wrongly at each level. */
static void remembers_what_is_open_at_each_level(void **state) {
  (void)state;
  char text[8 * 300];
  unsigned seed = 7;
  for (int round = 0; round < 50; round++) {
    char closers[300];
    size_t n = 0, depth = 150 + (size_t)round;
    for (size_t i = 0; i < depth; i++) {
      seed = seed * 1103515245u + 12345u;
      bool object = seed >> 16 & 1;
      memcpy(text + n, object ? "{\"a\":" : "[", object ? 5 : 1);
      n += object ? 5 : 1;
      closers[i] = object ? '}' : ']';
    }
    text[n++] = '0';
    size_t inner = n;
    for (size_t i = depth; i-- > 0;)
      text[n++] = closers[i];
    struct presence__json found;
    assert_true(scan(text, n, 300, &found));
    for (size_t i = inner; i < n; i++) {
      text[i] = text[i] == '}' ? ']' : '}';
      assert_false(scan(text, n, 300, &found));
      assert_int_equal(found.fault_at, i);
      text[i] = text[i] == '}' ? ']' : '}';
    }
  }
}

static void scans_the_first_value_only(void **state) {
  (void)state;
  static const struct {
    const char *text;
    const char *rest;
  } cases[] = {{" [1] , 2", " , 2"}, {"1,2", ",2"},  {"\"a\"b", "b"}, {"truefalse", "false"},
               {"12]", "]"},         {"{}{}", "{}"}, {"0012", "012"}, {"null\xFF", "\xFF"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct presence__json found;
    assert_true(presence__json_scan_first(cases[i].text, strlen(cases[i].text), 64, &found));
    assert_string_equal(found.text + found.size, cases[i].rest);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(accepts_what_the_grammar_allows),
      cmocka_unit_test(refuses_the_rest),
      cmocka_unit_test(tells_bad_utf8_from_bad_syntax),
      cmocka_unit_test(no_prefix_of_a_container_is_accepted),
      cmocka_unit_test(combines_into_arrays_and_objects),
      cmocka_unit_test(gives_kind_and_span),
      cmocka_unit_test(says_where_and_why),
      cmocka_unit_test(limits_depth_exactly),
      cmocka_unit_test(remembers_what_is_open_at_each_level),
      cmocka_unit_test(scans_the_first_value_only),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
