/* Edges of the net room: every close code, values with tabs, hosts with odd bytes, an outbox that
   cannot grow. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failing_allocator.h"
#include "net/frame.h"
#include "net/http.h"
#include "net/outbox.h"

static void close_codes_are_those_of_the_rfc(void **state) {
  (void)state;
  static const unsigned allowed[] = {1000, 1001, 1002, 1003, 1007, 1008,
                                     1009, 1010, 1011, 1012, 1013, 1014};
  size_t next = 0;
  for (unsigned code = 0; code < 65536; code++) {
    bool wanted = code >= 3000 && code < 5000;
    if (next < sizeof allowed / sizeof *allowed && code == allowed[next]) {
      wanted = true;
      next++;
    }
    assert_int_equal(presence__ws_close_code_valid(code), wanted);
  }
}

static enum presence__http_result parse(const char *head, struct presence__http_request *out) {
  return presence__http_parse(head, strlen(head), 1000, 10, out);
}

static void a_value_may_hold_tabs(void **state) {
  (void)state;
  static const char head[] = "GET / HTTP/1.1\r\nHost: a\r\nX: \t a\tb \t\r\n\r\n";
  struct presence__http_request request;
  struct presence__http_span name, value;
  assert_int_equal(parse(head, &request), PRESENCE__HTTP_DONE);
  assert_true(presence__http_next_header(&request.fields, &name, &value));
  assert_true(presence__http_next_header(&request.fields, &name, &value));
  assert_int_equal(value.size, 3);
  assert_memory_equal(value.text, "a\tb", 3);
  assert_false(presence__http_next_header(&request.fields, &name, &value));
}

static void hosts_are_printable_and_no_urls(void **state) {
  (void)state;
  for (int byte = 1; byte < 256; byte++) {
    char head[64];
    struct presence__http_request request;
    snprintf(head, sizeof head, "GET / HTTP/1.1\r\nHost: a%cb\r\n\r\n", byte);
    bool wanted = byte > 0x20 && byte < 0x7f && !strchr("/?#@,\\", byte);
    enum presence__http_result result = parse(head, &request);
    if (byte == '\n' || byte == '\r') wanted = false;
    assert_int_equal(result, wanted ? PRESENCE__HTTP_DONE : PRESENCE__HTTP_BAD);
  }
}

static void an_outbox_does_not_outgrow_memory(void **state) {
  (void)state;
  struct failing memory;
  struct presence__outbox o;
  failing_init(&memory, 0);
  struct presence__message *m = presence__message_new(&memory.allocator, PRESENCE__WS_OP_TEXT, 0);
  presence__outbox_init(&o, &memory.allocator);
  /* So many messages cannot be queued in a test: their number is written. */
  long requests = memory.requests;
  o.capacity = o.count = SIZE_MAX / 16 + 1;
  assert_false(presence__outbox_add(&o, m));
  assert_int_equal(memory.requests, requests);
  o.capacity = o.count = 0;
  presence__outbox_clear(&o);
  presence__message_release(m);
  assert_int_equal(memory.blocks_alive, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(close_codes_are_those_of_the_rfc),
      cmocka_unit_test(a_value_may_hold_tabs),
      cmocka_unit_test(hosts_are_printable_and_no_urls),
      cmocka_unit_test(an_outbox_does_not_outgrow_memory),
  };
  return cmocka_run_group_tests_name("net: edges", tests, NULL, NULL);
}
