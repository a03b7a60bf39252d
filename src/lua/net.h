/* The parts of presence__open_net: each adds its functions to the module table on top. */
#ifndef PRESENCE_LUA_NET_H
#define PRESENCE_LUA_NET_H

#include <lua.h>

#define PRESENCE__WEBSOCKET "presence.websocket"
#define PRESENCE__MESSAGE "presence.message"
#define PRESENCE__OUTBOX "presence.outbox"

void presence__open_websocket(lua_State *L);
/* Messages and outboxes. */
void presence__open_outbox(lua_State *L);
/* Request heads and query strings. */
void presence__open_http(lua_State *L);

#endif
