/* Heads of requests, query strings and base64. A head must be judged alike however much of it has
   come: whole once is whole with more behind it, refused once is refused for good; what is accepted
   must keep the promises of net/http.h, and written again from its parts be read the same. */
#include "fuzz_kit.h"
#include "json_reference.h"
#include "net/http.h"
#include "net/query.h"
#include "text/base64.h"
#include "text/buf.h"

/* ---- Heads ---- */

static bool inside(struct presence__http_span span, const char *bytes, size_t n) {
  return span.text >= bytes && span.text + span.size <= bytes + n;
}

static bool is_token(struct presence__http_span name) {
  for (size_t i = 0; i < name.size; i++) {
    char c = name.text[i];
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter && (c == '\0' || !strchr("!#$%&'*+-.^_`|~", c))) return false;
  }
  return name.size > 0;
}

static void append(struct presence__buf *b, struct presence__http_span span) {
  presence__buf_append(b, span.text, span.size);
}

static void append_text(struct presence__buf *b, const char *text) {
  presence__buf_append(b, text, strlen(text));
}

static void check_value(struct presence__http_span value) {
  for (size_t i = 0; i < value.size; i++) {
    unsigned char c = (unsigned char)value.text[i];
    LAW((c >= 0x20 || c == '\t') && c != 0x7F);
  }
  if (value.size == 0) return;
  LAW(!strchr(" \t", value.text[0]) && !strchr(" \t", value.text[value.size - 1]));
}

