-- The default runtime, each time as a program meets it that has just begun.
local manual_loop = require "presence.manual.loop"

describe("the default runtime", function()
  local default, loaded

  before_each(function()
    loaded = package.loaded["presence.luv.loop"]
    package.loaded["presence.default"] = nil
    default = require "presence.default"
  end)

  after_each(function()
    package.loaded["presence.default"] = nil
    package.loaded["presence.luv.loop"] = loaded
    package.preload["presence.luv.loop"] = nil
  end)

  it("is made at its first use, of what was configured", function()
    local loop = manual_loop.new()
    local opts = { loop = loop, flush_interval_s = 1 }
    default.configure(opts)
    opts.flush_interval_s = 2
    local runtime = default.get()
    assert.equal(loop, runtime.loop)
    assert.equal(runtime, default.get())
    local function user() default.configure { flush_interval_s = 3 } end
    assert.matches("default_spec.lua:%d+: configure: the default runtime is in use already",
      (select(2, pcall(user))))
    assert.is_true(runtime.options.flush_interval_s < 3)
  end)

  it("is not the one of a process of another", function()
    default.configure { loop = manual_loop.new() }
    local own = require("presence.runtime").new { loop = manual_loop.new() }
    local seen
    own.process.spawn(function() seen = default.get() end)
    assert.equal(own, seen)
    assert.not_equal(own, default.get())
  end)

  it("says so where there is no loop to stand on", function()
    package.loaded["presence.luv.loop"] = nil
    package.preload["presence.luv.loop"] = function() error("luv is missing here", 0) end
    local ok, err = pcall(default.get)
    assert.is_false(ok)
    assert.matches("^there is no event loop here: install luv", err)
    assert.matches("luv is missing here", err)
  end)

  it("needs a table of options", function()
    local function user() default.configure "fast" end
    assert.error_matches(user, "configure: needs a table of options, got string")
  end)
end)
