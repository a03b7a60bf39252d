/* The shape of tries: canonical, whatever the order of edits; memory accounted to the byte; order
   and cursors; the hash itself. */
#include "cmocka_all.h"
#include "core/hash.h"
#include "core_kit.h"

#define KEYS 400u

static const uint64_t masks[] = {UINT64_MAX, 0xff, 0xf00000000000000f, 0x3, 0};

static void begin(struct memory *memory, presence_heap **heap, uint64_t mask) {
  static const unsigned char seed[16] = {7, 1};
  presence__hash_weaken(seed, mask);
  *heap = memory_heap(memory, false);
}

static void finish(struct memory *memory, presence_heap *heap) {
  presence_heap_free(heap);
  assert_int_equal(memory->blocks_alive, 0);
  presence__hash_weaken((const unsigned char[16]){0}, UINT64_MAX);
}

static presence_string key_of(char *room, unsigned number) {
  int size = snprintf(room, 16, "key%u", number);
  return (presence_string){room, (size_t)size};
}

static void shuffle(unsigned *order, unsigned count, uint64_t *seed) {
  for (unsigned i = 0; i < count; i++)
    order[i] = i;
  for (unsigned i = count; i > 1; i--) {
    unsigned j = below(seed, i), kept = order[i - 1];
    order[i - 1] = order[j];
    order[j] = kept;
  }
}

/* A state of the even keys, which were tracked among the odd ones; those left again. */
static presence_state *detour(presence_heap *heap, uint64_t *seed) {
  presence_state *empty = presence_state_new(heap);
  presence_editor *editor = presence_editor_open(empty);
  presence_state_release(empty);
  unsigned order[KEYS];
  char room[16];
  shuffle(order, KEYS, seed);
  for (unsigned i = 0; i < KEYS; i++)
    for (int topic = 0; topic < 2; topic++) {
      presence_string key = key_of(room, order[i]);
      assert_int_equal(
          presence_editor_track(editor, topic ? str("t") : key, key, pid(order[i]), str("1")),
          PRESENCE_OK);
    }
  shuffle(order, KEYS, seed);
  for (unsigned i = 0; i < KEYS; i++)
    for (int topic = 0; topic < 2 && order[i] % 2; topic++) {
      presence_string key = key_of(room, order[i]);
      assert_int_equal(
          presence_editor_untrack(editor, topic ? str("t") : key, key, pid(order[i]), NULL),
          PRESENCE_OK);
      assert_null(presence__check(presence_editor_state(editor), NULL));
    }
  return presence_editor_close(editor);
}

/* Both walks give the same keys in the same order. */
static void expect_same_order(const presence_state *a, const presence_state *b) {
  presence_entry_iter in_a, in_b;
  presence_string key_a, key_b;
  presence_entry_iter_init(&in_a, presence_find_topic(a, str("t")));
  presence_entry_iter_init(&in_b, presence_find_topic(b, str("t")));
  while (presence_entry_iter_next(&in_a, &key_a)) {
    assert_non_null(presence_entry_iter_next(&in_b, &key_b));
    assert_int_equal(key_a.size, key_b.size);
    assert_memory_equal(key_a.bytes, key_b.bytes, key_a.size);
  }
  assert_null(presence_entry_iter_next(&in_b, &key_b));
}

static void equal_content_has_equal_shape(void **state) {
  (void)state;
  uint64_t seed = seed_for("shape");
  for (size_t m = 0; m < sizeof masks / sizeof *masks; m++) {
    struct memory memory;
    presence_heap *heap;
    begin(&memory, &heap, masks[m]);
    size_t bytes_a, bytes_b;
    presence_heap_usage usage;
    presence_state *a = detour(heap, &seed);
    assert_null(presence__check(a, &bytes_a));
    while (presence_heap_work(heap, 1000))
      continue;
    presence_heap_stats(heap, &usage);
    assert_int_equal(usage.live_bytes, bytes_a);
    presence_state *b = detour(heap, &seed);
    assert_null(presence__check(b, &bytes_b));
    assert_int_equal(bytes_a, bytes_b);
    assert_true(presence_equal(a, b));
    expect_same_order(a, b);
    presence_state_release(a);
    presence_state_release(b);
    finish(&memory, heap);
  }
}

