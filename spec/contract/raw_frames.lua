--- What goes over the wire, frame by frame, for any platform that carries an endpoint: raw bytes of
-- WebSockets in, decoded frames out. Phoenix Channels, version 2 as text unless a part says other.
--
-- A platform is `start(endpoint, opts) → server` with
--   server.connect(query, headers, path) → connection | nil, status, reason
--   server.wait(seconds)           lets time pass, and everything happen that is due
--   server.http(method, query, headers, body) → exchange, to the path of long polls
--   server.stop()                  ends everything; raises when something is left over
--   server.logged()                → array of {level, message}
-- and a connection has
--   send_bytes(bytes)
--   recv(timeout_s) → {kind = "text"|"binary"|"ping"|"pong", data =},
--                     {kind = "close", code =, reason =}, {kind = "gone"}, nil: the time is up
--   vanish()                       the client is gone without a word
-- and an exchange
--   response(timeout_s) → {status, headers, body}, nil: the time is up
--   vanish()                       the client hangs up
-- `platform.patience_s` says how long a frame that must come may take, `platform.limits_bodies`
-- whether it reads bodies itself, `platform.is_real_time` whether its clock is the wall's.

local busted = require "busted"
local parts = require "spec.contract.raw.parts"
local describe = busted.describe

---@param platform table
return function(platform)
  -- Each in a block of its own, so that each sets its own stage.
  for _, part in ipairs(parts) do
    describe("raw frames, " .. part .. ":", function()
      require("spec.contract.raw." .. part)(platform)
    end)
  end
end
