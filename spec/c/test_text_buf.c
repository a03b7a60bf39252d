/* Byte buffers: growth, shrinking, and memory that runs out at every request; base64. */
#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "failing_allocator.h"
#include "text/base64.h"
#include "text/buf.h"

static void keeps_what_was_appended(void **state) {
  (void)state;
  struct failing f;
  struct presence__buf b;
  failing_init(&f, 0);
  presence__buf_init(&b, &f.allocator);
  for (int i = 0; i < 10000; i++)
    assert_true(presence__buf_push(&b, (char)i));
  for (int i = 0; i < 10000; i++)
    assert_int_equal(b.data[i], (char)i);
  assert_true(f.requests < 20); /* grows by half, not by one */
  presence__buf_drop_front(&b, 9990);
  assert_int_equal(b.size, 10);
  assert_int_equal(b.data[0], (char)9990);
  presence__buf_shrink(&b, 0);
  assert_int_equal(b.capacity, 10);
  assert_int_equal(f.bytes_alive, 10);
  presence__buf_clear(&b);
  presence__buf_shrink(&b, 0);
  assert_int_equal(b.capacity, 0);
  assert_int_equal(f.bytes_alive, 0);
  assert_true(presence__buf_append(&b, "abc", 3));
  size_t size, capacity;
  char *bytes = presence__buf_detach(&b, &size, &capacity);
  assert_int_equal(size, 3);
  assert_memory_equal(bytes, "abc", 3);
  assert_null(b.data);
  presence__alloc_free(&f.allocator, bytes, capacity);
  presence__buf_free(&b);
  assert_int_equal(f.blocks_alive, 0);
}

static void a_failure_sticks_and_loses_nothing(void **state) {
  (void)state;
  for (long n = 1; n < 8; n++) {
    struct failing f;
    struct presence__buf b;
    failing_init(&f, n);
    presence__buf_init(&b, &f.allocator);
    size_t taken = 0;
    for (int i = 0; i < 5000; i++)
      taken += presence__buf_append(&b, "0123456789", 10);
    assert_true(b.failed);
    assert_int_equal(b.size, taken * 10);
    assert_false(presence__buf_append(&b, "", 0));
    assert_null(presence__buf_reserve(&b, 1));
    for (size_t i = 0; i < b.size; i++)
      assert_int_equal(b.data[i], '0' + (int)(i % 10));
    presence__buf_clear(&b);
    assert_true(presence__buf_append(&b, "x", 1));
    presence__buf_free(&b);
    assert_int_equal(f.blocks_alive, 0);
    assert_int_equal(f.bytes_alive, 0);
  }
}

static void shrinking_may_be_refused(void **state) {
  (void)state;
  struct failing f;
  struct presence__buf b;
  failing_init(&f, 2);
  presence__buf_init(&b, &f.allocator);
  assert_non_null(presence__buf_reserve(&b, 1000));
  assert_true(presence__buf_append(&b, "abc", 3));
  presence__buf_shrink(&b, 0);
  assert_int_equal(b.capacity, 1000);
  assert_memory_equal(b.data, "abc", 3);
  presence__buf_free(&b);
  assert_int_equal(f.blocks_alive, 0);
}

static void absurd_sizes_are_refused(void **state) {
  (void)state;
  struct presence__buf b;
  presence__buf_init(&b, NULL);
  assert_null(presence__buf_reserve(&b, SIZE_MAX));
  assert_true(b.failed);
  presence__buf_clear(&b);
  assert_true(presence__buf_append(&b, "abc", 3));
  assert_null(presence__buf_reserve(&b, SIZE_MAX - 2));
  presence__buf_free(&b);
}

static void base64_vectors(void **state) {
  (void)state;
  static const char *const vectors[][2] = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
      {"\xFB\xFF\xFE", "+//+"},
  };
  for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
    char text[16], bytes[16];
    size_t n = strlen(vectors[i][0]), size;
    presence__base64_encode(text, vectors[i][0], n);
    assert_int_equal(presence__base64_encoded_size(n), strlen(vectors[i][1]));
    assert_memory_equal(text, vectors[i][1], strlen(vectors[i][1]));
    for (size_t length = strcspn(vectors[i][1], "="); length <= strlen(vectors[i][1]); length++) {
      size_t whole = strlen(vectors[i][1]);
      bool ok = presence__base64_decode(bytes, &size, vectors[i][1], length, false);
      /* With all of its padding or with none, not with half. */
      assert_int_equal(ok, length == whole || vectors[i][1][length - 1] != '=');
      if (ok) {
        assert_int_equal(size, n);
        assert_memory_equal(bytes, vectors[i][0], n);
      }
    }
  }
}

static void base64_refuses_other_forms(void **state) {
  (void)state;
  static const char *const bad[] = {"A",     "A===", "====",     "=",    "==",      "Zg=",
                                    "Zg===", "Zh==", "Zm9=",     "Zm9",  "Zm 9",    "Zm9v\n",
                                    "Zm9v=", "Z=g=", "Zg==Zg==", "Zm9*", "Zm\x80v", "-__-"};
  char bytes[16];
  size_t size;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    if (presence__base64_decode(bytes, &size, bad[i], strlen(bad[i]), false))
      fail_msg("accepted: %s", bad[i]);
  }
  assert_true(presence__base64_decode(bytes, &size, "-__-", 4, true));
  assert_memory_equal(bytes, "\xFB\xFF\xFE", 3);
  assert_false(presence__base64_decode(bytes, &size, "+//+", 4, true));
}

static void base64_gives_back_every_length(void **state) {
  (void)state;
  char bytes[100], text[140], back[140];
  for (size_t i = 0; i < sizeof bytes; i++)
    bytes[i] = (char)(i * 37);
  for (size_t n = 0; n <= sizeof bytes; n++) {
    size_t size;
    presence__base64_encode(text, bytes, n);
    assert_true(
        presence__base64_decode(back, &size, text, presence__base64_encoded_size(n), false));
    assert_true(size <= presence__base64_decoded_bound(presence__base64_encoded_size(n)));
    assert_int_equal(size, n);
    assert_memory_equal(back, bytes, n);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(keeps_what_was_appended),
      cmocka_unit_test(a_failure_sticks_and_loses_nothing),
      cmocka_unit_test(shrinking_may_be_refused),
      cmocka_unit_test(absurd_sizes_are_refused),
      cmocka_unit_test(base64_vectors),
      cmocka_unit_test(base64_refuses_other_forms),
      cmocka_unit_test(base64_gives_back_every_length),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
