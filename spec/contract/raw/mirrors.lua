--- Mirrors of presence, as phoenix.js keeps them, against the truth.

local busted = require "busted"
local assert = require "luassert"
local json = require "cjson"
local mirrors = require "presence.client"
local presences = require "spec.contract.raw.presences"
local random = require "spec.random"
local raw = require "spec.contract.raw.client"
local describe, it = busted.describe, busted.it

return function(platform)
  local stage = presences.stage(platform)

  describe("a mirror kept as phoenix.js keeps it", function()
    local member_count, act_count = 8, 120

    -- Takes what has come, diffs and replies, into the mirror.
    local function take(member)
      member.beats = (member.beats or 0) + 1
      local ref = '"mirror-' .. member.beats .. '"'
      member:send(nil, ref, "phoenix", "heartbeat")
      local reply = raw.message(nil, ref, "phoenix", "phx_reply", raw.ok())
      local text = member:next()
      while text ~= reply do
        local message = json.decode(text)
        if message[4] == "presence_state" then
          member.mirror = mirrors.sync_state(message[5])
        elseif message[4] == "presence_diff" then
          mirrors.sync_diff(member.mirror, message[5])
        end
        text = member:next()
      end
    end

    -- { key = sorted phx_refs }
    local function refs_of(mirror)
      local refs = {}
      for key, entry in pairs(mirror) do
        refs[key] = {}
        for i, meta in ipairs(entry.metas) do refs[key][i] = meta.phx_ref end
        table.sort(refs[key])
      end
      return refs
    end

    it("is exact after joins, updates, leaves and rejoins of many, and no phx_ref comes twice",
      function()
        local seed = tonumber(os.getenv "PRESENCE_SEED") or os.time() % 1000000 + 1
        local roll, members = random.from(seed), {}
        local acts = {
          function(member, key) member:send(member.ref, '"u"', "room:1", "update",
            ('{"key":"%s","meta":{"n":%d}}'):format(key, roll(1000))) end,
          function(member, key) member:send(member.ref, '"t"', "room:1", "track",
            ('{"key":"%s-%d","meta":{}}'):format(key, roll(3))) end,
          function(member, key) member:send(member.ref, '"n"', "room:1", "untrack",
            ('{"key":"%s-%d"}'):format(key, roll(3))) end,
          function(member, key)
            member.joins = member.joins + 1
            member.ref = ('"j%d"'):format(member.joins)
            member:send(member.ref, member.ref, "room:1", "phx_join", '{"key":"' .. key .. '"}')
          end,
          function() stage.server.wait(0.01 * roll(6)) end,
        }
        for i = 1, member_count do
          members[i] = stage.open()
          members[i].joins = 0
          acts[4](members[i], "k" .. (i + 1) % 4)
        end
        for _ = 1, act_count do
          local i = roll(member_count)
          acts[roll(#acts)](members[i], "k" .. (i + 1) % 4)
          if roll(5) == 1 then
            take(members[roll(member_count)])
          end
        end
        stage.server.wait(0.2)
        local truth, seen = refs_of(stage.watch()), {}
        for _, refs in pairs(truth) do
          for _, ref in ipairs(refs) do
            assert.is_nil(seen[ref])
            seen[ref] = true
          end
        end
        for i, member in ipairs(members) do
          take(member)
          assert.same(truth, refs_of(member.mirror), ("member %d, seed %d"):format(i, seed))
        end
      end)
  end)
end
