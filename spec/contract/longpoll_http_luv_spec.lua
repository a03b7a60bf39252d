local server_stage = require "spec.contract.raw.server_stage"

local function new_stage()
  local stage = server_stage.new()

  function stage:left()
    return self.server.bound:connections(), self.server:connections()
  end

  return stage
end

describe("long polls over HTTP on the luv server:", function()
  require "spec.contract.longpoll_http"(new_stage)
end)
