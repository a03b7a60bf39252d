/* The process's hash key can be set before anything else, once; then a run repeats itself. */
#include "cmocka_all.h"
#include "core/bits.h"
#include "core/hash.h"
#include "core_kit.h"

static void the_key_is_set_once_and_then_holds(void **state) {
  (void)state;
  unsigned char seed[16];
  for (unsigned i = 0; i < 16; i++)
    seed[i] = (unsigned char)i;
  assert_true(presence_hash_seed(seed));
  seed[0] = 99;
  assert_false(presence_hash_seed(seed));
  /* Key and text of the reference vectors of SipHash, here with 1 and 3 rounds. */
  char text[15];
  for (unsigned i = 0; i < sizeof text; i++)
    text[i] = (char)i;
  uint64_t hash = presence__hash(text, sizeof text);
  uint64_t whole = presence__siphash(0x0706050403020100u, 0x0f0e0d0c0b0a0908u, text, 15);
  assert_int_equal(hash, whole & PRESENCE__HASH_BITS);
  presence_heap *heap = presence_heap_new(NULL);
  assert_int_equal(presence__hash(text, sizeof text), hash);
  assert_false(presence_hash_seed(seed));
  presence_heap_free(heap);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(the_key_is_set_once_and_then_holds)};
  return cmocka_run_group_tests_name("core: the hash key", tests, NULL, NULL);
}
