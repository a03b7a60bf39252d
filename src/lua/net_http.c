/* Request heads and query strings as Lua tables. */
#include "lua/compat.h"
#include "lua/net.h"
#include "net/http.h"
#include "net/query.h"

static void set_span(lua_State *L, const char *field, struct presence__http_span span) {
  lua_pushlstring(L, span.text, span.size);
  lua_setfield(L, -2, field);
}

/* scratch has room for the name. */
static void push_lower(lua_State *L, struct presence__http_span name, char *scratch) {
  for (size_t i = 0; i < name.size; i++) {
    char c = name.text[i];
    scratch[i] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
  }
  lua_pushlstring(L, scratch, name.size);
}

/* Pushes the table of headers; repeated ones are joined. */
static void push_headers(lua_State *L, struct presence__http_span fields) {
  struct presence__http_span name, value;
  lua_createtable(L, 0, 16);
  char *scratch = lua_newuserdatauv(L, fields.size + 1, 0);
  while (presence__http_next_header(&fields, &name, &value)) {
    push_lower(L, name, scratch);
    lua_pushvalue(L, -1);
    lua_rawget(L, -4);
    if (lua_isnil(L, -1)) {
      lua_pop(L, 1);
      lua_pushlstring(L, value.text, value.size);
    } else {
      lua_pushliteral(L, ", ");
      lua_pushlstring(L, value.text, value.size);
      lua_concat(L, 3);
    }
    lua_rawset(L, -4);
  }
  lua_pop(L, 1);
}

static int l_http_request(lua_State *L) {
  struct presence__http_request request;
  size_t n;
  const char *bytes = presence__check_string(L, 1, &n);
  size_t max_head_bytes = presence__check_size(L, 2, 1, 1024.0 * 1024 * 1024);
  size_t max_headers = presence__check_size(L, 3, 0, 1024.0 * 1024 * 1024);
  switch (presence__http_parse(bytes, n, max_head_bytes, max_headers, &request)) {
  case PRESENCE__HTTP_NEEDS_MORE:
    lua_pushnil(L);
    return 1;
  case PRESENCE__HTTP_BAD:
    return presence__push_failure(L, "bad_request", request.reason);
  case PRESENCE__HTTP_TOO_LARGE:
    return presence__push_failure(L, "head_too_large", request.reason);
  case PRESENCE__HTTP_DONE:
    break;
  }
  lua_createtable(L, 0, 6);
  set_span(L, "method", request.method);
  set_span(L, "target", request.target);
  set_span(L, "path", request.path);
  if (request.query.text) set_span(L, "query", request.query);
  lua_pushstring(L, request.minor ? "1.1" : "1.0");
  lua_setfield(L, -2, "version");
  push_headers(L, request.fields);
  lua_setfield(L, -2, "headers");
  lua_pushinteger(L, (lua_Integer)request.head_bytes);
  return 2;
}

/* Pushes the decoded text; returns what is wrong with it (then pushes nothing), or NULL. */
static const char *push_decoded(lua_State *L, const char *text, size_t n, char *scratch) {
  size_t size;
  const char *fault = presence__query_decode(text, n, scratch, &size);
  if (!fault) lua_pushlstring(L, scratch, size);
  return fault;
}

static int l_query_decode(lua_State *L) {
  struct presence__query_pair pair;
  size_t n;
  const char *query = presence__check_string(L, 1, &n);
  const char *end = query + n;
  lua_newtable(L);
  char *scratch = lua_newuserdatauv(L, n + 1, 0);
  while (presence__query_next(&query, end, &pair)) {
    const char *fault = push_decoded(L, pair.name, pair.name_size, scratch);
    if (!fault) fault = push_decoded(L, pair.value, pair.value_size, scratch);
    if (fault) return presence__push_failure(L, "bad_query", fault);
    lua_rawset(L, -4);
  }
  lua_pop(L, 1);
  return 1;
}

void presence__open_http(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"http_request", l_http_request}, {"query_decode", l_query_decode}, {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
}
