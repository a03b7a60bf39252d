#include "lua/module.h"
#include "lua/net.h"

void presence__open_net(lua_State *L) {
  presence__open_websocket(L);
  presence__open_message(L);
  presence__open_outbox(L);
  presence__open_audience(L);
  presence__open_http(L);
}
