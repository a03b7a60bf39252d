--- Sends a file as the body of a response, a piece at a time, as fast as the client takes it.

local uv = require "luv"

local M = {}

local piece_bytes = 64 * 1024

---@param await fun(fn: function, ...): any, any
---@param file presence.luv.StaticFile
---@param send fun(bytes: string): boolean waits until they are written; false: the client is gone
---@return boolean complete false when the file or the client went away meanwhile
function M.send(await, file, send)
  local _, fd = await(uv.fs_open, file.path, "r", 0)
  if not fd then
    return false
  end
  local sent = 0
  while sent < file.size do
    local wanted = math.min(piece_bytes, file.size - sent)
    local _, bytes = await(uv.fs_read, fd, wanted, sent)
    if not bytes or bytes == "" or not send(bytes) then
      break
    end
    sent = sent + #bytes
  end
  await(uv.fs_close, fd)
  return sent == file.size
end

return M
