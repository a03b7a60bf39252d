/* Keys so long that the records of one share its text: whatever is done to them, they cost their
   bytes once, and act as short ones do. What is decoded takes memory in proportion to its bytes. */
#include "cmocka_all.h"
#include "core/binary.h"
#include "core/hash.h"
#include "core/state.h"
#include "core_kit.h"

struct fixture {
  struct memory memory;
  presence_heap *heap;
  presence_editor *editor;
  char *key;
};

#define KEY_BYTES ((size_t)1000000)
#define TOPIC str("t")
/* What presence_decode promises; narrow nodes are more of them. */
#define DECODE_FACTOR (PRESENCE__BITS < 4 ? 100u : 64u)

static int set_up(void **state) {
  struct fixture *f = malloc(sizeof *f);
  static const unsigned char seed[16] = {7, 1};
  presence__hash_weaken(seed, UINT64_MAX);
  f->heap = memory_heap(&f->memory, true);
  presence_state *empty = presence_state_new(f->heap);
  f->editor = presence_editor_open(empty);
  presence_state_release(empty);
  f->key = malloc(KEY_BYTES);
  memset(f->key, 'k', KEY_BYTES);
  *state = f;
  return 0;
}

static int tear_down(void **state) {
  struct fixture *f = *state;
  static const unsigned char seed[16] = {7, 1};
  presence__hash_weaken(seed, UINT64_MAX);
  presence_editor_discard(f->editor);
  presence_heap_free(f->heap);
  long left = f->memory.blocks_alive;
  free(f->key);
  free(f);
  return left != 0;
}

static presence_string key_of(const struct fixture *f, size_t size) {
  return (presence_string){f->key, size};
}

static void check(struct fixture *f, size_t keys) {
  const presence_state *s = presence_editor_state(f->editor);
  const char *fault = presence__check(s, NULL);
  if (fault) fail_msg("%s", fault);
  assert_int_equal(presence_count(s, TOPIC), keys);
}

static void track(struct fixture *f, presence_string key, int64_t who, const char *meta) {
  assert_int_equal(presence_editor_track(f->editor, TOPIC, key, pid(who), str(meta)), PRESENCE_OK);
}

/* All that can go is gone; the bytes that live. */
static size_t live_bytes(struct fixture *f) {
  presence_heap_usage usage;
  while (presence_heap_work(f->heap, 1000))
    continue;
  presence_heap_stats(f->heap, &usage);
  return usage.live_bytes;
}

/* Sizes on both sides of where keys become long. */
static void keys_of_all_sizes_are_told_apart(void **state) {
  struct fixture *f = *state;
  const size_t sizes[] = {0, 1, 7, 8, 9, 16, 62, 63, 64, 65, 66, 72, 128, 4096, 100000};
  const size_t count = sizeof sizes / sizeof *sizes;
  for (size_t i = 0; i < count; i++) {
    track(f, key_of(f, sizes[i]), (int64_t)i, "1");
    check(f, i + 1);
  }
  for (size_t size = 0; size < 200; size++) {
    bool there = false;
    for (size_t i = 0; i < count; i++)
      there |= sizes[i] == size;
    size_t connections =
        presence_connections(presence_editor_state(f->editor), TOPIC, key_of(f, size));
    assert_int_equal(connections, there);
  }
  for (size_t i = 0; i < count; i++) {
    presence_string key = key_of(f, sizes[i]);
    assert_int_equal(presence_editor_update(f->editor, TOPIC, key, pid((int64_t)i), str("22")),
                     PRESENCE_OK);
    check(f, count - i);
    assert_int_equal(presence_editor_untrack(f->editor, TOPIC, key, pid((int64_t)i), NULL),
                     PRESENCE_OK);
    check(f, count - i - 1);
  }
}

