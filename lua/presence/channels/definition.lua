--- What an application defines a channel by: its callbacks. A name that no callback has, and a
-- value that none can have, raise where they are set; what replaces a callback later is looked at
-- when an endpoint takes the channel, and when a server takes the endpoint.
local M = {}

local callback_types = {
  join = "function", track = "function", after_join = "function", handle_info = "function",
  terminate = "function", handle_in = "table", handle_in_raw = "table", handle_out = "table",
  leave_after = "number",
}
local handler_names = { "handle_in", "handle_in_raw", "handle_out" }
local presence_modes = { all = true, none = true, count = true }

--- Is this one of the modes that the callback `presence` may name?
---@param mode any
---@return boolean
function M.is_mode(mode)
  return presence_modes[mode] == true
end

-- What is wrong with a callback, or nil.
local function fault_of(name, value)
  local expected = callback_types[name]
  if name == "presence" then
    if value ~= nil and type(value) ~= "function" and not presence_modes[value] then
      return "presence must be 'all', 'none', 'count' or a function"
    end
  elseif not expected then
    return "unknown callback '" .. tostring(name) .. "'"
  elseif value ~= nil and type(value) ~= expected then
    return name .. " must be a " .. expected .. ", got " .. type(value)
  elseif name == "leave_after" and value and (value < 0 or value ~= value) then
    return "leave_after must be a number from 0 on"
  end
end

local function handler_fault(name, event, handler)
  if type(event) ~= "string" or type(handler) ~= "function" then
    return ("%s.%s must be a function, got %s"):format(name, tostring(event), type(handler))
  end
end

local function raise_on(fault, level)
  if fault then
    error("channel: " .. fault, level + 1)
  end
end

local Definition = {}

function Definition.__newindex(self, name, value)
  raise_on(fault_of(name, value), 2)
  rawset(self, name, value)
end

-- Tables of handlers that are made here refuse what is no function; one that the caller gives is
-- the caller's.
local function new_handlers(name)
  return setmetatable({}, {
    __newindex = function(self, event, handler)
      if handler ~= nil then
        raise_on(handler_fault(name, event, handler), 2)
      end
      rawset(self, event, handler)
    end,
  })
end

local function sorted_names(t)
  local names = {}
  for name in pairs(t) do
    names[#names + 1] = name
  end
  table.sort(names, function(a, b)
    return tostring(a) < tostring(b)
  end)
  return names
end

--- Raises when a channel has what no callback can be.
---@param definition table
---@param level integer whose mistake it is, as for `error`
function M.check(definition, level)
  for _, name in ipairs(sorted_names(definition)) do
    raise_on(fault_of(name, definition[name]), level + 1)
  end
  for _, name in ipairs(handler_names) do
    local handlers = definition[name]
    raise_on(type(handlers) ~= "table" and name .. " must be a table, got " .. type(handlers),
      level + 1)
    for _, event in ipairs(sorted_names(handlers)) do
      raise_on(handler_fault(name, event, handlers[event]), level + 1)
    end
  end
end

--- Define a channel. The tables `handle_in`, `handle_in_raw` and `handle_out` exist on the result,
--- and callbacks may be set on it later.
---@param callbacks table|nil
---@return table channel
function M.define(callbacks)
  if callbacks ~= nil and type(callbacks) ~= "table" then
    error("channel: callbacks must be a table, got " .. type(callbacks), 2)
  end
  local definition = {}
  for _, name in ipairs(handler_names) do
    definition[name] = new_handlers(name)
  end
  for name, value in pairs(callbacks or {}) do
    definition[name] = value
  end
  M.check(definition, 2)
  return setmetatable(definition, Definition)
end

return M
