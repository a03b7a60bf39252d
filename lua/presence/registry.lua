--- Names of processes: one process a name, gone with the process.
local M = {}

---@class presence.Registry
local Registry = {}
Registry.__index = Registry

local function check_name(what, name)
  if type(name) ~= "string" then
    error(what .. ": name must be a string, got " .. type(name), 3)
  end
end

--- Give a process a name. It may have several.
---@param name string
---@param process presence.Process|nil
---@return boolean|nil registered
---@return string|nil word "name_taken", "no_process"
---@return string|nil detail
function Registry:register(name, process)
  check_name("register", name)
  if not (process and process.alive) then
    return nil, "no_process", "there is no such process"
  elseif self.by_name_[name] then
    return nil, "name_taken", "the name is the process " .. self.by_name_[name].pid .. "'s"
  end
  self.by_name_[name] = process
  process.names_ = process.names_ or {}
  process.names_[name] = true
  return true
end

--- Free a name.
---@param name string
---@return boolean unregistered false when nobody had it
function Registry:unregister(name)
  check_name("unregister", name)
  local process = self.by_name_[name]
  if not process then
    return false
  end
  self.by_name_[name], process.names_[name] = nil, nil
  return true
end

--- The process that has a name, or nil; anything else is no name.
---@param name any
---@return presence.Process|nil
function Registry:find(name)
  return self.by_name_[name]
end

--- The pid of the process that has a name, or nil.
---@param name string
---@return integer|nil
function Registry:whereis(name)
  check_name("whereis", name)
  local process = self.by_name_[name]
  return process and process.pid
end

--- A process has ended: its names are free.
---@param ended presence.Process
function Registry:forget(ended)
  for name in pairs(ended.names_ or {}) do
    self.by_name_[name] = nil
  end
  ended.names_ = nil
end

--- @return presence.Registry
function M.new()
  return setmetatable({ by_name_ = {} }, Registry)
end

return M
