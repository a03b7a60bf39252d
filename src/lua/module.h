/* The parts of presence.core: each adds its functions to the module table on top of the stack. */
#ifndef PRESENCE_LUA_MODULE_H
#define PRESENCE_LUA_MODULE_H

#include <lua.h>

/* PresenceState, PresenceEntry, PresenceMeta, the owner handle, the JSON of states. */
void presence__open_pure(lua_State *L);
/* UTF-8, JSON, base64. */
void presence__open_text(lua_State *L);
/* WebSocket frames, HTTP heads, Phoenix messages, outboxes. */
void presence__open_net(lua_State *L);

#endif
