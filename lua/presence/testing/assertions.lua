--- Assertions for busted (luassert): `require "presence.testing.assertions"` registers them.
--   assert.present(client, topic, key [, connections])
--   assert.replied(reply, status [, response])
--   assert.received(client, event [, payload [, topic]])
local assert = require "luassert"
local say = require "say"
local util = require "luassert.util"

local M = {}

local function present(_, arguments)
  local client, topic, key, connections = arguments[1], arguments[2], arguments[3], arguments[4]
  local entry = client:presences(topic)[key]
  local found = entry and #entry.metas or 0
  if connections == nil then
    return found > 0
  end
  return found == connections
end

local function replied(_, arguments)
  local reply, status, response = arguments[1], arguments[2], arguments[3]
  if type(reply) ~= "table" or reply.status ~= status then
    return false
  end
  return response == nil or (util.deepcompare(reply.response, response, true))
end

local function received(_, arguments)
  local client, event, payload, topic = arguments[1], arguments[2], arguments[3], arguments[4]
  local ok, came = pcall(client.expect, client, event, topic)
  if not ok then
    return false
  end
  return payload == nil or (util.deepcompare(came, payload, true))
end

-- `most` arguments stand in the messages, also where an optional one was left out.
local function register(name, most, check_arguments, positive, negative)
  local function check(state, arguments)
    arguments.n = math.max(arguments.n or #arguments, most)
    return check_arguments(state, arguments)
  end
  say:set("assertion." .. name .. ".positive", positive)
  say:set("assertion." .. name .. ".negative", negative)
  assert:register("assertion", name, check,
    "assertion." .. name .. ".positive", "assertion." .. name .. ".negative")
  M[name] = check
end

register("present", 4, present,
  "Expected to be present.\nClient, topic, key, connections:\n%s\n%s\n%s\n%s",
  "Expected not to be present.\nClient, topic, key, connections:\n%s\n%s\n%s\n%s")
register("replied", 3, replied,
  "Expected another reply.\nReply:\n%s\nExpected status and response:\n%s\n%s",
  "Expected a different reply from:\n%s\nStatus and response:\n%s\n%s")
register("received", 3, received,
  "Expected the client to have received an event.\nClient, event, payload:\n%s\n%s\n%s",
  "Expected the client not to have received an event.\nClient, event, payload:\n%s\n%s\n%s")

return M
