#include "net/http.h"

#include <stdint.h>
#include <string.h>

/* RFC 9110, 5.6.2: letters, digits and "!#$%&'*+-.^_`|~", a bit for each byte below 128. */
static bool is_token_char(unsigned char c) {
  static const uint32_t bits[4] = {0, 0x03FF6CFA, 0xC7FFFFFE, 0x57FFFFFF};
  return c < 128 && (bits[c / 32] >> (c % 32) & 1);
}

static char lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool presence__http_name_is(struct presence__http_span name, const char *s) {
  size_t i = 0;
  for (; i < name.size && s[i] != '\0'; i++) {
    if (lower(name.text[i]) != s[i]) return false;
  }
  return i == name.size && s[i] == '\0';
}

static size_t token_length(const char *p, const char *end) {
  const char *start = p;
  while (p < end && is_token_char((unsigned char)*p))
    p++;
  return (size_t)(p - start);
}

/* End of the line at p (its CR); NULL and *reason when LF stands alone, NULL alone when the line is
   not whole. */
static const char *line_end(const char *p, const char *end, const char **reason) {
  const char *lf = memchr(p, '\n', (size_t)(end - p));
  if (!lf) return NULL;
  if (lf == p || lf[-1] != '\r') {
    *reason = "line feed without carriage return";
    return NULL;
  }
  return lf - 1;
}

static const char *read_version(const char *p, const char *end,
                                struct presence__http_request *out) {
  if (end - p != 8 || memcmp(p, "HTTP/1.", 7) != 0 || (p[7] != '0' && p[7] != '1'))
    return "version is not HTTP/1.0 or HTTP/1.1";
  out->minor = p[7] - '0';
  return NULL;
}

/* Reads [p, end), a line without its CR LF. Returns what is wrong, or NULL. */
static const char *read_request_line(const char *p, const char *end,
                                     struct presence__http_request *out) {
  out->method.text = p;
  out->method.size = token_length(p, end);
  p += out->method.size;
  if (out->method.size == 0 || p >= end || *p != ' ') return "bad method";
  out->target.text = ++p;
  if (p >= end || *p != '/') return "target does not start with a slash";
  out->path = out->target;
  out->query.text = NULL;
  out->query.size = 0;
  for (; p < end && *p != ' '; p++) {
    unsigned char c = (unsigned char)*p;
    if (c <= 0x20 || c >= 0x7F || c == '#') return "bad character in the target";
    if (c == '?' && !out->query.text) {
      out->path.size = (size_t)(p - out->target.text);
      out->query.text = p + 1;
    }
  }
  out->target.size = (size_t)(p - out->target.text);
  if (out->query.text)
    out->query.size = (size_t)(p - out->query.text);
  else
    out->path.size = out->target.size;
  return p < end ? read_version(p + 1, end, out) : "version is missing";
}

/* Reads [p, end), a line that is not empty. Returns what is wrong, or NULL. */
static const char *read_header(const char *p, const char *end, struct presence__http_span *name,
                               struct presence__http_span *value) {
  name->text = p;
  name->size = token_length(p, end);
  p += name->size;
  if (name->size == 0) return *p == ' ' || *p == '\t' ? "folded header" : "bad header name";
  if (p >= end || *p != ':') return "bad header name";
  p++;
  while (p < end && (*p == ' ' || *p == '\t'))
    p++;
  while (end > p && (end[-1] == ' ' || end[-1] == '\t'))
    end--;
  value->text = p;
  value->size = (size_t)(end - p);
  for (; p < end; p++) {
    unsigned char c = (unsigned char)*p;
    if ((c < 0x20 && c != '\t') || c == 0x7F) return "control character in a header";
  }
  return NULL;
}

/* How often the headers came that decide where a message ends or whom it is for. */
struct framing {
  unsigned hosts;
  unsigned content_lengths;
  unsigned transfer_encodings;
};

static const char *check_host(struct presence__http_span value) {
  for (size_t i = 0; i < value.size; i++) {
    unsigned char c = (unsigned char)value.text[i];
    if (c <= 0x20 || c >= 0x7F || strchr("/?#@,\\", c)) return "bad Host";
  }
  return NULL;
}

