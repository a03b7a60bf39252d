local longpoll_stage = require "spec.nginx.longpoll_stage"

local function new_stage()
  local stage = longpoll_stage.new()
  local finish = stage.finish

  function stage:finish()
    local complaints = self.nginx and self.nginx:complaints()
    finish(self)
    assert.same({}, complaints)
  end

  return stage
end

describe("long polls over HTTP inside of nginx:", function()
  require "spec.contract.longpoll_http"(new_stage)
end)