/* The bytes of a long key in its record are a pointer: no key is found by them. */
static void a_key_of_the_bytes_of_a_pointer_is_another(void **state) {
  struct fixture *f = *state;
  static const unsigned char seed[16] = {7, 1};
  for (int collide = 0; collide < 2; collide++) {
    presence__hash_weaken(seed, collide ? 0 : UINT64_MAX);
    track(f, key_of(f, 100), 1, "1");
    const presence_state *s = presence_editor_state(f->editor);
    const presence_meta *record = presence_entry_at(presence_get(s, TOPIC, key_of(f, 100)), 0);
    assert_true(presence__has_long_key(record));
    char bytes[8];
    memcpy(bytes, record->bytes, sizeof bytes);
    presence_string trap = {bytes, sizeof bytes};
    assert_null(presence_get(s, TOPIC, trap));
    assert_int_equal(presence_editor_untrack(f->editor, TOPIC, trap, pid(1), NULL),
                     PRESENCE_UNCHANGED);
    check(f, 1);
    assert_int_equal(presence_editor_untrack(f->editor, TOPIC, key_of(f, 100), pid(1), NULL),
                     PRESENCE_OK);
  }
}

/* Of one size and one hash, their bytes alone tell them apart. */
static void long_keys_that_collide_are_told_apart(void **state) {
  struct fixture *f = *state;
  static const unsigned char seed[16] = {7, 1};
  presence__hash_weaken(seed, 0);
  char other[100];
  memset(other, 'k', sizeof other);
  other[99] = 'o';
  presence_string one = key_of(f, sizeof other), two = {other, sizeof other};
  track(f, one, 1, "1");
  assert_int_equal(presence_connections(presence_editor_state(f->editor), TOPIC, two), 0);
  track(f, two, 2, "2");
  check(f, 2);
  assert_int_equal(presence_editor_untrack(f->editor, TOPIC, one, pid(1), NULL), PRESENCE_OK);
  check(f, 1);
  assert_int_equal(presence_connections(presence_editor_state(f->editor), TOPIC, two), 1);
}

static const size_t most_bytes_a_meta = 200; /* the key apart */

/* One, few and many metas of a long key, tracked and updated: it is there once. */
static void the_metas_of_a_key_share_it(void **state) {
  struct fixture *f = *state;
  presence_string key = key_of(f, 100000);
  const size_t before = live_bytes(f);
  for (int i = 0; i < 1000; i++)
    track(f, key, i, "1");
  check(f, 1);
  assert_in_range(live_bytes(f) - before, key.size, key.size + 1000 * most_bytes_a_meta);
  for (int i = 0; i < 1000; i += 3)
    assert_int_equal(presence_editor_update(f->editor, TOPIC, key, pid(i), str("22")), PRESENCE_OK);
  assert_in_range(live_bytes(f) - before, key.size, key.size + 1000 * most_bytes_a_meta);
  for (int i = 0; i < 1000; i++) {
    assert_int_equal(presence_editor_untrack(f->editor, TOPIC, key, pid(i), NULL), PRESENCE_OK);
    if (i == 990 || i == 996) check(f, 1);
  }
  assert_int_equal(live_bytes(f), before);
}

/* Metas under a short key, joined under a long one, and the other way round. */
static void metas_move_between_long_and_short_keys(void **state) {
  struct fixture *f = *state;
  presence_string key = key_of(f, 100000);
  for (int i = 0; i < 30; i++)
    track(f, str("short"), i % 20, i % 2 ? "1" : "22");
  presence_state *source = presence_editor_snapshot(f->editor);
  const presence_entry *entry = presence_get(source, TOPIC, str("short"));
  const size_t before = live_bytes(f);
  assert_int_equal(presence_editor_join(f->editor, TOPIC, key, entry), PRESENCE_OK);
  check(f, 2);
  assert_in_range(live_bytes(f) - before, key.size, key.size + 30 * most_bytes_a_meta + 2000);
  presence_state *both = presence_editor_snapshot(f->editor);
  const presence_entry *moved = presence_get(both, TOPIC, key);
  /* The key does not count in equality. */
  assert_true(presence_entry_equal(f->heap, entry, moved));
  assert_true(presence_meta_equal(presence_entry_at(entry, 3), presence_entry_at(moved, 3)));
  assert_int_equal(presence_editor_join(f->editor, TOPIC, str("third"), moved), PRESENCE_OK);
  check(f, 3);
  assert_int_equal(presence_editor_leave(f->editor, TOPIC, str("third"), entry, NULL), PRESENCE_OK);
  check(f, 2);
  presence_state_release(both);
  presence_state_release(source);
}

