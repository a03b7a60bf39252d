--- What the parts of the suite of raw frames that look at presence share.

local assert = require "luassert"
local busted = require "busted"
local app = require "spec.contract.raw.app"
local raw = require "spec.contract.raw.client"

local M = {}

--- { key = number of metas } of a state or of one side of a diff.
function M.counts(presences)
  local result = {}
  for key, entry in pairs(presences) do
    result[key] = #entry.metas
  end
  return result
end

--- The one meta of a key.
function M.meta_of(presences, key)
  assert.truthy(presences[key], "nothing under " .. key)
  assert.equal(1, #presences[key].metas)
  return presences[key].metas[1]
end

--- The next message of a client must be a diff of so many metas; returns it.
function M.expect_diff(client, joins, leaves)
  local diff, message = client:expect_event("presence_diff")
  assert.same({ joins, leaves }, { M.counts(diff.joins), M.counts(diff.leaves) })
  return diff, message
end

--- A stage that is set before each test of the block: `stage.watcher` and `stage.ann` are clients,
--- `stage.watch(topic)` lets the watcher join, under no key.
function M.stage(platform)
  local stage = raw.stage(platform)

  busted.before_each(function()
    stage.start(app.endpoint())
    stage.watcher, stage.ann = stage.open(), stage.open()
  end)

  busted.after_each(function() stage.finish() end)

  function stage.watch(topic)
    return stage.watcher:enter(topic or "room:1", '"w"')
  end

  return stage
end

return M
