--- A token bucket: `rate` tokens a second, at most `burst` at once.
local M = {}

---@class presence.Bucket
local Bucket = {}
Bucket.__index = Bucket

--- Take a token.
---@param now number seconds
---@return boolean|nil taken
---@return number|nil wait_s until there is one
function Bucket:take(now)
  local tokens = math.min(self.burst, self.tokens + (now - self.at) * self.rate)
  self.at = now
  if tokens < 1 then
    self.tokens = tokens
    return nil, (1 - tokens) / self.rate
  end
  self.tokens = tokens - 1
  return true
end

---@param rate number tokens a second
---@param burst number
---@param now number seconds
---@return presence.Bucket
function M.new(rate, burst, now)
  return setmetatable({ rate = rate, burst = burst, tokens = burst, at = now }, Bucket)
end

return M