static void diffs_and_patches_share_it_too(void **state) {
  struct fixture *f = *state;
  presence_string key = key_of(f, 100000);
  for (int i = 0; i < 20; i++)
    track(f, key, i, "1");
  presence_state *old = presence_editor_snapshot(f->editor), *joins, *leaves, *patched;
  for (int i = 0; i < 40; i++) {
    presence_editor_untrack(f->editor, TOPIC, key, pid(i - 20), NULL);
    track(f, key, i, "3");
  }
  const size_t before = live_bytes(f);
  const presence_state *now = presence_editor_state(f->editor);
  assert_int_equal(presence_diff(old, now, &joins, &leaves), PRESENCE_OK);
  assert_int_equal(presence_patch(old, joins, leaves, &patched), PRESENCE_OK);
  assert_true(presence_equal(patched, now));
  assert_null(presence__check(patched, NULL));
  assert_in_range(live_bytes(f) - before, 0, 30000);
  presence_state_release(joins);
  presence_state_release(leaves);
  presence_state_release(patched);
  presence_state_release(old);
}

/* What goes first, the version or a meta of it, is the same to the key. */
static void a_meta_outlives_its_version(void **state) {
  struct fixture *f = *state;
  track(f, key_of(f, 100), 1, "1");
  track(f, key_of(f, 100), 2, "2");
  const presence_entry *entry =
      presence_get(presence_editor_state(f->editor), TOPIC, key_of(f, 100));
  presence_meta *meta = presence_meta_retain(presence_entry_at(entry, 1));
  for (int i = 1; i <= 2; i++)
    presence_editor_untrack(f->editor, TOPIC, key_of(f, 100), pid(i), NULL);
  while (presence_heap_work(f->heap, 100))
    continue;
  assert_true(is(presence_meta_data(meta), "2"));
  presence_meta_release(f->heap, meta);
}

/* ---- Decoding ---- */

/* A form under way. */
struct form {
  char *bytes;
  size_t size, capacity;
};

static void put(struct form *form, const void *bytes, size_t size) {
  if (form->size + size > form->capacity) {
    form->capacity = 2 * (form->size + size);
    form->bytes = realloc(form->bytes, form->capacity);
  }
  memcpy(form->bytes + form->size, bytes, size);
  form->size += size;
}

static void put_number(struct form *form, uint64_t number) {
  do {
    unsigned char byte = (unsigned char)((number & 0x7f) | (number > 0x7f ? 0x80 : 0));
    put(form, &byte, 1);
    number >>= 7;
  } while (number);
}

static void put_string(struct form *form, const char *bytes, size_t size) {
  put_number(form, size);
  put(form, bytes, size);
}

static void begin(struct form *form, uint64_t topics) {
  *form = (struct form){NULL, 0, 0};
  put(form, PRESENCE__MAGIC "\1", PRESENCE__MAGIC_BYTES + 1);
  put_number(form, topics);
}

/* The shortest meta there is: no flags, an integer pid, a digit. */
static void put_meta(struct form *form, uint64_t who) {
  put_number(form, 0);
  put_number(form, who);
  put_string(form, "1", 1);
}

static void seal(struct form *form) {
  uint64_t checksum = 0, blocks = 0;
  for (size_t done = 0; done < form->size; done += PRESENCE__BLOCK_BYTES) {
    size_t rest = form->size - done;
    size_t block = rest < PRESENCE__BLOCK_BYTES ? rest : PRESENCE__BLOCK_BYTES;
    checksum = presence__siphash(checksum, blocks++, form->bytes + done, block);
  }
  for (unsigned i = 0; i < PRESENCE__CHECKSUM_BYTES; i++) {
    char byte = (char)(checksum >> (8 * i));
    put(form, &byte, 1);
  }
}

