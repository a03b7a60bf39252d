--- A payload of bytes, for binary messages: `presence.binary(bytes)`. It goes out as a binary
-- frame, and comes in as one of these.
local M = {}

local getmetatable = getmetatable

---@class presence.Binary
---@field bytes string
local Binary = {}
Binary.__index = Binary

-- The head of a binary message has one byte for the length of each field.
local max_field_bytes = 255

--- @return string
function Binary:__tostring()
  return "presence.binary: " .. #self.bytes .. " bytes"
end

--- A payload of bytes.
---@param bytes string
---@return presence.Binary
function M.new(bytes)
  if type(bytes) ~= "string" then
    error("binary: needs a string, got " .. type(bytes), 2)
  end
  return setmetatable({ bytes = bytes }, Binary)
end

---@param payload any
---@return boolean
function M.is(payload)
  return getmetatable(payload) == Binary
end

--- Raises when the head of a binary message has no room for a name.
---@param what string for the error message
---@param name string
function M.check_field(what, name)
  if #name > max_field_bytes then
    error(("binary: %s has %d bytes, at most %d go into a binary message"):format(
      what, #name, max_field_bytes), 0)
  end
end

return M
