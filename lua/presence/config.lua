--- Every option, limit and default of presence, in one place.
-- Units are in the names: `_s` seconds, `_bytes`, `_per_s`.
local M = {}

--- Options of a runtime: `presence.new(opts)`, `presence.configure(opts)`.
M.runtime = {
  flush_interval_s = 0.05, -- a busy topic sends at most one presence_diff in this time
  leave_after = 0, -- seconds that a lost connection may take to come back before its leave
  leaves = "last", -- policy of topics that no endpoint serves: "last" or "each"
  max_behind_bytes = 1024 * 1024, -- kept for a slow reader's diff; past it he gets a fresh state
  max_key_bytes = 1024,
  refuse_prototype_keys = false, -- such as __proto__, on which phoenix.js before 1.8.9 crashes
  max_meta_bytes = 16 * 1024,
  max_topic_bytes = 1024,
  max_json_depth = 64,
  max_turn_s = 0.1, -- a callback that keeps the others waiting for longer is logged
  max_mailbox = 10000, -- a process with more messages waiting is logged
  max_logged_per_s = 10, -- lines that callbacks cause: crashes, hogs, floods; false: no limit
}

--- Options of an endpoint: `presence.endpoint(opts)`.
M.endpoint = {
  mount = "/socket",
  check_origin = true, -- true: same host; false: off; a list of hosts; a function
  max_channels = 100, -- joined on one socket at once; ended ones whose callback runs on count
  max_held_bytes = 1024 * 1024, -- of one socket: joins' params, and what waits for callbacks
  max_message_bytes = 64 * 1024, -- one message, all its fragments added up
  max_fragments = 64, -- of one message
  max_queued_events = 1000, -- waiting for a callback of one channel; over it: answered "busy"
  max_outbox_bytes = 1024 * 1024, -- waiting for a client that reads too slowly; over it: close 1013
  unread_timeout_s = 60, -- a client has read nothing of what waits for so long: close 1013
  idle_timeout_s = 60, -- nothing received for so long: the socket closes
  max_messages_per_s = 100, -- what a socket may send on average; false: no limit
  max_messages_burst = 1000, -- and at once
  max_logged_per_s = 10, -- lines in the log that clients cause, crashes too; false: no limit
  longpoll = true, -- serve long polling too, at the mount's /longpoll
  longpoll_wait_s = 10, -- a poll that nothing comes for is answered after this time
  longpoll_session_s = 15, -- without a poll, after which a session ends
  longpoll_max_lines = 100, -- messages in one post
  longpoll_max_body_bytes = 1024 * 1024, -- of one post
  longpoll_max_batch_bytes = 256 * 1024, -- of messages in one answer, until no more is added
  longpoll_max_sessions = 10000, -- at once; false: no limit
  longpoll_max_sessions_per_address = 1000, -- of one address; false: no limit
}

--- Options of the stand-alone server: `presence.serve(endpoint, opts)`.
M.server = {
  host = "127.0.0.1", -- an address of either family, or a name
  port = 4000, -- 0: any free one
  backlog = 1024, -- connections that wait to be accepted
  max_connections = 20000, -- TCP connections at once; over it: 503. false: no limit
  max_connections_per_address = 2000, -- of one address; over it: 429. false: no limit
  max_head_bytes = 16 * 1024, -- of one request; over it: 431
  max_headers = 100, -- of one request; over it: 431
  head_timeout_s = 10, -- for a request's head to come in whole; over it: 408
  body_timeout_s = 10, -- for a request's body, the same
  keep_alive_timeout_s = 15, -- between one response and the next request
  send_timeout_s = 30, -- for a client to take a piece of a file
  linger_timeout_s = 2, -- for a client to hang up after the last bytes to it
  write_high_water_bytes = 64 * 1024, -- queued for a socket before its outbox holds back
  tcp_keepalive_s = 60,
  drain_spread_s = 0.5, -- at a stop sockets close spread over this time
  drain_timeout_s = 10, -- and what is left then is ended
}

--- Options of the endpoint inside of nginx: `presence.nginx.start(endpoint, opts)`.
M.nginx = {
  receive_bytes = 64 * 1024, -- read from a socket at once
  write_high_water_bytes = 64 * 1024, -- waiting for a socket before its outbox holds back
  body_timeout_s = 10, -- for the body of a long poll's post to come in whole; over it: 408
  send_timeout_s = 30, -- for a client to take anything at all
  linger_timeout_s = 2, -- for a client to answer our close frame and hang up
  drain_spread_s = 0.5, -- when a worker ends, its sockets close spread over this time
  drain_timeout_s = 10, -- and what is left then is ended
}

-- Limits that `false` lifts. 0 is not the same: it would let nothing through.
local may_be_false = {
  unread_timeout_s = true, idle_timeout_s = true, max_messages_per_s = true,
  max_logged_per_s = true, max_connections = true, max_connections_per_address = true,
  longpoll_max_sessions = true, longpoll_max_sessions_per_address = true,
}

-- What is wrong with the value of an option whose default is a number, or nil.
local function number_fault(name, value)
  if may_be_false[name] then
    if value ~= false and not (type(value) == "number" and value > 0) then
      return "must be a number over 0, or false for no limit"
    end
  elseif type(value) ~= "number" then
    return "must be a number, got " .. type(value)
  elseif value ~= value or value < 0 and name ~= "port" then
    return "must be a number from 0 on"
  end
end

--- Merge the caller's options over defaults into a new table; the caller's table is not edited.
-- An option that `known` does not name raises: a typing error must not be a silent default.
---@param what string for the error message
---@param defaults table
---@param opts table|nil
---@param also table|nil names without a default that are allowed too: name → true
---@param level integer|nil whose mistake it is, as for `error`; default 3
---@return table
function M.merge(what, defaults, opts, also, level)
  level = level or 3
  local merged = {}
  for name, value in pairs(defaults) do
    merged[name] = value
  end
  if opts == nil then
    return merged
  end
  if type(opts) ~= "table" then
    error(what .. ": options must be a table, got " .. type(opts), level)
  end
  for name, value in pairs(opts) do
    if defaults[name] == nil and not (also and also[name]) then
      error(what .. ": unknown option '" .. tostring(name) .. "'", level)
    end
    local fault = type(defaults[name]) == "number" and number_fault(name, value)
    if fault then
      error(what .. ": option '" .. name .. "' " .. fault, level)
    end
    merged[name] = value
  end
  return merged
end

return M
