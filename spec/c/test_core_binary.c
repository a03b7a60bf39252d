/* The compact form: what is written is read, and nothing else is. */
#include "cmocka_all.h"
#include "core/binary.h"
#include "core/hash.h"
#include "core_kit.h"

struct fixture {
  struct memory memory;
  presence_heap *heap;
  presence_state *sample;
  struct text text; /* the sample, encoded */
};

static presence_state *make_sample(presence_heap *heap) {
  presence_state *s = presence_state_new(heap);
  presence_editor *editor = presence_editor_open(s);
  presence_state_release(s);
  const int64_t pids[] = {0, -1, 63, 64, -65, 1 << 20, PRESENCE_MAX_PID, -PRESENCE_MAX_PID};
  for (size_t i = 0; i < sizeof pids / sizeof *pids; i++)
    presence_editor_track(editor, str("t"), str("k"), pid(pids[i]), str("[1, \"two\"]"));
  for (int64_t i = 0; i < 20; i++)
    presence_editor_track(editor, str("many"), str("k"), pid(i % 13), str("1"));
  presence_editor_track(editor, str(""), str(""), presence_pid_string("p\0", 2), str("null"));
  presence_editor_track_ref(editor, str("r"), str("a"), pid(1), str("{}"), str("r1"));
  presence_editor_track_ref(editor, str("r"), str("b"), pid(1), str("{\"x\":1}"), str("r2"));
  presence_editor_update_ref(editor, str("r"), str("b"), pid(1), str("{\"x\":2}"), str("r3"));
  return presence_editor_close(editor);
}

static int set_up(void **state) {
  struct fixture *f = malloc(sizeof *f);
  f->heap = memory_heap(&f->memory, false);
  f->sample = make_sample(f->heap);
  *state = f;
  return presence_encode(f->sample, text_sink(&f->text)) != PRESENCE_OK;
}

static int tear_down(void **state) {
  struct fixture *f = *state;
  free(f->text.bytes);
  presence_state_release(f->sample);
  presence_heap_free(f->heap);
  long left = f->memory.blocks_alive;
  free(f);
  return left != 0;
}

static void what_is_written_is_read(void **state) {
  struct fixture *f = *state;
  presence_state *back;
  presence_string bytes = {f->text.bytes, f->text.size};
  assert_int_equal(presence_decode(f->heap, bytes, &back), PRESENCE_OK);
  assert_null(presence__check(back, NULL));
  assert_true(presence_equal(f->sample, back));
  struct text again;
  assert_int_equal(presence_encode(back, text_sink(&again)), PRESENCE_OK);
  assert_int_equal(again.size, f->text.size);
  assert_memory_equal(again.bytes, f->text.bytes, again.size);
  free(again.bytes);
  presence_state_release(back);
}

static void empty_and_large_states_are_read(void **state) {
  struct fixture *f = *state;
  presence_state *s = presence_state_new(f->heap);
  for (int count = 0; count <= 2000; count += 1000) {
    char key[16];
    for (int i = 0; i < count; i++) {
      snprintf(key, sizeof key, "k%d", i);
      s = tracked(s, "t", key, i, "{\"device\":\"phone\"}");
    }
    struct text text;
    presence_state *back;
    assert_int_equal(presence_encode(s, text_sink(&text)), PRESENCE_OK);
    presence_string bytes = {text.bytes, text.size};
    assert_int_equal(presence_decode(f->heap, bytes, &back), PRESENCE_OK);
    assert_true(presence_equal(s, back));
    presence_state_release(back);
    free(text.bytes);
  }
  presence_state_release(s);
}

/* Writes the right checksum behind bytes that were changed. */
static void seal(char *bytes, size_t size) {
  uint64_t checksum = 0, blocks = 0;
  size_t end = size - PRESENCE__CHECKSUM_BYTES;
  for (size_t done = 0; done < end; done += PRESENCE__BLOCK_BYTES) {
    size_t block = end - done < PRESENCE__BLOCK_BYTES ? end - done : PRESENCE__BLOCK_BYTES;
    checksum = presence__siphash(checksum, blocks++, bytes + done, block);
  }
  for (size_t i = 0; i < PRESENCE__CHECKSUM_BYTES; i++)
    bytes[end + i] = (char)(checksum >> (8 * i));
}

static enum presence_status decode(struct fixture *f, const char *bytes, size_t size) {
  presence_state *back = NULL;
  /* A copy of this very size, so that a memory checker sees a byte too far. */
  char *copy = malloc(size ? size : 1);
  memcpy(copy, bytes, size);
  enum presence_status status = presence_decode(f->heap, (presence_string){copy, size}, &back);
  if (status == PRESENCE_OK) {
    assert_null(presence__check(back, NULL));
    presence_state_release(back);
  }
  free(copy);
  return status;
}

static void anything_damaged_is_refused(void **state) {
  struct fixture *f = *state;
  size_t size = f->text.size;
  for (size_t cut = 0; cut < size; cut++)
    assert_int_equal(decode(f, f->text.bytes, cut), PRESENCE_DAMAGED);
  char *bytes = malloc(size + 1);
  memcpy(bytes, f->text.bytes, size);
  bytes[size] = '\0';
  assert_int_equal(decode(f, bytes, size + 1), PRESENCE_DAMAGED);
  for (size_t at = 0; at < size; at++)
    for (unsigned bit = 0; bit < 8; bit++) {
      bytes[at] ^= (char)(1 << bit);
      assert_int_equal(decode(f, bytes, size), PRESENCE_DAMAGED);
      bytes[at] ^= (char)(1 << bit);
    }
  free(bytes);
}