/* The head written from its parts; the headers are checked on the way. */
static void rewrite(const struct presence__http_request *r, struct presence__buf *b) {
  struct presence__http_span fields = r->fields, name, value;
  size_t count = 0, hosts = 0, lengths = 0, encodings = 0;
  append(b, r->method);
  append_text(b, " ");
  append(b, r->target);
  append_text(b, r->minor ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n");
  for (; presence__http_next_header(&fields, &name, &value); count++) {
    LAW(is_token(name));
    check_value(value);
    hosts += presence__http_name_is(name, "host");
    lengths += presence__http_name_is(name, "content-length");
    encodings += presence__http_name_is(name, "transfer-encoding");
    append(b, name);
    append_text(b, ":");
    append(b, value);
    append_text(b, "\r\n");
  }
  append_text(b, "\r\n");
  LAW(count == r->header_count);
  LAW(hosts <= 1 && hosts >= (size_t)r->minor);
  LAW(lengths <= 1 && !(lengths && encodings) && (r->minor || !encodings));
}

static bool same_span(struct presence__http_span a, struct presence__http_span b) {
  return same_bytes(a.text, a.size, b.text, b.size);
}

static void check_request(const struct presence__http_request *r, const char *bytes, size_t n) {
  LAW(r->head_bytes <= n && same_bytes(bytes + r->head_bytes - 2, 2, "\r\n", 2));
  LAW(inside(r->method, bytes, n) && inside(r->target, bytes, n) && inside(r->path, bytes, n));
  LAW(inside(r->fields, bytes, n) && is_token(r->method) && !r->reason);
  LAW(r->target.size > 0 && r->target.text[0] == '/' && r->path.text == r->target.text);
  for (size_t i = 0; i < r->target.size; i++)
    LAW(r->target.text[i] > 0x20 && r->target.text[i] < 0x7F && r->target.text[i] != '#');
  LAW(memchr(r->path.text, '?', r->path.size) == NULL);
  size_t query_bytes = r->query.text ? r->query.size + 1 : 0;
  LAW(r->path.size + query_bytes == r->target.size);
  struct presence__buf b;
  struct presence__http_request again;
  presence__buf_init(&b, NULL);
  rewrite(r, &b);
  LAW(presence__http_parse(b.data, b.size, SIZE_MAX, r->header_count, &again) ==
      PRESENCE__HTTP_DONE);
  LAW(same_span(again.method, r->method) && same_span(again.target, r->target));
  LAW(same_span(again.query, r->query) && again.minor == r->minor);
  LAW(again.header_count == r->header_count && again.head_bytes == b.size);
  presence__buf_free(&b);
}

static void check_head(const char *bytes, size_t n, size_t max_bytes, size_t max_headers,
                       size_t step) {
  struct presence__http_request whole, part;
  enum presence__http_result verdict =
      presence__http_parse(bytes, n, max_bytes, max_headers, &whole);
  LAW((verdict == PRESENCE__HTTP_BAD || verdict == PRESENCE__HTTP_TOO_LARGE) == !!whole.reason);
  if (verdict == PRESENCE__HTTP_NEEDS_MORE) LAW(n < max_bytes);
  if (verdict == PRESENCE__HTTP_DONE) {
    LAW(whole.head_bytes <= max_bytes && whole.header_count <= max_headers);
    check_request(&whole, bytes, n);
  }
  for (size_t i = 0; i < n; i += step) {
    char *exact = exact_copy(bytes, i);
    enum presence__http_result early =
        presence__http_parse(exact, i, max_bytes, max_headers, &part);
    LAW(early == PRESENCE__HTTP_NEEDS_MORE || early == verdict);
    if (verdict == PRESENCE__HTTP_DONE)
      LAW((early == PRESENCE__HTTP_DONE) == (i >= whole.head_bytes));
    free(exact);
  }
}

/* ---- Queries ---- */

static void check_decoded(const char *text, size_t n) {
  char *room = exact_copy("", 0), *encoded = malloc(3 * n + 1), *again = malloc(3 * n + 1);
  size_t size = 0, again_size = 0, encoded_size = 0;
  room = realloc(room, n ? n : 1);
  const char *fault = presence__query_decode(text, n, room, &size);
  if (!fault) {
    LAW(size <= n && reference_utf8(room, size));
    for (size_t i = 0; i < size; i++)
      encoded_size += (size_t)snprintf(encoded + encoded_size, 4, i % 2 ? "%%%02x" : "%%%02X",
                                       (unsigned char)room[i]);
    LAW(!presence__query_decode(encoded, encoded_size, again, &again_size));
    LAW(same_bytes(again, again_size, room, size));
  }
  free(room);
  free(encoded);
  free(again);
}

static void check_query(const char *text, size_t n) {
  const char *at = text, *before = text;
  struct presence__query_pair pair;
  while (presence__query_next(&at, text + n, &pair)) {
    LAW(at > before && at <= text + n);
    LAW(pair.name >= before && pair.name + pair.name_size <= pair.value);
    LAW(pair.value + pair.value_size == at);
    LAW(!memchr(pair.name, '&', (size_t)(at - pair.name)));
    LAW(!memchr(pair.name, '=', pair.name_size));
    check_decoded(pair.name, pair.name_size);
    check_decoded(pair.value, pair.value_size);
    before = at;
  }
  for (; before < text + n; before++)
    LAW(*before == '&');
}

/* ---- Base64 ---- */

static void check_base64(const char *bytes, size_t n) {
  size_t size = presence__base64_encoded_size(n), decoded_size = 0;
  char *encoded = malloc(size + 1), *decoded = malloc(presence__base64_decoded_bound(size));
  presence__base64_encode(encoded, bytes, n);
  LAW(presence__base64_decode(decoded, &decoded_size, encoded, size, false));
  LAW(same_bytes(decoded, decoded_size, bytes, n));
  while (size > 0 && encoded[size - 1] == '=')
    size--;
  LAW(presence__base64_decode(decoded, &decoded_size, encoded, size, false));
  LAW(same_bytes(decoded, decoded_size, bytes, n));
  free(encoded);
  free(decoded);
}

/* What decodes is the one text of its bytes, padding apart. */
static void check_base64_text(const char *text, size_t n, bool url_safe) {
  char *decoded = malloc(presence__base64_decoded_bound(n)), *encoded;
  size_t size = 0, encoded_size;
  if (presence__base64_decode(decoded, &size, text, n, url_safe)) {
    encoded_size = presence__base64_encoded_size(size);
    encoded = malloc(encoded_size + 1);
    presence__base64_encode(encoded, decoded, size);
    for (size_t i = 0; i < encoded_size && url_safe; i++)
      encoded[i] = encoded[i] == '+' ? '-' : encoded[i] == '/' ? '_' : encoded[i];
    LAW(n <= encoded_size && same_bytes(encoded, n, text, n));
    for (size_t i = n; i < encoded_size; i++)
      LAW(encoded[i] == '=');
    free(encoded);
  }
  free(decoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  struct input in = {bytes, bytes + size};
  unsigned roll = input_byte(&in), limit = input_byte(&in);
  size_t n = input_left(&in);
  char *text = exact_copy(in.at, n);
  size_t max_bytes = roll & 1 ? (size_t)limit * 4 : 8192, max_headers = roll & 2 ? limit % 4 : 100;
  check_head(text, n, max_bytes, max_headers, n < 300 ? 1 : 1 + n / 100);
  check_query(text, n);
  check_base64(text, n);
  check_base64_text(text, n, roll & 4);
  free(text);
  return 0;
}
