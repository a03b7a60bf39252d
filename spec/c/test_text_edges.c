/* Edges of the text room: memory that runs out, names of no bytes, walks over what was never
   scanned. */
#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "failing_allocator.h"
#include "text/base64.h"
#include "text/json.h"

static void base64_refuses_what_is_near_its_letters(void **state) {
  (void)state;
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  for (int url_safe = 0; url_safe < 2; url_safe++)
    for (int byte = 0; byte < 256; byte++) {
      char text[4] = {'A', (char)byte, 'A', 'A'}, decoded[8];
      size_t size;
      bool wanted = byte && (strchr(letters, byte) || strchr(url_safe ? "-_" : "+/", byte));
      assert_int_equal(presence__base64_decode(decoded, &size, text, 4, url_safe), wanted);
    }
}

static void surrogates_are_decoded_in_pairs_alone(void **state) {
  (void)state;
  static const struct {
    const char *token;
    const char *bytes; /* NULL: refused */
  } cases[] = {
      {"\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80"},
      {"\"\\ud800\\udc00\"", "\xf0\x90\x80\x80"},
      {"\"\\udbff\\udfff\"", "\xf4\x8f\xbf\xbf"},
      {"\"\\ud7ff\\ue000\"", "\xed\x9f\xbf\xee\x80\x80"},
      {"\"\\ud83d\"", NULL},
      {"\"\\ud83dabcdef\"", NULL},
      {"\"\\ud83d\\nabcd\"", NULL},
      {"\"\\ud83d\\u0041\"", NULL},
      {"\"\\ud83d\\udbff\"", NULL},
      {"\"\\ud83d\\ue000\"", NULL},
      {"\"\\udc00\\ud83d\"", NULL},
      {"\"\\udfff\"", NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char decoded[32];
    size_t n = strlen(cases[i].token), size = 0;
    bool done = presence__json_decode_string(cases[i].token, n, decoded, &size);
    assert_int_equal(done, cases[i].bytes != NULL);
    if (!done) continue;
    assert_int_equal(size, strlen(cases[i].bytes));
    assert_memory_equal(decoded, cases[i].bytes, size);
    assert_true(presence__json_string_is(cases[i].token, n, cases[i].bytes, size));
  }
}

static void a_buffer_may_be_asked_for_nothing(void **state) {
  (void)state;
  struct failing memory;
  struct presence__buf b;
  failing_init(&memory, 0);
  presence__buf_init(&b, &memory.allocator);
  assert_non_null(presence__buf_reserve(&b, 0));
  assert_int_equal(b.size, 0);
  presence__buf_free(&b);
  failing_init(&memory, 1);
  presence__buf_init(&b, &memory.allocator);
  assert_false(presence__json_quote_append(&b, "a", 1));
  assert_true(b.failed);
  assert_int_equal(b.size, 0);
  presence__buf_free(&b);
  assert_int_equal(memory.blocks_alive, 0);
}

static void white_space_of_every_kind_ends_an_element(void **state) {
  (void)state;
  static const char text[] = "[1\t,2\n,3\r,4 ,{\"a\":5\t,\"b\":6\n,\"c\":7\r}]";
  struct presence__json_walk walk, inner;
  struct presence__json_span element, name;
  presence__json_walk_init(&walk, text, sizeof text - 1);
  for (int digit = '1'; digit <= '4'; digit++) {
    assert_true(presence__json_next_element(&walk, &element));
    assert_int_equal(element.size, 1);
    assert_int_equal(element.text[0], digit);
  }
  assert_true(presence__json_next_element(&walk, &element));
  presence__json_walk_init(&inner, element.text, element.size);
  for (int digit = '5'; digit <= '7'; digit++) {
    struct presence__json_span value;
    assert_true(presence__json_next_member(&inner, &name, &value));
    assert_int_equal(value.size, 1);
    assert_int_equal(value.text[0], digit);
  }
  assert_false(presence__json_next_member(&inner, &name, &element));
  assert_false(presence__json_next_element(&walk, &element));
}

/* Their results mean nothing then, but they stay inside and come to an end. */
static void walks_over_anything_stay_inside(void **state) {
  (void)state;
  static const char *const texts[] = {"{\"a\":[1,{\"b\":\"c\\\"\"}],\"d\":{}}",
                                      "[\"abcdefgh\\\\\",[[]],{\"x\":\"y\"}]",
                                      "]}],},:\"\\",
                                      "{\"a\\",
                                      "[\"a\\",
                                      "{\"a\" \"b\" \"c\"",
                                      "{a:b}",
                                      "[}]]"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    for (size_t n = 2; n <= strlen(texts[i]); n++) {
      char *text = malloc(n);
      assert_non_null(text);
      memcpy(text, texts[i], n);
      struct presence__json_walk walk;
      struct presence__json_span name, value;
      size_t count = 0;
      presence__json_walk_init(&walk, text, n);
      while (presence__json_next_member(&walk, &name, &value)) {
        assert_true(name.text >= text && name.text + name.size <= text + n);
        assert_true(value.text >= text && value.text + value.size <= text + n);
        assert_in_range(++count, 1, n);
      }
      presence__json_walk_init(&walk, text, n);
      for (count = 0; presence__json_next_element(&walk, &value);) {
        assert_true(value.text >= text && value.text + value.size <= text + n);
        assert_in_range(++count, 1, n);
      }
      free(text);
    }
}

static void names_are_cut_whole_or_not_at_all(void **state) {
  (void)state;
  static const struct presence__json_span names[] = {{"phx_ref", 7}, {"", 0}};
  static const struct {
    const char *object;
    size_t names;
    size_t cut;
    const char *rest;
  } cases[] = {
      {"{\"phx\":1,\"phx_rex\":2}", 1, 0, ""},
      {"{\"a\":\"phx_ref\"}", 1, 0, ""},
      {"{\"phx_re\":1,\"phx_ref\":2}", 1, 1, "{\"phx_re\":1}"},
      {"{\"\":1,\"a\":2}", 1, 0, ""},
      {"{\"\":1,\"a\":2}", 2, 1, "{\"a\":2}"},
      {"{\"a\":2 , \"\" : [1,2] }", 2, 1, "{\"a\":2 }"},
      {"{}", 2, 0, ""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct presence__buf b;
    presence__buf_init(&b, NULL);
    assert_int_equal(presence__json_cut_members(cases[i].object, strlen(cases[i].object), names,
                                                cases[i].names, &b),
                     cases[i].cut);
    assert_int_equal(b.size, strlen(cases[i].rest));
    if (b.size) assert_memory_equal(b.data, cases[i].rest, b.size);
    presence__buf_free(&b);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(base64_refuses_what_is_near_its_letters),
      cmocka_unit_test(surrogates_are_decoded_in_pairs_alone),
      cmocka_unit_test(a_buffer_may_be_asked_for_nothing),
      cmocka_unit_test(white_space_of_every_kind_ends_an_element),
      cmocka_unit_test(walks_over_anything_stay_inside),
      cmocka_unit_test(names_are_cut_whole_or_not_at_all),
  };
  return cmocka_run_group_tests_name("text: edges", tests, NULL, NULL);
}
