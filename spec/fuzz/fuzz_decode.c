/* The binary form from a stranger. The first byte says whether the checksum is taken as it comes or
   made right, so that the rules behind it are reached. What decodes must be a whole state, written
   again to as many bytes (each content has one form, the order of names apart) and read again to
   the same content; what does not must leave nothing behind. */
#include "core/binary.h"
#include "core/hash.h"
#include "core_kit.h"
#include "fuzz_kit.h"

/* The checksum of the form, as core/binary.h tells it. */
static void seal(char *form, size_t size) {
  uint64_t checksum = 0;
  for (size_t at = 0, block = 0; at < size; at += PRESENCE__BLOCK_BYTES, block++) {
    size_t piece = size - at < PRESENCE__BLOCK_BYTES ? size - at : PRESENCE__BLOCK_BYTES;
    checksum = presence__siphash(checksum, block, form + at, piece);
  }
  for (unsigned i = 0; i < PRESENCE__CHECKSUM_BYTES; i++)
    form[size + i] = (char)(checksum >> (8 * i));
}

static void check_decoded(presence_heap *heap, const presence_state *state, size_t size) {
  struct text form;
  presence_state *again;
  LAW_NO_FAULT(presence__check(state, NULL));
  LAW(presence_encode(state, text_sink(&form)) == PRESENCE_OK);
  LAW(form.size == size);
  presence_string bytes = {form.bytes, form.size};
  LAW(presence_decode(heap, bytes, &again) == PRESENCE_OK);
  LAW(presence_equal(state, again));
  presence_state_release(again);
  /* One bit elsewhere, or one byte less, and it is refused. */
  form.bytes[form.size / 2] ^= 1;
  LAW(presence_decode(heap, bytes, &again) == PRESENCE_DAMAGED);
  form.bytes[form.size / 2] ^= 1;
  bytes.size--;
  LAW(presence_decode(heap, bytes, &again) == PRESENCE_DAMAGED);
  free(form.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  static const unsigned char seed[16] = {7, 8, 9};
  struct memory memory;
  struct input in = {bytes, bytes + size};
  unsigned roll = input_byte(&in);
  presence__hash_weaken(seed, roll & 2 ? 0 : UINT64_MAX);
  presence_heap *heap = memory_heap(&memory, roll & 4);
  const size_t bytes_before = memory.bytes_alive;
  if (roll & 8) memory.fail_at = memory.requests + 1 + input_byte(&in);
  memory.and_after = roll & 16;
  size_t body = input_left(&in);
  char *form = malloc(body + PRESENCE__CHECKSUM_BYTES);
  LAW(form != NULL);
  if (body) memcpy(form, in.at, body);
  if (!(roll & 1)) {
    seal(form, body);
    body += PRESENCE__CHECKSUM_BYTES;
  }
  char *exact = exact_copy(form, body);
  presence_state *state = NULL;
  enum presence_status status = presence_decode(heap, (presence_string){exact, body}, &state);
  free(exact);
  free(form);
  /* A pooled heap takes whole chunks. */
  if (roll & 4) LAW(memory.most_alive - bytes_before <= 64 * body);
  bool ran_out = memory.failed > 0;
  memory.fail_at = 0;
  if (status == PRESENCE_OK) {
    check_decoded(heap, state, body);
    presence_state_release(state);
  } else {
    LAW(state == NULL);
    LAW(status == PRESENCE_DAMAGED || (ran_out && status == PRESENCE_OUT_OF_MEMORY));
  }
  presence_heap_usage usage;
  while (presence_heap_work(heap, 1000))
    continue;
  presence_heap_stats(heap, &usage);
  LAW(usage.live_bytes == 0);
  presence_heap_free(heap);
  LAW(memory.blocks_alive == 0);
  return 0;
}