/* With a right checksum, bytes are either refused or make a state that is whole. */
static void forgeries_do_no_harm(void **state) {
  struct fixture *f = *state;
  uint64_t seed = seed_for("forgeries");
  size_t size = f->text.size;
  char *bytes = malloc(size);
  unsigned read = 0;
  for (unsigned round = 0; round < 20000; round++) {
    memcpy(bytes, f->text.bytes, size);
    for (unsigned changes = 1 + below(&seed, 3); changes > 0; changes--)
      bytes[5 + below(&seed, (unsigned)size - 5)] = (char)roll(&seed);
    size_t kept = below(&seed, 4) ? size : 14 + below(&seed, (unsigned)size - 14);
    seal(bytes, kept);
    enum presence_status status = decode(f, bytes, kept);
    assert_true(status == PRESENCE_OK || status == PRESENCE_DAMAGED);
    read += status == PRESENCE_OK;
  }
  assert_true(read > 0);
  free(bytes);
}

static void rules_of_the_form_are_kept(void **state) {
  struct fixture *f = *state;
#define FORM(text)                                                                                 \
  { text "########", sizeof(text "########") - 1 }
  const struct {
    const char *bytes;
    size_t size;
  } bad[] = {
      FORM("PRSM\1\0"),           /* magic */
      FORM("PRSN\2\0"),           /* version */
      FORM("PRSN\1\x80\0"),       /* a varint with a byte too many */
      FORM("PRSN\1\0\0"),         /* something behind */
      FORM("PRSN\1\1\1t\0"),      /* a topic of no keys */
      FORM("PRSN\1\1\1t\1\1k\0"), /* a key of no metas */
      FORM("PRSN\1\1\1\xff\1\1k\1\0\2\1"
           "1"), /* a topic not UTF-8 */
      FORM("PRSN\1\1\1t\1\1\xff\1\0\2\1"
           "1"),                         /* a key not UTF-8 */
      FORM("PRSN\1\1\1t\1\1k\1\0\2\1x"), /* no JSON */
      FORM("PRSN\1\1\1t\1\1k\1\4\2\1"
           "1"), /* an unknown flag */
      FORM("PRSN\1\1\1t\1\1k\1\2\2\1"
           "1\1r\0"),                            /* a ref on no object */
      FORM("PRSN\1\1\1t\1\1k\1\2\2\2{}\0\0"),    /* an empty ref */
      FORM("PRSN\1\1\1t\1\1k\1\2\2\2{}\1\"\0"),  /* a bad ref */
      FORM("PRSN\1\1\1t\1\1k\1\2\2\2{}\1r\1\""), /* a bad ref before */
      FORM("PRSN\1\1\1t\1\1k\1\2\2\3 {}\1r\0"),  /* white space before an object with a ref */
      FORM("PRSN\1\1\1t\1\1k\1\2\2\3{} \1r\0"),  /* behind it */
      FORM("PRSN\1\1\1t\1\1k\1\2\2\15{\"phx_ref\":1}\1r\0"),           /* a second ref */
      FORM("PRSN\1\1\1t\1\1k\1\2\2\27{\"phx\\u005fref\":\"x\"}\1r\0"), /* escaped */
      FORM("PRSN\1\1\1t\1\1k\1\2\2\22{\"phx_ref_prev\":1}\1r\0"),
      FORM("PRSN\1\1\1t\1\1k\1\0\x82\x80\x80\x80\x80\x80\x80\x20\1"
           "1"), /* a pid over 2^53 */
      FORM("PRSN\1\1\1t\1\1k\1\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\2\1"
           "1"), /* over 2^64 */
      FORM("PRSN\1\1\1t\2\1k\1\0\2\1"
           "1\1k\1\0\2\1"
           "1"), /* a key twice */
      FORM("PRSN\1\2\1t\1\1k\1\0\2\1"
           "1\1t\1\1k\1\0\2\1"
           "1"), /* a topic twice */
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    char bytes[80];
    memcpy(bytes, bad[i].bytes, bad[i].size);
    seal(bytes, bad[i].size);
    assert_int_equal(decode(f, bytes, bad[i].size), PRESENCE_DAMAGED);
  }
  const struct {
    const char *bytes;
    size_t size;
  } good[] = {
      FORM("PRSN\1\1\1t\1\1k\1\2\2\2{}\1r\1q"),
      /* Without a ref, or further inside, the name is the application's. */
      FORM("PRSN\1\1\1t\1\1k\1\0\2\15{\"phx_ref\":1}"),
      FORM("PRSN\1\1\1t\1\1k\1\2\2\23{\"a\":{\"phx_ref\":1}}\1r\1q"),
  };
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    char bytes[80];
    memcpy(bytes, good[i].bytes, good[i].size);
    seal(bytes, good[i].size);
    assert_int_equal(decode(f, bytes, good[i].size), PRESENCE_OK);
  }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(what_is_written_is_read),     TEST(empty_and_large_states_are_read),
      TEST(anything_damaged_is_refused), TEST(forgeries_do_no_harm),
      TEST(rules_of_the_form_are_kept),
  };
  return cmocka_run_group_tests_name("core: binary form", tests, NULL, NULL);
}
