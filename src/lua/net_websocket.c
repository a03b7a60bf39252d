/* presence.websocket, the frame decoder; frames for tests and clients; close payloads. */
#include <string.h>

#include "lua/compat.h"
#include "lua/net.h"
#include "net/frame.h"
#include "net/websocket.h"
#include "text/utf8.h"

static struct presence__ws *check_ws(lua_State *L) {
  return presence__check_userdata(L, 1, 1, PRESENCE__WEBSOCKET);
}

static enum presence__ws_role check_role(lua_State *L, int index) {
  lua_getfield(L, index, "role");
  const char *role = lua_isnil(L, -1) ? "server" : lua_tostring(L, -1);
  if (!role || (strcmp(role, "server") != 0 && strcmp(role, "client") != 0))
    luaL_error(L, "role: \"server\" or \"client\" expected");
  lua_pop(L, 1);
  return role[0] == 's' ? PRESENCE__WS_SERVER : PRESENCE__WS_CLIENT;
}

static int l_websocket(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  double most = 1024.0 * 1024 * 1024;
  size_t max_message_bytes = presence__check_size_field(L, 1, "max_message_bytes", 1, most);
  size_t max_fragments = presence__check_size_field(L, 1, "max_fragments", 1, most);
  enum presence__ws_role role = check_role(L, 1);
  struct presence__ws *ws = lua_newuserdatauv(L, sizeof *ws, 0);
  presence__ws_init(ws, role, max_message_bytes, max_fragments, NULL);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_setmetatable(L, -2);
  presence__lua_made(L);
  return 1;
}

static int l_ws_gc(lua_State *L) {
  presence__ws_free(check_ws(L));
  return 0;
}

static int l_ws_tostring(lua_State *L) {
  struct presence__ws *ws = check_ws(L);
  lua_pushfstring(L, "%s: %s, %d bytes waiting", PRESENCE__WEBSOCKET, ws->ended ? "ended" : "open",
                  (int)(ws->input.size - ws->input_at + ws->message.size));
  return 1;
}

static int l_ws_feed(lua_State *L) {
  struct presence__ws *ws = check_ws(L);
  size_t n;
  const char *bytes = presence__check_string(L, 2, &n);
  if (!presence__ws_feed(ws, bytes, n)) return presence__raise_no_memory(L);
  return 0;
}

static int push_close(lua_State *L, const struct presence__ws_event *event) {
  lua_pushliteral(L, "close");
  if (event->code)
    lua_pushinteger(L, (lua_Integer)event->code);
  else
    lua_pushnil(L);
  lua_pushlstring(L, event->data, event->size);
  return 3;
}

static int l_ws_next(lua_State *L) {
  struct presence__ws *ws = check_ws(L);
  struct presence__ws_event event;
  switch (presence__ws_next(ws, &event)) {
  case PRESENCE__WS_NEEDS_MORE:
    lua_pushnil(L);
    return 1;
  case PRESENCE__WS_NO_MEMORY:
    return presence__raise_no_memory(L);
  case PRESENCE__WS_CLOSE:
    return push_close(L, &event);
  case PRESENCE__WS_ERROR:
    lua_pushliteral(L, "error");
    lua_pushinteger(L, (lua_Integer)event.code);
    lua_pushlstring(L, event.data, event.size);
    return 3;
  case PRESENCE__WS_TEXT:
    lua_pushliteral(L, "text");
    break;
  case PRESENCE__WS_BINARY:
    lua_pushliteral(L, "binary");
    break;
  case PRESENCE__WS_PING:
    lua_pushliteral(L, "ping");
    break;
  case PRESENCE__WS_PONG:
    lua_pushliteral(L, "pong");
    break;
  }
  lua_pushlstring(L, event.data, event.size);
  return 2;
}

static int l_close_payload(lua_State *L) {
  size_t n = 0;
  if (lua_isnoneornil(L, 1)) {
    luaL_argcheck(L, lua_isnoneornil(L, 2), 2, "no reason without a code");
    lua_pushliteral(L, "");
    return 1;
  }
  unsigned code = (unsigned)presence__check_size(L, 1, 1000, 4999);
  const char *reason = lua_isnoneornil(L, 2) ? "" : presence__check_string(L, 2, &n);
  luaL_argcheck(L, presence__ws_close_code_valid(code), 1, "no code for a close frame");
  luaL_argcheck(L, n <= PRESENCE__WS_CONTROL_MAX - 2, 2, "reason longer than 123 bytes");
  luaL_argcheck(L, presence__utf8_valid(reason, n), 2, "reason is not UTF-8");
  char payload[PRESENCE__WS_CONTROL_MAX];
  payload[0] = (char)(code >> 8);
  payload[1] = (char)(code & 0xFF);
  memcpy(payload + 2, reason, n);
  lua_pushlstring(L, payload, n + 2);
  return 1;
}

static int l_client_frame(lua_State *L) {
  size_t n, mask_size;
  unsigned opcode = (unsigned)presence__check_size(L, 1, 0, 15);
  const char *payload = presence__check_string(L, 2, &n);
  const char *mask = presence__check_string(L, 3, &mask_size);
  luaL_argcheck(L, mask_size == 4, 3, "mask of 4 bytes expected");
  bool fin = lua_isnoneornil(L, 4) || lua_toboolean(L, 4);
  char *frame = lua_newuserdatauv(L, PRESENCE__WS_MASKED_HEAD_MAX + n, 0);
  size_t head = presence__ws_write_head(frame, opcode, fin, n, mask);
  memcpy(frame + head, payload, n);
  presence__ws_mask(frame + head, n, mask);
  lua_pushlstring(L, frame, head + n);
  return 1;
}

void presence__open_websocket(lua_State *L) {
  static const luaL_Reg methods[] = {{"feed", l_ws_feed}, {"next", l_ws_next}, {NULL, NULL}};
  static const luaL_Reg events[] = {{"__gc", l_ws_gc}, {"__tostring", l_ws_tostring}, {NULL, NULL}};
  static const luaL_Reg functions[] = {
      {"close_payload", l_close_payload}, {"client_frame", l_client_frame}, {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
  presence__new_metatable(L, PRESENCE__WEBSOCKET, methods, events);
  lua_pushcclosure(L, l_websocket, 1);
  lua_setfield(L, -2, "websocket");
}
