/* Request heads: what is read, and every form that two readers could take differently. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/http.h"
#include "net/query.h"

/* Parses an exact copy, so that sanitizers see a read beyond it. */
static enum presence__http_result parse(const char *bytes, size_t n,
                                        struct presence__http_request *out, char **copy) {
  *copy = malloc(n ? n : 1);
  assert_non_null(*copy);
  memcpy(*copy, bytes, n);
  return presence__http_parse(*copy, n, 1000, 20, out);
}

static void span_is(struct presence__http_span span, const char *text) {
  assert_int_equal(span.size, strlen(text));
  assert_memory_equal(span.text, text, span.size);
}

static void reads_a_head(void **state) {
  (void)state;
  static const char head[] = "GET /socket/websocket?vsn=2.0.0&a=?b HTTP/1.1\r\n"
                             "Host: example.org:4000\r\n"
                             "upgrade:websocket\r\n"
                             "X-Empty:\r\n"
                             "X-Space: \t a b\t \r\n"
                             "X-Latin: caf\xE9\r\n"
                             "\r\nbody";
  static const char *const headers[][2] = {{"Host", "example.org:4000"},
                                           {"upgrade", "websocket"},
                                           {"X-Empty", ""},
                                           {"X-Space", "a b"},
                                           {"X-Latin", "caf\xE9"}};
  struct presence__http_request request;
  struct presence__http_span name, value;
  assert_int_equal(presence__http_parse(head, sizeof head - 1, 1000, 5, &request),
                   PRESENCE__HTTP_DONE);
  span_is(request.method, "GET");
  span_is(request.target, "/socket/websocket?vsn=2.0.0&a=?b");
  span_is(request.path, "/socket/websocket");
  span_is(request.query, "vsn=2.0.0&a=?b");
  assert_int_equal(request.minor, 1);
  assert_int_equal(request.header_count, 5);
  assert_int_equal(request.head_bytes, sizeof head - 5);
  for (size_t i = 0; i < 5; i++) {
    assert_true(presence__http_next_header(&request.fields, &name, &value));
    span_is(name, headers[i][0]);
    span_is(value, headers[i][1]);
  }
  assert_false(presence__http_next_header(&request.fields, &name, &value));
  assert_true(presence__http_name_is((struct presence__http_span){"HoSt", 4}, "host"));
  assert_false(presence__http_name_is((struct presence__http_span){"Hos", 3}, "host"));
  assert_false(presence__http_name_is((struct presence__http_span){"hosts", 5}, "host"));
  assert_int_equal(presence__http_parse(head, sizeof head - 1, 1000, 4, &request),
                   PRESENCE__HTTP_TOO_LARGE);
}

static const char *const good[] = {
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.0\r\n\r\n",
    "GET /? HTTP/1.0\r\n\r\n",
    "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
    "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    "M-SEARCH! /a HTTP/1.1\r\nHost:\r\n\r\n",
    "GET /%00\"<>{}|\\^` HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n!#$%&'*+-.^_`|~09azAZ: x\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nCookie: a=1\r\ncookie: b=2\r\n\r\n",
};

/* The same head is needed whole: every shorter part asks for more. */
static void every_part_of_a_good_head_needs_more(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    for (size_t n = 0; n <= strlen(good[i]); n++) {
      struct presence__http_request request;
      char *copy;
      enum presence__http_result result = parse(good[i], n, &request, &copy);
      if (result != (n < strlen(good[i]) ? PRESENCE__HTTP_NEEDS_MORE : PRESENCE__HTTP_DONE))
        fail_msg("head %zu, %zu bytes: %s", i, n, request.reason ? request.reason : "done");
      free(copy);
    }
  }
}

