--- The loop contract, and what is nginx's own, inside of a worker.

local contract = require "spec.contract.loop_contract"
local nginx = require "presence.nginx.loop"

local function new(opts)
  local loop = nginx.new(opts)
  while not loop.ready do
    ngx.sleep(0.001)
  end
  return loop
end

-- nginx counts from the time it noted at the start of its cycle.
local function settle(_, seconds)
  ngx.update_time()
  ngx.sleep(seconds)
end

contract(new, settle, { tasks_may_yield = true })
