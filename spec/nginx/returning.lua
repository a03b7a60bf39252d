--- What clients do alike, however they are connected: they come back when they are told to.

local uv = require "luv"

local M = {}

local reconnect_ms = 10

---@class spec.nginx.Returning
---@field state "connecting"|"joining"|"joined"|"gone"
---@field codes integer[] what its connections ended with
---@field joins integer
---@field connect fun(self)
---@field hang_up fun(self)
local Returning = {}
Returning.__index = Returning

--- Its connection has ended. Harmless when that was said.
function Returning:lose(code)
  if self.state == "gone" then
    return
  end
  self.state = "gone"
  self.codes[#self.codes + 1] = code
  self:hang_up()
  if self.comes_back then
    self.timer = uv.new_timer()
    self.timer:start(reconnect_ms, 0, function()
      self.timer:close()
      if self.comes_back then -- it may have been told to vanish since
        self:connect()
      end
    end)
  end
end

--- Hangs up without a word.
function Returning:vanish()
  self.comes_back = false
  if self.state ~= "gone" then
    self.state = "gone"
    self:hang_up()
  end
end

--- A class of such clients, and the function that makes one that connects and joins.
---@return table class
---@return fun(port: integer, user_id: string, topic: string, comes_back: boolean|nil): table new
function M.class()
  local class = setmetatable({}, Returning)
  class.__index = class
  return class, function(port, user_id, topic, comes_back)
    local self = setmetatable({
      port = port, user_id = user_id, topic = topic, comes_back = comes_back, codes = {},
      joins = 0,
    }, class)
    self:connect()
    return self
  end
end

return M