static const struct {
  const char *head;
  const char *reason;
} bad[] = {
    {"\r\n", "bad method"},
    {"\n", "bad method"},
    {" GET / HTTP/1.1\r\n", "bad method"},
    {"G(T / HTTP/1.1\r\n", "bad method"},
    {"GET\t/ HTTP/1.1\r\n", "bad method"},
    {"GET\r\n", "bad method"},
    {"GET \r\n", "target does not start with a slash"},
    {"GET  / HTTP/1.1\r\n", "target does not start with a slash"},
    {"GET * HTTP/1.1\r\n", "target does not start with a slash"},
    {"GET http://a/ HTTP/1.1\r\n", "target does not start with a slash"},
    {"CONNECT a:80 HTTP/1.1\r\n", "target does not start with a slash"},
    {"GET /\r\n", "version is missing"},
    {"GET /a#b HTTP/1.1\r\n", "bad character in the target"},
    {"GET /a\tb HTTP/1.1\r\n", "bad character in the target"},
    {"GET /\xC3\xA9 HTTP/1.1\r\n", "bad character in the target"},
    {"GET /\x7F HTTP/1.1\r\n", "bad character in the target"},
    {"GET / HTTP/1.1 \r\n", "version is not HTTP/1.0 or HTTP/1.1"},
    {"GET /  HTTP/1.1\r\n", "version is not HTTP/1.0 or HTTP/1.1"},
    {"GET / b HTTP/1.1\r\n", "version is not HTTP/1.0 or HTTP/1.1"},
    {"GET / HTTP/1.2\r\n", "version is not HTTP/1.0 or HTTP/1.1"},
    {"GET / HTTP/2.0\r\n", "version is not HTTP/1.0 or HTTP/1.1"},
    {"PRI / HTTP/2\r\n", "version is not HTTP/1.0 or HTTP/1.1"},
    {"GET / http/1.1\r\n", "version is not HTTP/1.0 or HTTP/1.1"},
    {"GET / HTTP/1.10\r\n", "version is not HTTP/1.0 or HTTP/1.1"},
    {"GET / HTTP/1.1\n", "line feed without carriage return"},
    {"GET / HTTP/1.1\r\r\n", "version is not HTTP/1.0 or HTTP/1.1"},
    {"GET / HTTP/1.1\r\nHost: a\n\r\n", "line feed without carriage return"},
    {"GET / HTTP/1.1\r\nHost: a\r\n\n", "line feed without carriage return"},
    {"GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", "control character in a header"},
    {"GET / HTTP/1.1\r\nHost: a\r\nX: a\x01\r\n\r\n", "control character in a header"},
    {"GET / HTTP/1.1\r\nHost: a\r\nX: a\x7F\r\n\r\n", "control character in a header"},
    {"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\r\n\r\n", "control character in a header"},
    {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", "bad header name"},
    {"GET / HTTP/1.1\r\nHost\t: a\r\n\r\n", "bad header name"},
    {"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n", "bad header name"},
    {"GET / HTTP/1.1\r\n: a\r\n\r\n", "bad header name"},
    {"GET / HTTP/1.1\r\nHost\r\n\r\n", "bad header name"},
    {"GET / HTTP/1.1\r\nH\xC3\xA9: a\r\n\r\n", "bad header name"},
    {"GET / HTTP/1.1\r\nA\rB: a\r\n\r\n", "bad header name"},
    {"GET / HTTP/1.1\r\nA(B: a\r\n\r\n", "bad header name"},
    {"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", "folded header"},
    {"GET / HTTP/1.1\r\nHost: a\r\n\tfolded\r\n\r\n", "folded header"},
    {"GET / HTTP/1.1\r\n Host: a\r\n\r\n", "folded header"},
    {"GET / HTTP/1.1\r\nA: b\r\n\r\n", "Host is missing"},
    {"GET / HTTP/1.1\r\n\r\n", "Host is missing"},
    {"GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", "more than one Host"},
    {"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", "more than one Host"},
    {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "bad Host"},
    {"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", "bad Host"},
    {"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", "bad Host"},
    {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "bad Host"},
    {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
     "more than one Content-Length"},
    {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nCONTENT-LENGTH: 2\r\n\r\n",
     "more than one Content-Length"},
    {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n", "bad Content-Length"},
    {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n", "bad Content-Length"},
    {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", "bad Content-Length"},
    {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\n", "bad Content-Length"},
    {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1 2\r\n\r\n", "bad Content-Length"},
    {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", "bad Content-Length"},
    {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999999999\r\n\r\n", "bad Content-Length"},
    {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
     "Content-Length beside Transfer-Encoding"},
    {"GET / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: x\r\nContent-Length: 1\r\n\r\n",
     "Content-Length beside Transfer-Encoding"},
    {"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "Transfer-Encoding in HTTP/1.0"},
};

static void refuses_what_can_be_read_in_two_ways(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    bool refused = false;
    for (size_t n = 0; n <= strlen(bad[i].head); n++) {
      struct presence__http_request request;
      char *copy;
      enum presence__http_result result = parse(bad[i].head, n, &request, &copy);
      free(copy);
      assert_true(result == PRESENCE__HTTP_NEEDS_MORE || result == PRESENCE__HTTP_BAD);
      /* Once refused, more bytes change nothing. */
      if (result == PRESENCE__HTTP_NEEDS_MORE && refused) fail_msg("head %zu, %zu bytes", i, n);
      if (result == PRESENCE__HTTP_BAD) assert_non_null(request.reason);
      refused = result == PRESENCE__HTTP_BAD;
      if (n == strlen(bad[i].head)) {
        if (!refused || strcmp(request.reason, bad[i].reason) != 0)
          fail_msg("head %zu: %s", i, refused ? request.reason : "accepted");
      }
    }
  }
}

static void refuses_nul_everywhere(void **state) {
  (void)state;
  static const char head[] = "GET /ab HTTP/1.1\r\nHost: a\r\nX: abc\r\n\r\n";
  char copy[sizeof head];
  for (size_t i = 0; i < sizeof head - 1; i++) {
    struct presence__http_request request;
    memcpy(copy, head, sizeof head);
    copy[i] = '\0';
    enum presence__http_result result =
        presence__http_parse(copy, sizeof head - 1, 1000, 20, &request);
    /* In place of the last line's end the head is merely not whole. */
    assert_true(result == PRESENCE__HTTP_BAD ||
                (i == sizeof head - 2 && result == PRESENCE__HTTP_NEEDS_MORE));
  }
}

static void limits_the_head_exactly(void **state) {
  (void)state;
  static const char head[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\nand a long body behind it";
  size_t whole = (size_t)(strstr(head, "\r\n\r\n") + 4 - head);
  struct presence__http_request request;
  for (size_t most = 1; most < sizeof head; most++) {
    enum presence__http_result result =
        presence__http_parse(head, sizeof head - 1, most, 20, &request);
    assert_int_equal(result, most < whole ? PRESENCE__HTTP_TOO_LARGE : PRESENCE__HTTP_DONE);
    for (size_t n = 0; n < most && n < whole; n++)
      assert_int_equal(presence__http_parse(head, n, most, 20, &request),
                       PRESENCE__HTTP_NEEDS_MORE);
  }
  assert_int_equal(presence__http_parse("GET /aaaa", 9, 9, 20, &request), PRESENCE__HTTP_TOO_LARGE);
  assert_int_equal(presence__http_parse(good[0], strlen(good[0]), 1000, 1, &request),
                   PRESENCE__HTTP_DONE);
  assert_int_equal(presence__http_parse(good[0], strlen(good[0]), 1000, 0, &request),
                   PRESENCE__HTTP_TOO_LARGE);
}

static void reads_query_pairs(void **state) {
  (void)state;
  static const struct {
    const char *query;
    const char *pairs; /* name=value; for each, encoded */
  } cases[] = {
      {"", ""},
      {"&&", ""},
      {"a", "a=;"},
      {"a=", "a=;"},
      {"=b", "=b;"},
      {"=", "=;"},
      {"a=1&b=2", "a=1;b=2;"},
      {"&a=1&&b=2&", "a=1;b=2;"},
      {"a=b=c", "a=b=c;"},
      {"a[b]=c&a%5Bd%5D=e", "a[b]=c;a%5Bd%5D=e;"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char text[100] = "";
    size_t n = 0;
    const char *at = cases[i].query;
    struct presence__query_pair pair;
    while (presence__query_next(&at, cases[i].query + strlen(cases[i].query), &pair))
      n += (size_t)snprintf(text + n, sizeof text - n, "%.*s=%.*s;", (int)pair.name_size, pair.name,
                            (int)pair.value_size, pair.value);
    assert_string_equal(text, cases[i].pairs);
  }
}

static void decodes_percents(void **state) {
  (void)state;
  static const struct {
    const char *text;
    const char *decoded; /* NULL: refused */
  } cases[] = {
      {"", ""},
      {"a+b", "a b"},
      {"%2B%2b", "++"},
      {"%C3%A9", "\xC3\xA9"},
      {"\xC3\xA9", "\xC3\xA9"},
      {"%f0%9f%98%80", "\xF0\x9F\x98\x80"},
      {"%", NULL},
      {"%4", NULL},
      {"a%4", NULL},
      {"%4g", NULL},
      {"%g4", NULL},
      {"%%41", NULL},
      {"%u0041", NULL},
      {"%C3", NULL},
      {"%ED%A0%80", NULL},
      {"\xFF", NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    size_t n = strlen(cases[i].text), size;
    char *copy = malloc(n + 1), *dst = malloc(n + 1);
    assert_true(copy && dst);
    memcpy(copy, cases[i].text, n);
    const char *fault = presence__query_decode(copy, n, dst, &size);
    assert_int_equal(fault == NULL, cases[i].decoded != NULL);
    if (!fault) {
      assert_int_equal(size, strlen(cases[i].decoded));
      assert_memory_equal(dst, cases[i].decoded, size);
    }
    free(copy);
    free(dst);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_a_head),
      cmocka_unit_test(every_part_of_a_good_head_needs_more),
      cmocka_unit_test(refuses_what_can_be_read_in_two_ways),
      cmocka_unit_test(refuses_nul_everywhere),
      cmocka_unit_test(limits_the_head_exactly),
      cmocka_unit_test(reads_query_pairs),
      cmocka_unit_test(decodes_percents),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
