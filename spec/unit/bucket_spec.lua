local bucket = require "presence.bucket"

describe("a token bucket", function()
  it("lets a burst through, then says when the next token comes", function()
    local one = bucket.new(10, 3, 100)
    for _ = 1, 3 do assert.is_true(one:take(100)) end
    local taken, wait_s = one:take(100)
    assert.is_nil(taken)
    assert.near(0.1, wait_s, 1e-9)
    taken, wait_s = one:take(100.04)
    assert.is_nil(taken)
    assert.near(0.06, wait_s, 1e-9)
    assert.is_true(one:take(100.1 + 1e-9))
  end)

  it("fills while it is asked without a rest, and never over the burst", function()
    local one, taken = bucket.new(10, 1, 0), 0
    for ms = 0, 1999 do
      if one:take(ms / 1000) then taken = taken + 1 end
    end
    assert.is_true(taken >= 19 and taken <= 21, taken .. " in two seconds")
    assert.is_true(one:take(1000))
    assert.is_nil((one:take(1000)))
  end)
end)
