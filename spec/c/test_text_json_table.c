/* Texts and what RFC 8259 says of them: valid, invalid and those on the border. The scanner must
   say the same, and so must the second reader that the fuzzers trust. */
#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "json_reference.h"
#include "text/json.h"

enum { max_depth = 8 };

#define ROW(text, fault)                                                                           \
  { text, sizeof(text) - 1, PRESENCE__JSON_##fault }
#define FINE(text) ROW(text, FINE)
#define SYNTAX(text) ROW(text, SYNTAX)
#define NOT_UTF8(text) ROW(text, NOT_UTF8)
#define TOO_DEEP(text) ROW(text, TOO_DEEP)

static const struct row {
  const char *text;
  size_t size;
  enum presence__json_fault fault;
} rows[] = {
    // clang-format off
    /* Literals, whole, cut, misspelt, glued. */
    FINE("true"), FINE("false"), FINE("null"), FINE(" null\n"), FINE("[true,false,null]"),
    FINE("{\"true\":true}"), SYNTAX("t"), SYNTAX("tr"), SYNTAX("tru"), SYNTAX("trues"),
    SYNTAX("rue"), SYNTAX("True"), SYNTAX("TRUE"), SYNTAX("tRue"), SYNTAX("true1"),
    SYNTAX("true\""), SYNTAX("truetrue"), SYNTAX("true,"), SYNTAX("true false"), SYNTAX("f"),
    SYNTAX("fals"), SYNTAX("falsE"), SYNTAX("false0"), SYNTAX("false."), SYNTAX("n"), SYNTAX("nu"),
    SYNTAX("nul"), SYNTAX("nulll"), SYNTAX("NULL"), SYNTAX("Null"), SYNTAX("nil"), SYNTAX("none"),
    SYNTAX("undefined"), SYNTAX("NaN"), SYNTAX("nan"), SYNTAX("-NaN"), SYNTAX("Infinity"),
    SYNTAX("-Infinity"), SYNTAX("inf"), SYNTAX("tr ue"), SYNTAX("[tru]"), SYNTAX("[nul,1]"),
    SYNTAX("{\"a\":fals}"), SYNTAX("true\x00"), SYNTAX("tru\xc3\xa9"),
    /* Numbers. */
    FINE("0"), FINE("-0"), FINE("9"), FINE("-9"), FINE("10"), FINE("-10"), FINE("1234567"),
    FINE("12345678"), FINE("123456789"), FINE("-12345678"), FINE("1234567890123456"),
    FINE("12345678901234567"), FINE("0.0"), FINE("0.00"), FINE("-0.0"), FINE("1.0"), FINE("10.01"),
    FINE("0.1234567"), FINE("0.12345678"), FINE("0.123456789"), FINE("1e0"), FINE("1E0"),
    FINE("1e+0"), FINE("1e-0"), FINE("1e00"), FINE("1E+09"), FINE("0e1"), FINE("-0E-1"),
    FINE("1.5e10"), FINE("1.50E-10"), FINE("1e12345678"), FINE("1e123456789"),
    FINE("99999999999999999999999999999999999999"), FINE("0.000000000000000000000000000001"),
    FINE("[0]"), FINE("[-0]"), FINE("[0,0]"), FINE("[1e5]"), FINE("[1.5]"), FINE("{\"a\":-1}"),
    FINE(" 7 "), FINE("[1 ]"), FINE("[ 1]"), SYNTAX("-"), SYNTAX("--0"), SYNTAX("-+0"),
    SYNTAX("+0"), SYNTAX("+1"), SYNTAX("- 0"), SYNTAX("00"), SYNTAX("01"), SYNTAX("-00"),
    SYNTAX("-01"), SYNTAX("007"), SYNTAX("0123456789"), SYNTAX("0 0"), SYNTAX("0."), SYNTAX("-0."),
    SYNTAX("1."), SYNTAX("10."), SYNTAX(".0"), SYNTAX("-.0"), SYNTAX("."), SYNTAX("1..0"),
    SYNTAX("1.0.0"), SYNTAX("1.e0"), SYNTAX("1. 0"), SYNTAX("1 .0"), SYNTAX("0e"), SYNTAX("0E"),
    SYNTAX("0e+"), SYNTAX("0e-"), SYNTAX("1e"), SYNTAX("1e "), SYNTAX("1e +1"), SYNTAX("1e++1"),
    SYNTAX("1e+-1"), SYNTAX("1ee1"), SYNTAX("1e1e1"), SYNTAX("1e1."), SYNTAX("1e1.0"),
    SYNTAX("1.0e"), SYNTAX("1.0e+"), SYNTAX("e1"), SYNTAX("E"), SYNTAX("1E+"), SYNTAX("0x0"),
    SYNTAX("0x1F"), SYNTAX("0b1"), SYNTAX("0o7"), SYNTAX("1_0"), SYNTAX("1,0"), SYNTAX("1a"),
    SYNTAX("1f"), SYNTAX("1L"), SYNTAX("1n"), SYNTAX("12345678a"), SYNTAX("1234567."),
    SYNTAX("12345678e"), SYNTAX("1e12345678."), SYNTAX("$1"), SYNTAX("1%"), SYNTAX("1/2"),
    SYNTAX("1+1"), SYNTAX("1-1"), SYNTAX("\xc2\xbd"), SYNTAX("\xd9\xa1"), SYNTAX("\xef\xbc\x91"),
    SYNTAX("-a"), SYNTAX("-\"1\""), SYNTAX("[1.]"), SYNTAX("[-]"), SYNTAX("[+1]"), SYNTAX("[01]"),
    SYNTAX("[1e]"), SYNTAX("{\"a\":.5}"), SYNTAX("1\x0b"), SYNTAX("1\x0c"),
    /* Strings: plain bytes, control characters, lengths around a word of eight. */
    FINE("\"\""), FINE("\" \""), FINE("\"a\""), FINE("\"abcdef\""), FINE("\"abcdefg\""),
    FINE("\"abcdefgh\""), FINE("\"abcdefghi\""), FINE("\"abcdefghijklmno\""),
    FINE("\"abcdefghijklmnop\""), FINE("\"abcdefghijklmnopq\""), FINE("\"'\""), FINE("\"/\""),
    FINE("\"[]{},:\""), FINE("\"\x7f\""), FINE("\"true\""), FINE("\"//\""), FINE("\"/**/\""),
    FINE("\"#\""), FINE("\"1\""), FINE("[\"\",\"\"]"), FINE("{\"\":\"\"}"),
    FINE("\"0123456789012345678901234567890123456789\""), SYNTAX("\""), SYNTAX("\"a"),
    SYNTAX("\"abcdefg"), SYNTAX("\"abcdefgh"), SYNTAX("\"abcdefghi"), SYNTAX("a\""),
    SYNTAX("\"\"\""), SYNTAX("\"\"\"\""), SYNTAX("\"a\"b\""), SYNTAX("'a'"), SYNTAX("`a`"),
    SYNTAX("\"\n\""), SYNTAX("\"\t\""), SYNTAX("\"\r\""), SYNTAX("\"\x01\""), SYNTAX("\"\x1f\""),
    SYNTAX("\"\x00\""), SYNTAX("\"abcdefg\n\""), SYNTAX("\"abcdefgh\n\""),
    SYNTAX("\"abcdefghi\x1f\""), SYNTAX("\"a\x08" "b\""), SYNTAX("\"\x0b\""), SYNTAX("\"\x0c\""),
    SYNTAX("\"\x1b\""), SYNTAX("[\"a]"), SYNTAX("{\"a}"), SYNTAX("{\"a\":\"b"),
    SYNTAX("\"a\" \"b\""), SYNTAX("\"a\","), SYNTAX("\xe2\x80\x9c" "a\xe2\x80\x9d"),
    SYNTAX("\\\"a\\\""),
    /* Escapes. */
    FINE("\"\\\"\""), FINE("\"\\\\\""), FINE("\"\\/\""), FINE("\"\\b\""), FINE("\"\\f\""),
    FINE("\"\\n\""), FINE("\"\\r\""), FINE("\"\\t\""), FINE("\"\\\\\\\"\""), FINE("\"\\\\\\\\\""),
    FINE("\"a\\\"b\""), FINE("\"abcdefg\\n\""), FINE("\"abcdefgh\\n\""),
    FINE("\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\""), FINE("\"\\u0000\""), FINE("\"\\u001f\""),
    FINE("\"\\u0022\""), FINE("\"\\u005c\""), FINE("\"\\u005C\""), FINE("\"\\uffff\""),
    FINE("\"\\uFFFF\""), FINE("\"\\uFfFe\""), FINE("\"\\u0041\\u0042\""), FINE("\"\\u00410\""),
    FINE("[\"\\u005d\"]"), FINE("{\"\\u0022\":1}"), FINE("{\"\\\\\":1}"), SYNTAX("\"\\\""),
    SYNTAX("\"\\\\\\\""), SYNTAX("\"\\a\""), SYNTAX("\"\\c\""), SYNTAX("\"\\d\""),
    SYNTAX("\"\\e\""), SYNTAX("\"\\v\""), SYNTAX("\"\\z\""), SYNTAX("\"\\0\""), SYNTAX("\"\\1\""),
    SYNTAX("\"\\x00\""), SYNTAX("\"\\U0041\""), SYNTAX("\"\\ \""), SYNTAX("\"\\'\""),
    SYNTAX("\"\\`\""), SYNTAX("\"\\\n\""), SYNTAX("\"\\\x00\""), SYNTAX("\"\\\t\""),
    SYNTAX("\"\\\xc3\xa9\""), SYNTAX("\"\\u\""), SYNTAX("\"\\u0\""), SYNTAX("\"\\u00\""),
    SYNTAX("\"\\u000\""), SYNTAX("\"\\u"), SYNTAX("\"\\u000"), SYNTAX("\"\\u000g\""),
    SYNTAX("\"\\ug000\""), SYNTAX("\"\\u00-1\""), SYNTAX("\"\\u 000\""), SYNTAX("\"\\u0x41\""),
    SYNTAX("\"\\u{41}\""), SYNTAX("\"\\u+041\""), SYNTAX("\"\\u00\xc3\xa9\""),
    SYNTAX("\"\\uu0041\""), SYNTAX("\"\\u004\\\""), SYNTAX("\"\\u12 4\""), SYNTAX("\"\\u0041"),
    SYNTAX("\"\\u\xef\xbc\x90\xef\xbc\x90\xef\xbc\x94\xef\xbc\x91\""), SYNTAX("[\"\\u005\"]"),
    SYNTAX("\\n"), SYNTAX("\"\\"),
    /* Surrogates: escapes of them are JSON, paired or not; their bytes are not UTF-8. */
    FINE("\"\\ud83d\\ude00\""), FINE("\"\\uD83D\\uDE00\""), FINE("\"\\ud800\""),
    FINE("\"\\udbff\""), FINE("\"\\udc00\""), FINE("\"\\udfff\""), FINE("\"\\ude00\\ud83d\""),
    FINE("\"\\ud83d\\ud83d\""), FINE("\"\\ud83dx\""), FINE("\"\\ud83d\\n\""),
    FINE("\"\\ud83d\\u0041\""), FINE("\"\\ud7ff\""), FINE("\"\\ue000\""),
    FINE("{\"\\ud800\":\"\\udc00\"}"), SYNTAX("\"\\ud83d\\u\""), SYNTAX("\"\\ud83d\\ude\""),
    SYNTAX("\"\\ud83d\\ude0\""), SYNTAX("\"\\ud83d\\\""), SYNTAX("\"\\ud83d\\x\""),
    NOT_UTF8("\"\xed\xa0\x80\""), NOT_UTF8("\"\xed\xbf\xbf\""),
    NOT_UTF8("\"\xed\xa0\xbd\xed\xb8\x80\""),
    /* UTF-8: borders of every length, overlong forms, what is cut short. */
    FINE("\"\xc2\x80\""), FINE("\"\xdf\xbf\""), FINE("\"\xe0\xa0\x80\""), FINE("\"\xe0\xbf\xbf\""),
    FINE("\"\xe1\x80\x80\""), FINE("\"\xec\xbf\xbf\""), FINE("\"\xed\x80\x80\""),
    FINE("\"\xed\x9f\xbf\""), FINE("\"\xee\x80\x80\""), FINE("\"\xef\xbf\xbd\""),
    FINE("\"\xef\xbf\xbe\""), FINE("\"\xef\xb7\x90\""), FINE("\"\xf0\x90\x80\x80\""),
    FINE("\"\xf0\xbf\xbf\xbf\""), FINE("\"\xf1\x80\x80\x80\""), FINE("\"\xf3\xbf\xbf\xbf\""),
    FINE("\"\xf4\x80\x80\x80\""), FINE("\"\xf4\x8f\xbf\xbf\""), FINE("\"a\xc3\xa9" "b\""),
    FINE("\"abcdefg\xc3\xa9\""), FINE("\"abcdefgh\xc3\xa9\""),
    FINE("\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""),
    FINE("{\"\xf0\x9f\x98\x80\":\"\xe2\x80\xa9\"}"), FINE("\"\xe2\x80\xa8\""),
    FINE("\"e\xcc\x81\""), NOT_UTF8("\"\x80\""), NOT_UTF8("\"\xbf\""), NOT_UTF8("\"\xc0\x80\""),
    NOT_UTF8("\"\xc0\xaf\""), NOT_UTF8("\"\xc1\xbf\""), NOT_UTF8("\"\xc2\""),
    NOT_UTF8("\"\xc2\x7f\""), NOT_UTF8("\"\xc2\xc0\""), NOT_UTF8("\"\xdf \""),
    NOT_UTF8("\"\xe0\x80\x80\""), NOT_UTF8("\"\xe0\x9f\xbf\""), NOT_UTF8("\"\xe0\xa0\""),
    NOT_UTF8("\"\xe0\xa0\x7f\""), NOT_UTF8("\"\xe1\x80\""), NOT_UTF8("\"\xe2(\xa1\""),
    NOT_UTF8("\"\xe2\x82\xc0\""), NOT_UTF8("\"\xef\xbf\""), NOT_UTF8("\"\xf0\x80\x80\x80\""),
    NOT_UTF8("\"\xf0\x8f\xbf\xbf\""), NOT_UTF8("\"\xf0\x90\x80\""), NOT_UTF8("\"\xf0\x90(\xbc\""),
    NOT_UTF8("\"\xf0(\x8c\xbc\""), NOT_UTF8("\"\xf0\x90\x80(\""), NOT_UTF8("\"\xf4\x90\x80\x80\""),
    NOT_UTF8("\"\xf5\x80\x80\x80\""), NOT_UTF8("\"\xf7\xbf\xbf\xbf\""),
    NOT_UTF8("\"\xf8\x88\x80\x80\x80\""), NOT_UTF8("\"\xfc\x84\x80\x80\x80\x80\""),
    NOT_UTF8("\"\xfe\""), NOT_UTF8("\"\xff\""), NOT_UTF8("\"\xc2"), NOT_UTF8("\"\xe2\x82"),
    NOT_UTF8("\"\xf0\x9f\x98"), NOT_UTF8("\"abcdefg\xff\""), NOT_UTF8("\"abcdefgh\xff\""),
    NOT_UTF8("\"\xc3\xa9\xff\""), NOT_UTF8("\"caf\xe9\""), NOT_UTF8("{\"\xe9\":1}"),
    NOT_UTF8("[\x80]"), NOT_UTF8("\xff\xfe" "1\x00"), NOT_UTF8("\xc3(1)"),
    /* Structure. */
    FINE("{}"), FINE("[]"), FINE("{ }"), FINE("[ ]"), FINE("[[]]"), FINE("[{}]"),
    FINE("{\"a\":[]}"), FINE("{\"a\":{}}"), FINE("[[],{},[],{}]"), FINE("{\"a\":1,\"a\":1}"),
    FINE("{\"a\":{\"a\":{\"a\":{}}}}"), FINE("[1,[2,[3,[4]]],5]"),
    FINE("{\"a\":[{\"b\":[{}]}],\"c\":1}"), FINE("{\"a\":1,\"b\":\"x\",\"c\":null}"),
    FINE("[1,\"a\",true,null,{},[]]"), FINE("{\"phx_ref\":\"1\"}"), FINE("{\"__proto__\":null}"),
    FINE("[\"1\",\"2\",\"room:1\",\"phx_join\",{}]"), FINE("[null,null,\"t\",\"e\",[]]"),
    SYNTAX(""), SYNTAX("{"), SYNTAX("}"), SYNTAX("["), SYNTAX("]"), SYNTAX(","), SYNTAX(":"),
    SYNTAX("{}}"), SYNTAX("[]]"), SYNTAX("{]"), SYNTAX("[}"), SYNTAX("[{]}"), SYNTAX("{[}]"),
    SYNTAX("({})"), SYNTAX("{{}}"), SYNTAX("{[]}"), SYNTAX("{1:1}"), SYNTAX("{null:1}"),
    SYNTAX("{a:1}"), SYNTAX("{'a':1}"), SYNTAX("{\"a\"}"), SYNTAX("{\"a\":}"), SYNTAX("{\"a\"1}"),
    SYNTAX("{\"a\":1:2}"), SYNTAX("{\"a\"::1}"), SYNTAX("{\"a\",1}"), SYNTAX("{\"a\":1,}"),
    SYNTAX("{,\"a\":1}"), SYNTAX("{,}"), SYNTAX("{\"a\":1,,\"b\":1}"), SYNTAX("{\"a\":1 \"b\":1}"),
    SYNTAX("{\"a\":1;\"b\":1}"), SYNTAX("{\"a\":1"), SYNTAX("{\"a\":"), SYNTAX("{\"a\""),
    SYNTAX("{\""), SYNTAX("{\"a\":1,"), SYNTAX("{\"a\":1,\""), SYNTAX("{\"a\":1,\"b\""),
    SYNTAX("{\"a\":1]"), SYNTAX("{\"a\":{}"), SYNTAX("[1"), SYNTAX("[1,"), SYNTAX("[,"),
    SYNTAX("[,1]"), SYNTAX("[1,]"), SYNTAX("[1,,1]"), SYNTAX("[1 1]"), SYNTAX("[1:1]"),
    SYNTAX("[\"a\":1]"), SYNTAX("[1;1]"), SYNTAX("[1]1"), SYNTAX("[][]"), SYNTAX("[]{}"),
    SYNTAX("{}[]"), SYNTAX("{}{}"), SYNTAX("[1],"), SYNTAX("[[1]"), SYNTAX("[[1],"), SYNTAX("[[[["),
    SYNTAX("[[]"), SYNTAX("[{}"), SYNTAX("[{\"a\":[}]}"), SYNTAX("[1}"), SYNTAX("<a/>"),
    SYNTAX("a"), SYNTAX("abc"), SYNTAX("*"), SYNTAX("[*]"), SYNTAX("[...]"), SYNTAX("[1,2,...]"),
    SYNTAX("{\"a\":b}"), SYNTAX("{\"a\":(1)}"), SYNTAX("[1]x"),
    /* White space: four characters, everywhere but inside of tokens; comments are none. */
    FINE(" 1"), FINE("1 "), FINE("\t1\t"), FINE("\n1\n"), FINE("\r1\r"), FINE("\r\n \t1\t \n\r"),
    FINE(" [ 1 , 2 ] "), FINE("[\n1\n,\n2\n]"), FINE(" { \"a\" : 1 , \"b\" : 2 } "),
    FINE("{\t\"a\"\r:\n1 }"), FINE("[        1        ]"), FINE("        \"a\"        "),
    FINE("{        }"), FINE("[ [ ] , [ ] ]"), SYNTAX(" "), SYNTAX("\t\r\n "), SYNTAX("\x0b" "1"),
    SYNTAX("\x0c" "1"), SYNTAX("\x00" "1"), SYNTAX("\x1f" "1"), SYNTAX("\x0b"), SYNTAX("1 2"),
    SYNTAX("[1\x0b]"), SYNTAX("{\x0c}"), SYNTAX("[1,\x0b" "2]"), SYNTAX("t rue"), SYNTAX("1 . 5"),
    SYNTAX("//1"), SYNTAX("1//"), SYNTAX("/**/1"), SYNTAX("1/**/"), SYNTAX("[1,/**/2]"),
    SYNTAX("#1"), SYNTAX("1#"), SYNTAX("--1"), SYNTAX("[1] ;"), SYNTAX("1 \x00"), SYNTAX("\x00"),
    SYNTAX(" \x00 "), SYNTAX("\xc2\xa0" "1"), SYNTAX("1\xc2\xa0"), SYNTAX("\xe2\x80\xa8" "1"),
    SYNTAX("\xe3\x80\x80" "1"), SYNTAX("\xef\xbb\xbf" "1"), SYNTAX("1\xef\xbb\xbf"),
    SYNTAX("[\xc2\xa0]"), SYNTAX("{\"a\":\xe2\x80\x83" "1}"), NOT_UTF8("1\xff"),
    NOT_UTF8("\xa0" "1"), NOT_UTF8("[1\x85]"), NOT_UTF8("{}\xfe"), NOT_UTF8("\x80{}"),
    /* Depth: eight levels are allowed here. */
    FINE("[[[[[[[[]]]]]]]]"),
    FINE("{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}}}}"),
    FINE("[[[[[[[[1]]]]]]],[[]]]"), FINE("[{\"a\":[{\"a\":[{\"a\":[{}]}]}]}]"),
    FINE("[[[[[[[[\"[[[[\"]]]]]]]]"), FINE("[[[[[[[]]]]]],[[[[[[[]]]]]]]]"),
    TOO_DEEP("[[[[[[[[[]]]]]]]]]"), TOO_DEEP("[[[[[[[[["), TOO_DEEP("[[[[[[[[{}]]]]]]]]"),
    TOO_DEEP("{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}}}}}"),
    TOO_DEEP("[[[[[[[[1,[]]]]]]]]]"), TOO_DEEP("[[[[[[[[[[[[x"), TOO_DEEP("[[[[[[[[ {\"a"),
    SYNTAX("[[[[[[[[]]]]]]]"), SYNTAX("[[[[[[[[]]]]]]]]]"), SYNTAX("[[[[[[[["),
    SYNTAX("[[[[[[[[x]]]]]]]]"), SYNTAX("[[[[[[[[]]]]]]]],[[[[[[[[["),
    // clang-format on
};

enum { row_count = sizeof rows / sizeof *rows };
_Static_assert(row_count >= 300, "the table has shrunk");

/* Runs on a copy of exactly these bytes, so that sanitizers see a read beyond them. */
static void expect(const char *text, size_t size, unsigned depth, enum presence__json_fault fault) {
  char *copy = malloc(size ? size : 1);
  struct presence__json json;
  assert_non_null(copy);
  if (size) memcpy(copy, text, size);
  memset(&json, 0x5a, sizeof json);
  bool accepted = presence__json_scan(copy, size, depth, &json);
  if (accepted != (fault == PRESENCE__JSON_FINE) || json.fault != fault)
    fail_msg("'%.*s': %s", (int)size, text, accepted ? "accepted" : json.reason);
  if (!accepted) {
    assert_null(json.text);
    assert_int_equal(json.size, 0);
    assert_int_equal(json.kind, PRESENCE__JSON_INVALID);
  }
  free(copy);
}

static void says_of_each_row_what_the_rfc_does(void **state) {
  (void)state;
  for (size_t i = 0; i < row_count; i++)
    expect(rows[i].text, rows[i].size, max_depth, rows[i].fault);
}

static void the_reference_agrees_with_the_table(void **state) {
  (void)state;
  static const enum reference_verdict verdict_of[] = {
      [PRESENCE__JSON_FINE] = REFERENCE_FINE,
      [PRESENCE__JSON_SYNTAX] = REFERENCE_SYNTAX,
      [PRESENCE__JSON_NOT_UTF8] = REFERENCE_NOT_UTF8,
      [PRESENCE__JSON_TOO_DEEP] = REFERENCE_TOO_DEEP,
  };
  for (size_t i = 0; i < row_count; i++) {
    size_t fault_at;
    if (reference_judge(rows[i].text, rows[i].size, max_depth, &fault_at) !=
        verdict_of[rows[i].fault])
      fail_msg("'%.*s', judged at %zu", (int)rows[i].size, rows[i].text, fault_at);
  }
}

/* What is valid stays so as a member and as an element, one level deeper; what is not, unless the
   text around completes it, spoils the whole. */
static void a_row_decides_the_text_around_it(void **state) {
  (void)state;
  static const struct {
    const char *before, *after;
  } around[] = {{"[1, ", " ]"}, {"{\"k\":", "}"}, {"[[", "],2]"}, {"\n", "\t"}};
  char text[256];
  for (size_t i = 0; i < row_count; i++) {
    bool fine = rows[i].fault == PRESENCE__JSON_FINE;
    if (!fine && (rows[i].size == 0 || strpbrk(rows[i].text, ",:]}\" ["))) continue;
    for (size_t k = 0; k < sizeof around / sizeof *around; k++) {
      size_t before = strlen(around[k].before), after = strlen(around[k].after);
      assert_true(before + rows[i].size + after <= sizeof text);
      memcpy(text, around[k].before, before);
      memcpy(text + before, rows[i].text, rows[i].size);
      memcpy(text + before + rows[i].size, around[k].after, after);
      expect(text, before + rows[i].size + after, max_depth + 2, rows[i].fault);
    }
  }
}

/* Each of the 256 bytes in each place that a token has. */
static void every_byte_in_every_place(void **state) {
  (void)state;
  static const char *const places[] = {"?",
                                       "[?]",
                                       "[1?]",
                                       "[1,?2]",
                                       "\"?\"",
                                       "\"\\?\"",
                                       "\"\\u00?0\"",
                                       "{?\"a\":1}",
                                       "{\"a\"?:1}",
                                       "-?",
                                       "1?",
                                       "1.?",
                                       "1e?",
                                       "1e+?",
                                       "t?ue",
                                       "\"abcdefg?\"",
                                       "\"abcdefgh?ij\""};
  for (size_t p = 0; p < sizeof places / sizeof *places; p++) {
    for (int byte = 0; byte < 256; byte++) {
      char text[32];
      size_t size = strlen(places[p]), fault_at;
      memcpy(text, places[p], size + 1);
      *strchr(text, '?') = (char)byte;
      struct presence__json json;
      bool accepted = presence__json_scan(text, size, max_depth, &json);
      enum reference_verdict verdict = reference_judge(text, size, max_depth, &fault_at);
      if (accepted != (verdict == REFERENCE_FINE) ||
          (json.fault == PRESENCE__JSON_NOT_UTF8) != (verdict == REFERENCE_NOT_UTF8))
        fail_msg("place %zu, byte %d", p, byte);
      if (!accepted) assert_int_equal(json.fault_at, fault_at);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(says_of_each_row_what_the_rfc_does),
      cmocka_unit_test(the_reference_agrees_with_the_table),
      cmocka_unit_test(a_row_decides_the_text_around_it),
      cmocka_unit_test(every_byte_in_every_place),
  };
  return cmocka_run_group_tests_name("text: table of JSON texts", tests, NULL, NULL);
}
