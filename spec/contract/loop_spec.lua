local contract = require "spec.contract.loop_contract"

describe("the manual loop", function()
  local manual = require "presence.manual.loop"
  contract(manual.new, function(loop, seconds) loop:advance(seconds) end)
end)

describe("the luv loop", function()
  local uv = require "luv"
  local luv = require "presence.luv.loop"
  local loops = {}

  local function new(opts)
    local loop = luv.new(opts)
    loops[#loops + 1] = loop
    return loop
  end

  local function settle(loop, seconds)
    loop:after(seconds, function() loop:stop() end)
    loop:run()
  end

  after_each(function()
    for _, loop in ipairs(loops) do
      loop:close()
      loop:close()
    end
    loops = {}
    uv.run("nowait")
  end)

  contract(new, settle)

  it("returns from run when nothing is left to wait for", function()
    local loop, fired = new(), 0
    loop:after(0.001, function() fired = fired + 1 end)
    loop:after(60, function() fired = fired + 1 end):cancel()
    loop:run()
    assert.equal(1, fired)
  end)

  it("stops from inside a callback, a task or a deferred function, and runs again", function()
    local loop = new()
    local keep = loop:after(60, function() end)
    local signal, stops = loop:signal(), 0
    local function stop()
      stops = stops + 1
      loop:stop()
    end
    loop:after(0, stop)
    loop:run()
    loop:spawn(function()
      signal:wait()
      stop()
    end)
    signal:post()
    loop:run()
    loop:defer(stop)
    loop:run()
    assert.equal(3, stops)
    keep:cancel()
  end)

  it("keeps errors of wrapped callbacks away from libuv, and ends their turn", function()
    local errors, deferred = {}, 0
    local loop = new { on_error = function(err) errors[#errors + 1] = err end }
    local handle = uv.new_timer()
    handle:start(0, 0, loop:wrap(function()
      handle:close()
      loop:defer(function() deferred = deferred + 1 end)
      error "broken callback"
    end))
    loop:run()
    assert.equal(1, deferred)
    assert.equal(1, #errors)
    assert.matches("broken callback.*stack traceback", errors[1])
  end)

  it("outlives an on_error that raises", function()
    local loop, fired = new { on_error = function() error "on_error itself" end }, 0
    local stderr = io.stderr
    local printed = {}
    local function write(_, ...) printed[#printed + 1] = table.concat { ... } end
    io.stderr = { write = write } -- luacheck: ignore 122
    loop:after(0, function() error "first" end)
    loop:after(0.001, function() fired = fired + 1 end)
    loop:run()
    io.stderr = stderr -- luacheck: ignore 122
    assert.equal(1, fired)
    assert.matches("on_error itself", table.concat(printed))
  end)

  it("lets timers fire while deferred functions defer without end", function()
    local loop, fired = new(), false
    local function again()
      if not fired then loop:defer(again) end
    end
    loop:after(0.005, function() fired = true end)
    loop:defer(again)
    loop:run()
    assert.is_true(fired)
  end)
end)