static const char *check_header(struct framing *seen, struct presence__http_span name,
                                struct presence__http_span value) {
  if (presence__http_name_is(name, "host")) {
    seen->hosts++;
    return check_host(value);
  }
  if (presence__http_name_is(name, "transfer-encoding")) seen->transfer_encodings++;
  if (!presence__http_name_is(name, "content-length")) return NULL;
  seen->content_lengths++;
  if (value.size == 0 || value.size > 15) return "bad Content-Length";
  for (size_t i = 0; i < value.size; i++) {
    if (value.text[i] < '0' || value.text[i] > '9') return "bad Content-Length";
  }
  return NULL;
}

static const char *check_framing(const struct framing *seen, int minor) {
  if (seen->hosts > 1) return "more than one Host";
  if (seen->hosts == 0 && minor == 1) return "Host is missing";
  if (seen->content_lengths > 1) return "more than one Content-Length";
  if (seen->content_lengths && seen->transfer_encodings)
    return "Content-Length beside Transfer-Encoding";
  if (seen->transfer_encodings && minor == 0) return "Transfer-Encoding in HTTP/1.0";
  return NULL;
}

static enum presence__http_result refuse(struct presence__http_request *out,
                                         enum presence__http_result result, const char *reason) {
  out->reason = reason;
  return result;
}

/* A line is not whole: bad, too large, or to be waited for. */
static enum presence__http_result unfinished(struct presence__http_request *out, size_t n,
                                             size_t max_head_bytes, const char *reason) {
  if (reason) return refuse(out, PRESENCE__HTTP_BAD, reason);
  if (n >= max_head_bytes) return refuse(out, PRESENCE__HTTP_TOO_LARGE, "head too large");
  return PRESENCE__HTTP_NEEDS_MORE;
}

static enum presence__http_result read_headers(const char *p, const char *end, size_t n,
                                               size_t max_head_bytes, size_t max_headers,
                                               struct presence__http_request *out) {
  struct framing seen = {0, 0, 0};
  const char *reason = NULL;
  out->fields.text = p;
  for (;;) {
    struct presence__http_span name, value;
    const char *cr = line_end(p, end, &reason);
    if (!cr) return unfinished(out, n, max_head_bytes, reason);
    if (cr == p) break;
    if (out->header_count++ >= max_headers)
      return refuse(out, PRESENCE__HTTP_TOO_LARGE, "too many headers");
    reason = read_header(p, cr, &name, &value);
    if (!reason) reason = check_header(&seen, name, value);
    if (reason) return refuse(out, PRESENCE__HTTP_BAD, reason);
    p = cr + 2;
  }
  out->fields.size = (size_t)(p - out->fields.text);
  out->head_bytes = out->head_bytes + (size_t)(p + 2 - out->fields.text);
  reason = check_framing(&seen, out->minor);
  return reason ? refuse(out, PRESENCE__HTTP_BAD, reason) : PRESENCE__HTTP_DONE;
}

enum presence__http_result presence__http_parse(const char *bytes, size_t n, size_t max_head_bytes,
                                                size_t max_headers,
                                                struct presence__http_request *out) {
  memset(out, 0, sizeof *out);
  size_t looked_at = n < max_head_bytes ? n : max_head_bytes;
  if (looked_at == 0) return unfinished(out, n, max_head_bytes, NULL);
  const char *end = bytes + looked_at;
  const char *reason = NULL;
  const char *cr = line_end(bytes, end, &reason);
  if (!cr) {
    if (!is_token_char((unsigned char)bytes[0])) reason = "bad method";
    return unfinished(out, n, max_head_bytes, reason);
  }
  reason = read_request_line(bytes, cr, out);
  if (reason) return refuse(out, PRESENCE__HTTP_BAD, reason);
  out->head_bytes = (size_t)(cr + 2 - bytes);
  return read_headers(cr + 2, end, n, max_head_bytes, max_headers, out);
}

bool presence__http_next_header(struct presence__http_span *fields,
                                struct presence__http_span *name,
                                struct presence__http_span *value) {
  if (fields->size == 0) return false;
  const char *end = fields->text + fields->size;
  const char *lf = memchr(fields->text, '\n', fields->size);
  (void)read_header(fields->text, lf - 1, name, value);
  fields->text = lf + 1;
  fields->size = (size_t)(end - fields->text);
  return true;
}
