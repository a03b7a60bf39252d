/* What the core writes through a sink, as a Lua string. Nothing of Lua may be called inside a sink
   (it could raise), so bytes are gathered in C: a small text on the stack, a larger one in a
   buffer that a userdata owns. */
#include "lua/pure.h"

#include <string.h>

#define BUFFER "presence.buffer"
#define SMALL_BYTES 4096

static int buffer_gc(lua_State *L) {
  presence__buf_free(lua_touserdata(L, 1));
  return 0;
}

struct presence__buf *presence__lua_new_buf(lua_State *L) {
  presence__lua_ensure_gc(L, BUFFER, buffer_gc);
  struct presence__buf *buf = presence__lua_new(L, sizeof *buf, BUFFER);
  presence__buf_init(buf, NULL);
  return buf;
}

struct small_text {
  char bytes[SMALL_BYTES];
  size_t size;
  bool full;
};

static bool write_small(void *context, const char *bytes, size_t size) {
  struct small_text *text = context;
  if (size > sizeof text->bytes - text->size) {
    text->full = true;
    return false;
  }
  memcpy(text->bytes + text->size, bytes, size);
  text->size += size;
  return true;
}

static bool write_large(void *context, const char *bytes, size_t size) {
  return presence__buf_append(context, bytes, size);
}

static enum presence_status push_large(lua_State *L, presence__lua_writer writer,
                                       const void *what) {
  struct presence__buf *buf = presence__lua_new_buf(L);
  presence_sink sink = {write_large, buf};
  const enum presence_status status = writer(what, sink);
  if (status == PRESENCE_OK) {
    lua_pushlstring(L, buf->data, buf->size);
    lua_insert(L, -2);
  }
  presence__buf_free(buf);
  lua_pop(L, 1);
  return status;
}

enum presence_status presence__lua_push_written(lua_State *L, presence__lua_writer writer,
                                                const void *what) {
  struct small_text text;
  text.size = 0;
  text.full = false;
  presence_sink sink = {write_small, &text};
  enum presence_status status = writer(what, sink);
  if (status == PRESENCE_OK) lua_pushlstring(L, text.bytes, text.size);
  if (status == PRESENCE_WRITE_FAILED && text.full) status = push_large(L, writer, what);
  if (status == PRESENCE_OUT_OF_MEMORY || status == PRESENCE_WRITE_FAILED)
    presence__raise_no_memory(L);
  return status;
}
