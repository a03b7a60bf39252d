local audience = require "presence.channels.audience"
local core = require "presence.core"

describe("the audience of channels", function()
  local function channel(queue, fields)
    local made = {
      topic = "t", definition = "d", runtime = { processes = {} },
      connection = { wire = "v2", outbox = { queue = queue }, bound = { outboxes = "o" } },
    }
    for name, value in pairs(fields or {}) do
      made[name] = value
    end
    return made
  end

  it("keeps its places when there was no seat for one", function()
    local first, refused, last = channel(core.outbox "message"), channel "no outbox",
      channel(core.outbox "message")
    local a = audience.new(first)
    a:add(first)
    assert.has_error(function() a:add(refused) end)
    assert.equal(1, a:count())
    assert.is_false(a:has(refused))
    assert.is_false(a:remove(refused))
    a:add(last)
    assert.is_true(a:remove(first))
    assert.is_true(a:remove(last))
    assert.equal(0, a:count())
  end)

  it("fits channels of its definition, wire format and endpoint", function()
    local first = channel()
    local a = audience.new(first)
    assert.is_true(a:fits(channel()))
    assert.is_false(a:fits(channel(nil, { definition = "another" })))
    local of_v1 = { wire = "v1", bound = { outboxes = "o" } }
    local of_another_endpoint = { wire = "v2", bound = { outboxes = "p" } }
    assert.is_false(a:fits(channel(nil, { connection = of_v1 })))
    assert.is_false(a:fits(channel(nil, { connection = of_another_endpoint })))
  end)
end)
