--- `presence.serve` in a process of its own, as users run it.

local uv = require "luv"
local luv_loop = require "presence.luv.loop"
local http_client = require "spec.contract.raw.http_client"
local platform = require "spec.contract.raw.luv_platform"

local interpreter = rawget(_G, "jit") and "luajit" or "lua5.4"

local script = [[
  local app = require "spec.contract.raw.app"
  require("presence").serve(app.endpoint(), { port = %d })
  print "served"
]]

describe("presence.serve", function()
  local loop, child

  -- Runs the script: `output` and `errors` grow, `code` and `signal` come at its end.
  local function run(port)
    local stdout, stderr = uv.new_pipe(false), uv.new_pipe(false)
    local process = { output = "", errors = "" }
    process.handle = assert(uv.spawn(interpreter, {
      args = { "-e", script:format(port) }, stdio = { nil, stdout, stderr },
    }, function(code, signal) process.code, process.signal = code, signal end))
    stdout:read_start(function(_, bytes) process.output = process.output .. (bytes or "") end)
    stderr:read_start(function(_, bytes) process.errors = process.errors .. (bytes or "") end)
    process.pipes = { stdout, stderr }
    return process
  end

  local function finished()
    return platform.run_until(loop, 10, function() return child.code end)
  end

  local function listening_port()
    return platform.run_until(loop, 10, function()
      return child.code or tonumber(child.output:match "http://127%.0%.0%.1:(%d+)\n")
    end)
  end

  before_each(function() loop = luv_loop.new() end)

  after_each(function()
    if not child.code then
      child.handle:kill "sigkill"
      finished()
    end
    child.handle:close()
    for _, pipe in ipairs(child.pipes) do pipe:close() end
    loop:close()
    platform.expect_no_handles()
  end)

  for _, signal in ipairs { "sigterm", "sigint" } do
    it("announces itself, serves, and ends well on " .. signal, function()
      child = run(0)
      local port = listening_port()
      assert.equal("presence: listening on http://127.0.0.1:" .. port .. "\n", child.output)
      local client = http_client.open(loop, port)
      assert.equal(404, client:ask("GET", "/").status)
      child.handle:kill(signal)
      assert.is_true(client:is_gone())
      client:close()
      assert.equal(0, finished())
      assert.equal(0, child.signal)
      assert.matches("served\n$", child.output)
      assert.equal("", child.errors)
    end)
  end

  it("says in one line that the port is taken, and exits with 1", function()
    local other = uv.new_tcp()
    other:bind("127.0.0.1", 0)
    other:listen(1, function() end)
    local port = other:getsockname().port
    child = run(port)
    assert.equal(1, finished())
    other:close()
    platform.run_until(loop, 5, function() return child.errors ~= "" end)
    local expected = "cannot listen on http://127.0.0.1:" .. port .. ": EADDRINUSE"
    assert.truthy(child.errors:find(expected, 1, true), child.errors)
    if interpreter == "lua5.4" then -- LuaJIT adds where it was raised
      assert.is_nil(child.errors:find("traceback", 1, true))
    end
    assert.equal(0, child.signal)
    assert.equal("", child.output)
  end)
end)
