--- The suite of raw frames, through the port of a real nginx.

local suite = [[function()
  require "spec.contract.raw_frames"(require "spec.nginx.raw_platform")
end]]
local location = [[
    location /socket {
      lua_check_client_abort on;
      client_body_buffer_size 1m;
      client_max_body_size 0;
      content_by_lua_block { require("spec.nginx.raw_platform").serve() }
    }]]

describe("inside of nginx", function()
  require "spec.nginx.suite"(suite, location)
end)