/* Decodes within what presence.h promises, and gives what it takes at most for each byte. */
static double decode_within_bounds(struct fixture *f, struct form *form, bool good) {
  presence_state *back = NULL;
  seal(form);
  const size_t before = f->memory.bytes_alive;
  f->memory.limit = before + DECODE_FACTOR * form->size;
  f->memory.most_alive = before;
  enum presence_status status =
      presence_decode(f->heap, (presence_string){form->bytes, form->size}, &back);
  const size_t peak = f->memory.most_alive;
  f->memory.limit = 0;
  assert_int_equal(f->memory.failed, 0);
  assert_int_equal(status, good ? PRESENCE_OK : PRESENCE_DAMAGED);
  const double factor = (double)(peak - before) / (double)form->size;
  if (good) {
    assert_null(presence__check(back, NULL));
    struct text again;
    assert_int_equal(presence_encode(back, text_sink(&again)), PRESENCE_OK);
    assert_int_equal(again.size, form->size);
    free(again.bytes);
  }
  presence_state_release(back);
  live_bytes(f);
  free(form->bytes);
  return factor;
}

static void a_long_key_of_many_metas_is_decoded_once(void **state) {
  struct fixture *f = *state;
  struct form form;
  begin(&form, 1);
  put_string(&form, "t", 1);
  put_number(&form, 1);
  put_string(&form, f->key, KEY_BYTES);
  put_number(&form, 1000);
  for (unsigned i = 0; i < 1000; i++)
    put_meta(&form, i);
  assert_true(form.size < KEY_BYTES + 6000);
  const double factor = decode_within_bounds(f, &form, true);
  assert_true(factor < 1.3);
}

/* Half of the text a key, the other half its metas: the worst there was. */
static void a_hostile_text_costs_no_more_than_its_bytes(void **state) {
  struct fixture *f = *state;
  for (int good = 0; good < 2; good++) {
    struct form form;
    begin(&form, 1);
    put_string(&form, "t", 1);
    put_number(&form, 1);
    put_string(&form, f->key, 100000);
    put_number(&form, 25000);
    for (unsigned i = 0; i < 25000; i++)
      put_meta(&form, i % 64);
    if (!good) put(&form, "", 1);
    decode_within_bounds(f, &form, good);
  }
}

/* The forms that take most for their bytes: the keys shortest or just not yet shared, the metas
   shortest; of one key, of a few, of many; of topics with one each. */
static void decoding_stays_within_its_factor(void **state) {
  struct fixture *f = *state;
  const size_t key_sizes[] = {2, 8, 64, 65};
  const unsigned metas[] = {1, 2, 3, 8, 9, 10, 17, 64, 1000};
  double worst = 0;
  for (size_t k = 0; k < sizeof key_sizes / sizeof *key_sizes; k++)
    for (size_t m = 0; m < sizeof metas / sizeof *metas; m++)
      for (int topics = 0; topics < 2; topics++)
        for (unsigned pids = 1; pids <= 64; pids *= 64) {
          const unsigned count = 1000 / metas[m] + 1;
          struct form form;
          begin(&form, topics ? count : 1);
          if (!topics) {
            put_string(&form, "t", 1);
            put_number(&form, count);
          }
          for (unsigned i = 0; i < count; i++) {
            char name[72];
            memset(name, 'a', sizeof name);
            name[0] = (char)(i % 95 + ' ');
            name[1] = (char)(i / 95 % 95 + ' ');
            if (i >= 95 * 95) break;
            if (topics) {
              put_string(&form, name, 2);
              put_number(&form, 1);
            }
            put_string(&form, name, key_sizes[k]);
            put_number(&form, metas[m]);
            for (unsigned j = 0; j < metas[m]; j++)
              put_meta(&form, j % pids);
          }
          const double factor = decode_within_bounds(f, &form, true);
          if (factor > worst) worst = factor;
        }
  printf("most bytes taken for a byte: %.1f\n", worst);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(keys_of_all_sizes_are_told_apart),
      TEST(a_key_of_the_bytes_of_a_pointer_is_another),
      TEST(long_keys_that_collide_are_told_apart),
      TEST(the_metas_of_a_key_share_it),
      TEST(metas_move_between_long_and_short_keys),
      TEST(diffs_and_patches_share_it_too),
      TEST(a_meta_outlives_its_version),
      TEST(a_long_key_of_many_metas_is_decoded_once),
      TEST(a_hostile_text_costs_no_more_than_its_bytes),
      TEST(decoding_stays_within_its_factor),
  };
  return cmocka_run_group_tests_name("core: long keys", tests, NULL, NULL);
}
