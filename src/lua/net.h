/* The parts of presence__open_net: each adds its functions to the module table on top. */
#ifndef PRESENCE_LUA_NET_H
#define PRESENCE_LUA_NET_H

#include <lua.h>

#include "net/line.h"

#define PRESENCE__WEBSOCKET "presence.websocket"
#define PRESENCE__MESSAGE "presence.message"
#define PRESENCE__OUTBOX "presence.outbox"
#define PRESENCE__DUE "presence.due"
#define PRESENCE__AUDIENCE "presence.audience"

/* What the userdata at arg holds, *borrowed*, when its metatable is the one in that upvalue of the
   running function; else an error that names what was expected. */
struct presence__message *presence__check_message(lua_State *L, int arg, int upvalue);
struct presence__line *presence__check_outbox(lua_State *L, int arg, int upvalue);

/* A presence__write: to a socket, without waiting. */
size_t presence__send(int descriptor, const struct presence__piece *pieces, size_t count);

void presence__open_websocket(lua_State *L);
void presence__open_message(lua_State *L);
/* Outboxes and what of them is due; after messages. */
void presence__open_outbox(lua_State *L);
/* After outboxes. */
void presence__open_audience(lua_State *L);
/* Request heads and query strings. */
void presence__open_http(lua_State *L);

#endif