/* Pages of a topic that changes between them: who is there throughout is seen exactly once. */
static void a_cursor_stays_good(void **state) {
  (void)state;
  uint64_t seed = seed_for("cursor");
  for (size_t m = 0; m < sizeof masks / sizeof *masks; m++) {
    struct memory memory;
    presence_heap *heap;
    begin(&memory, &heap, masks[m]);
    presence_state *s = presence_state_new(heap), *out;
    char room[16], last[16];
    for (unsigned i = 0; i < KEYS; i++)
      s = tracked(s, "t", key_of(room, i).bytes, i, "1");
    unsigned seen[KEYS] = {0};
    presence_string key, cursor = {last, 0};
    presence_entry_iter iter;
    presence_entry_iter_init(&iter, presence_find_topic(s, str("t")));
    for (const presence_entry *entry = NULL;;) {
      unsigned page = 0;
      while (page < 9 && (entry = presence_entry_iter_next(&iter, &key))) {
        seen[presence_meta_pid(presence_entry_at(entry, 0)).integer]++;
        memcpy(last, key.bytes, key.size);
        cursor.size = key.size;
        page++;
      }
      if (!entry) break;
      /* Odd keys come and go; the one the cursor names may be among them. */
      for (unsigned edits = 0; edits < 20; edits++) {
        unsigned number = below(&seed, KEYS / 2) * 2 + 1;
        presence_string odd = key_of(room, number);
        if (presence_get(s, str("t"), odd))
          presence_untrack(s, str("t"), odd, pid(number), &out);
        else
          presence_track(s, str("t"), odd, pid(number), str("1"), &out);
        presence_state_release(s);
        s = out;
      }
      presence_entry_iter_seek(&iter, presence_find_topic(s, str("t")), cursor);
    }
    for (unsigned i = 0; i < KEYS; i += 2)
      assert_int_equal(seen[i], 1);
    presence_state_release(s);
    finish(&memory, heap);
  }
}

static void a_cursor_past_the_end_and_in_nothing(void **state) {
  (void)state;
  struct memory memory;
  presence_heap *heap;
  begin(&memory, &heap, UINT64_MAX);
  presence_state *s = tracked(presence_state_new(heap), "t", "only", 1, "1");
  presence_entry_iter iter;
  presence_string key;
  presence_entry_iter_seek(&iter, presence_find_topic(s, str("t")), str("only"));
  assert_null(presence_entry_iter_next(&iter, &key));
  presence_entry_iter_seek(&iter, NULL, str("only"));
  assert_null(presence_entry_iter_next(&iter, &key));
  presence_state_release(s);
  finish(&memory, heap);
}

/* SipHash-1-3 by an independent reading of the paper's definition, byte by byte. */
static uint64_t plain_siphash(const unsigned char *key, const unsigned char *bytes, size_t size) {
  uint64_t k[2] = {0, 0}, v[4];
  for (int i = 0; i < 16; i++)
    k[i / 8] |= (uint64_t)key[i] << (8 * (i % 8));
  const char *constants = "somepseudorandomlygeneratedbytes";
  for (int i = 0; i < 4; i++) {
    v[i] = k[i % 2];
    uint64_t word = 0;
    for (int j = 0; j < 8; j++)
      word = word << 8 | (unsigned char)constants[8 * i + j];
    v[i] ^= word;
  }
  uint64_t m = 0;
  size_t words = size / 8 + 1;
  for (size_t w = 0; w < words + 3; w++) {
    if (w < words) {
      m = w == words - 1 ? (uint64_t)size << 56 : 0;
      for (size_t j = 0; j < 8 && 8 * w + j < size; j++)
        m |= (uint64_t)bytes[8 * w + j] << (8 * j);
      v[3] ^= m;
    } else {
      m = 0;
      if (w == words) v[2] ^= 0xff;
    }
#define ROTATE(x, by) ((x) << (by) | (x) >> (64 - (by)))
    v[0] += v[1], v[2] += v[3];
    v[1] = ROTATE(v[1], 13), v[3] = ROTATE(v[3], 16);
    v[1] ^= v[0], v[3] ^= v[2];
    v[0] = ROTATE(v[0], 32);
    v[2] += v[1], v[0] += v[3];
    v[1] = ROTATE(v[1], 17), v[3] = ROTATE(v[3], 21);
    v[1] ^= v[2], v[3] ^= v[0];
    v[2] = ROTATE(v[2], 32);
    if (w < words) v[0] ^= m;
  }
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static void the_hash_is_siphash(void **state) {
  (void)state;
  unsigned char key[16], bytes[64];
  for (unsigned i = 0; i < 16; i++)
    key[i] = (unsigned char)i;
  for (unsigned i = 0; i < 64; i++)
    bytes[i] = (unsigned char)(i * 7);
  presence__hash_weaken(key, UINT64_MAX);
  for (size_t size = 0; size <= sizeof bytes; size++) {
    /* From every alignment, and with nothing behind that could be read. */
    char *exact = malloc(size ? size : 1);
    memcpy(exact, bytes, size);
    assert_true(presence__hash(exact, size) == plain_siphash(key, bytes, size));
    free(exact);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(equal_content_has_equal_shape),
      cmocka_unit_test(a_cursor_stays_good),
      cmocka_unit_test(a_cursor_past_the_end_and_in_nothing),
      cmocka_unit_test(the_hash_is_siphash),
  };
  return cmocka_run_group_tests_name("core: tries", tests, NULL, NULL);
}
