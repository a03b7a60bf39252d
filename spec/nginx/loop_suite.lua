--- The loop contract, and what is nginx's own, inside of a worker.

local assert = require "luassert"
local busted = require "busted"
local contract = require "spec.contract.loop_contract"
local nginx = require "presence.nginx.loop"

local function new(opts)
  local loop = nginx.new(opts)
  while not loop.ready do
    ngx.sleep(0.001)
  end
  return loop
end

-- nginx counts from the time it noted at the start of its cycle.
local function settle(_, seconds)
  ngx.update_time()
  ngx.sleep(seconds)
end

contract(new, settle, { tasks_may_yield = true })

local describe, it, before_each, after_each =
  busted.describe, busted.it, busted.before_each, busted.after_each

describe("inside of nginx", function()
  local loop, errors, seen

  before_each(function()
    errors, seen = {}, {}
    loop = new { on_error = function(err) errors[#errors + 1] = tostring(err) end }
  end)

  after_each(function()
    loop:close()
    assert.same({}, errors)
  end)

  local function note(what)
    seen[#seen + 1] = what
  end

  -- An executor of another request, which lives until `finish` is called.
  local function other_request()
    local other, is_over = loop:new_executor(), false
    assert(ngx.timer.at(0, function()
      other:open()
      while not is_over do
        ngx.sleep(0.001)
      end
      other:close()
    end))
    while other.threads == 0 do
      ngx.sleep(0.001)
    end
    return other, function() is_over = true end
  end

  it("a task begins before whoever spawned it goes on, however deep", function()
    loop:spawn(function()
      note(1)
      loop:spawn(function()
        note(2)
        loop:spawn(function()
          note(3)
          ngx.sleep(0.001)
          note "last"
        end)
        note(4)
        loop:spawn(note, 5)
        note(6)
      end)
      note(7)
    end)
    note(8)
    settle(loop, 0.01)
    assert.same({ 1, 2, 3, 4, 5, 6, 7, 8, "last" }, seen)
  end)

  it("a task of another request begins as soon, and runs there", function()
    local other, finish = other_request()
    other:spawn(function()
      note(ngx.get_phase())
      loop:spawn(note, "spawned from there")
      ngx.sleep(0.001)
      note "later"
    end)
    note(ngx.get_phase())
    settle(loop, 0.01)
    finish()
    assert.same({ "timer", "spawned from there", "content", "later" }, seen)
  end)

  it("what is spawned after an executor has closed runs in the worker's own request", function()
    local other, finish = other_request()
    finish()
    settle(loop, 0.01)
    assert.equal(0, other.threads)
    other:spawn(note, "still")
    assert.same({ "still" }, seen)
  end)

  it("threads are used again", function()
    local other, finish = other_request()
    for _ = 1, 1000 do
      other:spawn(function() ngx.sleep(0.001) end)
      other:spawn(note, "ran")
      ngx.sleep(0.001)
    end
    assert.equal(1000, #seen)
    assert.is_true(other.threads <= 5)
    assert.equal(0, other.active)
    finish()
  end)

  it("a task spawned where nobody may wait begins soon", function()
    local replaced = ("abc"):gsub("b", function()
      loop:spawn(note, "begun")
      note "spawned"
      return "x"
    end)
    assert.equal("axc", replaced)
    settle(loop, 0.01)
    assert.same({ "spawned", "begun" }, seen)
  end)

  it("tasks wait for cosockets, and nobody else does", function()
    local port = tonumber(ngx.var.server_port)
    loop:spawn(function()
      local sock = ngx.socket.tcp()
      sock:settimeout(1000)
      assert(sock:connect("127.0.0.1", port))
      note "connected"
      sock:close()
    end)
    note "went on"
    settle(loop, 0.02)
    assert.same({ "went on", "connected" }, seen)
  end)

  it("tasks that keep each other busy starve nobody", function()
    local ping, pong, is_over, rounds = loop:signal(), loop:signal(), false, 0
    local function play(own, others)
      while not is_over do
        others:post()
        own:wait()
        rounds = rounds + 1
      end
      others:post()
    end
    loop:spawn(play, ping, pong)
    loop:spawn(play, pong, ping)
    settle(loop, 0.02) -- comes back only when nginx got its turn
    is_over = true
    settle(loop, 0.02)
    assert.is_true(rounds > 1000)
  end)

  it("functions that defer without end starve nobody", function()
    local is_over = false
    local function again()
      if not is_over then
        loop:defer(again)
      end
    end
    loop:defer(again)
    settle(loop, 0.01)
    is_over = true
  end)

  it("whoever has read much gives way to others", function()
    ngx.sleep(0.002)
    assert(ngx.timer.at(0, note, "another"))
    for _ = 1, 10 do
      loop:give_way(4096)
    end
    assert.same({}, seen)
    for _ = 1, 10 do
      loop:give_way(4096)
    end
    assert.equal(1, #seen)
  end)

  it("everything that `enter` surrounds is one turn", function()
    loop:enter(function()
      loop:defer(function() note "end of turn" end)
      loop:spawn(function() note "task" end)
      ngx.sleep(0.002)
      note "still the turn"
    end)
    settle(loop, 0.005)
    assert.same({ "task", "still the turn", "end of turn" }, seen)
  end)
end)
