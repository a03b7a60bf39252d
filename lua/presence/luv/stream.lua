--- Writing to one TCP stream: what the kernel takes at once goes without a request of libuv, the
-- rest is queued by it; who fills the queue hears of it, and again when it is written out.

local M = {}

---@class presence.luv.Stream
---@field handle userdata uv_tcp_t
---@field on_drained fun()|nil called when all is written, after `write` said false or `ask_drained`
---@field on_broken fun() called once when nothing can be written any more
local Stream = {}
Stream.__index = Stream

local function on_written(self, err)
  if self.handle:is_closing() then
    return
  elseif err then
    self.on_broken()
  elseif self.is_awaited_ and self.handle:get_write_queue_size() == 0 then
    self.is_awaited_ = false
    if self.on_drained then
      self.on_drained()
    end
  end
end

local function queue(self, bytes)
  if not self.written_ then
    self.written_ = self.loop_:wrap(function(err) on_written(self, err) end)
  end
  if not self.handle:write(bytes, self.written_) then
    self.loop_:defer(self.on_broken)
  end
end

--- Writes bytes, in order. Never calls back before it returns.
---@param bytes string
---@return boolean more false: over the high-water mark, wait for `on_drained`
---@return integer|nil descriptor when the kernel has taken all: until the stream is closed, more
---  may be written to that, as long as the kernel takes it at once, too
function Stream:write(bytes)
  local handle = self.handle
  if handle:is_closing() then
    return false
  end
  if handle:get_write_queue_size() == 0 then
    local taken = handle:try_write(bytes)
    if taken == #bytes then
      self.descriptor_ = self.descriptor_ or handle:fileno()
      return true, self.descriptor_
    elseif taken and taken > 0 then
      bytes = bytes:sub(taken + 1)
    end
  end
  queue(self, bytes)
  if handle:get_write_queue_size() > self.high_water_bytes_ then
    self.is_awaited_ = true
    return false
  end
  return true
end

--- Does something wait in this process? If so `on_drained` is called when it is written. What the
--- kernel holds is not known.
---@return boolean
function Stream:ask_drained()
  self.is_awaited_ = not self.handle:is_closing() and self.handle:get_write_queue_size() > 0
  return self.is_awaited_
end

---@param loop presence.luv.Loop
---@param handle userdata uv_tcp_t
---@param high_water_bytes integer
---@param on_broken fun()
---@return presence.luv.Stream
function M.new(loop, handle, high_water_bytes, on_broken)
  return setmetatable({
    loop_ = loop, handle = handle, high_water_bytes_ = high_water_bytes, on_broken = on_broken,
    is_awaited_ = false,
  }, Stream)
end

return M
