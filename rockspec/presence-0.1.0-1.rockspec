-- Builds presence.core for the Lua that LuaRocks is run for: `luarocks make rockspec/<this file>`.
-- From a checkout; LuaRocks does not see Debian's packages, so add --deps-mode=none there.
rockspec_format = "3.0"
package = "presence"
version = "0.1.0-1"
source = {
  url = "git+file://.",
}
description = {
  summary = "Per-topic user presence for Phoenix Channels clients, and as an immutable structure",
  detailed = [[
Who is online, on which topics, with which devices. An immutable data structure in C with cheap
snapshots and differences; a runtime that tracks processes and announces joins and leaves; channels
that an unmodified phoenix.js speaks to; a stand-alone server on luv.]],
  license = "MIT",
}
dependencies = {
  -- 5.1 means LuaJIT, whose rocks live there; Lua 5.1, 5.2 and 5.3 themselves are not supported.
  "lua >= 5.1, < 5.5",
}
build = {
  type = "builtin",
  modules = {
    ["presence.core"] = {
      incdirs = { "src" },
      sources = {
        "src/lua/module.c",
        "src/text/base64.c",
        "src/text/buf.c",
        "src/text/json_scan.c",
        "src/text/json_string.c",
        "src/text/json_walk.c",
        "src/text/utf8.c",
      },
    },
    ["presence.channels.channel"] = "lua/presence/channels/channel.lua",
    ["presence.channels.connection"] = "lua/presence/channels/connection.lua",
    ["presence.channels.endpoint"] = "lua/presence/channels/endpoint.lua",
    ["presence.channels.guard.bucket"] = "lua/presence/channels/guard/bucket.lua",
    ["presence.channels.guard.origin"] = "lua/presence/channels/guard/origin.lua",
    ["presence.channels.handshake"] = "lua/presence/channels/handshake.lua",
    ["presence.channels.outbox"] = "lua/presence/channels/outbox.lua",
    ["presence.channels.socket"] = "lua/presence/channels/socket.lua",
    ["presence.channels.wire.v2"] = "lua/presence/channels/wire/v2.lua",
    ["presence.client"] = "lua/presence/client.lua",
    ["presence.config"] = "lua/presence/config.lua",
    ["presence.default"] = "lua/presence/default.lua",
    ["presence.feed"] = "lua/presence/feed.lua",
    ["presence"] = "lua/presence/init.lua",
    ["presence.json"] = "lua/presence/json.lua",
    ["presence.luv.address"] = "lua/presence/luv/address.lua",
    ["presence.luv.await"] = "lua/presence/luv/await.lua",
    ["presence.luv.files"] = "lua/presence/luv/files.lua",
    ["presence.luv.loop"] = "lua/presence/luv/loop.lua",
    ["presence.luv.peer"] = "lua/presence/luv/peer.lua",
    ["presence.luv.response"] = "lua/presence/luv/response.lua",
    ["presence.luv.server"] = "lua/presence/luv/server.lua",
    ["presence.luv.static"] = "lua/presence/luv/static.lua",
    ["presence.luv.stream"] = "lua/presence/luv/stream.lua",
    ["presence.manual.loop"] = "lua/presence/manual/loop.lua",
    ["presence.members"] = "lua/presence/members.lua",
    ["presence.nginx.clock"] = "lua/presence/nginx/clock.lua",
    ["presence.nginx.executor"] = "lua/presence/nginx/executor.lua",
    ["presence.nginx"] = "lua/presence/nginx/init.lua",
    ["presence.nginx.light_thread"] = "lua/presence/nginx/light_thread.lua",
    ["presence.nginx.loop"] = "lua/presence/nginx/loop.lua",
    ["presence.nginx.peer"] = "lua/presence/nginx/peer.lua",
    ["presence.nginx.request"] = "lua/presence/nginx/request.lua",
    ["presence.nginx.server"] = "lua/presence/nginx/server.lua",
    ["presence.process"] = "lua/presence/process.lua",
    ["presence.pubsub"] = "lua/presence/pubsub.lua",
    ["presence.runtime"] = "lua/presence/runtime.lua",
    ["presence.tasks"] = "lua/presence/tasks.lua",
    ["presence.testing"] = "lua/presence/testing.lua",
    ["presence.testing.assertions"] = "lua/presence/testing/assertions.lua",
    ["presence.timers"] = "lua/presence/timers.lua",
    ["presence.tracker"] = "lua/presence/tracker.lua",
    ["presence.turn"] = "lua/presence/turn.lua",
    ["presence.words"] = "lua/presence/words.lua",
  },
}
