/* UTF-8 at its borders, against a naive decoder, at every length and alignment. */
#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "text/utf8.h"

/* Decodes by the book: value first, then the rules about it. */
static bool naive_valid(const unsigned char *s, size_t n) {
  size_t i = 0;
  while (i < n) {
    unsigned char c = s[i];
    size_t more = c < 0x80 ? 0 : c >> 5 == 6 ? 1 : c >> 4 == 14 ? 2 : c >> 3 == 30 ? 3 : 9;
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    uint32_t value = more == 0 ? c : c & (0x3Fu >> more);
    if (more == 9 || i + more >= n) return false;
    for (size_t k = 1; k <= more; k++) {
      if (s[i + k] >> 6 != 2) return false;
      value = value << 6 | (s[i + k] & 0x3F);
    }
    if (value < least[more] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF))
      return false;
    i += more + 1;
  }
  return true;
}

/* A copy of exactly n bytes, so that sanitizers see a read beyond them. */
static bool valid(const void *s, size_t n) {
  char *copy = malloc(n ? n : 1);
  assert_non_null(copy);
  memcpy(copy, s, n);
  bool answer = presence__utf8_valid(copy, n);
  free(copy);
  return answer;
}

static void borders(void **state) {
  (void)state;
  static const struct {
    const char *bytes;
    bool valid;
  } cases[] = {
      {"", true},
      {"plain", true},
      {"\x7F", true},
      {"\xC2\x80", true},
      {"\xDF\xBF", true},
      {"\xE0\xA0\x80", true},
      {"\xED\x9F\xBF", true},
      {"\xEE\x80\x80", true},
      {"\xEF\xBF\xBF", true},
      {"\xF0\x90\x80\x80", true},
      {"\xF4\x8F\xBF\xBF", true},
      {"\xEF\xBB\xBF", true},
      {"\x80", false},
      {"\xBF", false},
      {"\xC0\x80", false},
      {"\xC1\xBF", false},
      {"\xC2", false},
      {"\xC2\x41", false},
      {"\xC2\xC2\x80", false},
      {"\xE0\x80\x80", false},
      {"\xE0\x9F\xBF", false},
      {"\xE1\x80", false},
      {"\xED\xA0\x80", false},
      {"\xED\xBF\xBF", false},
      {"\xED\xA0\xBD\xED\xB8\x80", false},
      {"\xF0\x80\x80\x80", false},
      {"\xF0\x8F\xBF\xBF", false},
      {"\xF0\x90\x80", false},
      {"\xF4\x90\x80\x80", false},
      {"\xF5\x80\x80\x80", false},
      {"\xF8\x88\x80\x80\x80", false},
      {"\xFE", false},
      {"\xFF", false},
      {"abcdefg\xFF", false},
      {"abcdefgh\xFF", false},
      {"abcdefghijklmno\xC3", false},
      {"abcdefghijklmno\xC3\xA9", true},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    assert_int_equal(valid(cases[i].bytes, strlen(cases[i].bytes)), cases[i].valid);
  assert_true(valid("a\0b", 3));
  assert_true(presence__utf8_valid(NULL, 0));
}

static void every_sequence_of_three_bytes(void **state) {
  (void)state;
  for (uint32_t v = 0; v < 1u << 24; v += v < 0x800000 ? 257 : 1) {
    unsigned char s[3] = {(unsigned char)(v >> 16), (unsigned char)(v >> 8), (unsigned char)v};
    if (presence__utf8_valid((char *)s, 3) != naive_valid(s, 3))
      fail_msg("%02x %02x %02x", s[0], s[1], s[2]);
  }
}

static void every_lead_and_second_of_four_bytes(void **state) {
  (void)state;
  static const unsigned char tails[] = {0x00, 0x7F, 0x80, 0xBF, 0xC0, 0xFF};
  for (unsigned lead = 0xC0; lead < 0x100; lead++) {
    for (unsigned second = 0; second < 0x100; second++) {
      for (size_t k = 0; k < 36; k++) {
        unsigned char s[4] = {(unsigned char)lead, (unsigned char)second, tails[k / 6],
                              tails[k % 6]};
        for (size_t n = 1; n <= 4; n++)
          assert_int_equal(presence__utf8_valid((char *)s, n), naive_valid(s, n));
      }
    }
  }
}

static void a_bad_byte_is_found_at_every_place(void **state) {
  (void)state;
  char text[40];
  for (size_t n = 1; n <= sizeof text; n++) {
    memset(text, 'a', sizeof text);
    assert_true(valid(text, n));
    for (size_t i = 0; i < n; i++) {
      text[i] = (char)0xA0;
      assert_false(valid(text, n));
      text[i] = 'a';
    }
  }
}

static void encoding_every_code_point_is_valid(void **state) {
  (void)state;
  for (uint32_t c = 0; c <= 0x10FFFF; c++) {
    char bytes[4];
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    size_t n = presence__utf8_encode(bytes, c);
    assert_int_equal(presence__utf8_sequence(bytes, n), n);
    assert_int_equal(presence__utf8_sequence(bytes, n - 1), 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(borders),
      cmocka_unit_test(every_sequence_of_three_bytes),
      cmocka_unit_test(every_lead_and_second_of_four_bytes),
      cmocka_unit_test(a_bad_byte_is_found_at_every_place),
      cmocka_unit_test(encoding_every_code_point_is_valid),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
