--- Userdata and the collector: memory in C comes back, and no order of ends does harm.
local presence = require "presence"

--- Resident memory of this process in KiB, or nil where the system does not tell.
local function resident_kib()
  local file = io.open "/proc/self/statm"
  if not file then
    return nil
  end
  local pages = file:read "*a":match "^%d+ (%d+)"
  file:close()
  return tonumber(pages) * 4
end

--- Runs a script in an interpreter of its own, to its very end; its output and exit status.
local function run(script)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(("package.path, package.cpath = %q, %q\n"):format(package.path, package.cpath), [[
    local presence = require "presence"
    function finalizer(fn)
      if newproxy then
        local proxy = newproxy(true)
        getmetatable(proxy).__gc = fn
        return proxy
      end
      return setmetatable({}, { __gc = fn })
    end
  ]], script)
  file:close()
  local interpreter = jit and "luajit" or "lua5.4"
  local pipe = assert(io.popen(interpreter .. " " .. path .. " 2>&1; echo exit=$?"))
  local output = pipe:read "*a"
  pipe:close()
  os.remove(path)
  return output
end

local function big_meta(i)
  return ('{"n":%d,"text":"%s"}'):format(i, ("x"):rep(200))
end

describe("the collector", function()
  it("keeps pace with what edits take in C", function()
    if not resident_kib() then
      return
    end
    local s = presence.new_state():edit(function(b)
      for i = 1, 2000 do
        b:track("t", "k" .. i, i, "{}")
      end
    end)
    collectgarbage()
    local before = resident_kib()
    for i = 1, 200000 do
      local key = "k" .. i % 2000
      s = s:track("t", key, "x", "1"):untrack("t", key, "x")
    end
    local grown = resident_kib() - before
    assert.is_true(grown < 64 * 1024, ("grew by %d KiB"):format(grown))
    assert.are.equal(2000, s:count("t"))
  end)

  it("keeps pace with states that are decoded, patched and built", function()
    if not resident_kib() then
      return
    end
    local empty = presence.new_state()
    local s = empty:edit(function(b)
      for i = 1, 1000 do
        b:track("t", "k" .. i, i, big_meta(i))
      end
    end)
    local bytes, diff = presence.encode(s), presence.diff(empty, s)
    collectgarbage()
    local before = resident_kib()
    for _ = 1, 1000 do
      presence.decode(bytes)
      presence.patch(empty, diff)
      presence.make_meta(1, big_meta(1))
    end
    local grown = resident_kib() - before
    assert.is_true(grown < 64 * 1024, ("grew by %d KiB"):format(grown))
  end)

  it("gives the memory of dropped states to the next ones", function()
    if not resident_kib() then
      return
    end
    local function fill()
      return presence.new_state():edit(function(b)
        for i = 1, 20000 do
          b:track("t", "k" .. i, i, big_meta(i))
        end
      end)
    end
    fill()
    collectgarbage()
    local before = resident_kib()
    for _ = 1, 20 do
      local s = fill()
      assert.are.equal(20000, s:count("t"))
      s = nil -- luacheck: ignore 311
      collectgarbage()
    end
    local grown = resident_kib() - before
    assert.is_true(grown < 48 * 1024, ("grew by %d KiB"):format(grown))
  end)

  it("keeps what an iterator, an entry and a meta need", function()
    local step = presence.new_state():track("t", "a", 1, "1"):track("t", "b", 2, "2"):each("t")
    local entries = {}
    for _ = 1, 2 do
      collectgarbage()
      local key, entry = step()
      entries[key] = entry
    end
    collectgarbage()
    assert.are.equal(1, entries.a[1].pid)
    assert.are.equal("2", entries.b[1].data)
  end)

  it("frees half-done edits after an error", function()
    if not resident_kib() then
      return
    end
    local s = presence.new_state()
    collectgarbage()
    local before = resident_kib()
    for _ = 1, 300 do
      pcall(s.edit, s, function(b)
        for i = 1, 500 do
          b:track("t", "k" .. i, i, big_meta(i))
        end
        error "enough"
      end)
    end
    local grown = resident_kib() - before
    assert.is_true(grown < 64 * 1024, ("grew by %d KiB"):format(grown))
  end)
end)

describe("the end of an interpreter", function()
  local clean = "exit=0\n"

  it("with everything alive is clean", function()
    assert.are.equal(clean, run [[
      s = presence.new_state():edit(function(b)
        for i = 1, 5000 do b:track("t" .. i % 7, "k" .. i, i, '{"n":1}') end
      end)
      entry = s:get("t1", "k1")
      meta = entry[1]
      step = s:each("t2")
      step()
      owner = require "presence.core".owner()
      owner:track("t", "k", 1, "{}", "r")
      snapshot = owner:snapshot()
    ]])
  end)

  it("may use states from finalizers, older and younger than they are", function()
    local output = run [[
      local function use(s)
        return function()
          local entry = s:get("t", "k")
          local again = presence.new_state():track("t", "k", 1, "{}"):untrack("t", "k", 1)
          s = s:track("t", "k", 2, "2")
          io.write(tostring(#entry == 1 and s:connections("t", "k") == 2), "\n")
        end
      end
      local s = presence.new_state():track("t", "k", 1, "1")
      early = finalizer(use(s))
      s = presence.new_state():track("t", "k", 1, "1")
      kept = s
      late = finalizer(use(s))
      early, late = nil
      collectgarbage()
      collectgarbage()
      at_close = finalizer(function() pcall(use(kept)) end)
    ]]
    assert.is_truthy(output:find("^true\ntrue\n"), output)
    assert.is_truthy(output:find("exit=0\n$"), output)
  end)

  it("may come with finalizers that are older than the module", function()
    local path = package.path
    assert.are.equal(clean, run [[
      package.loaded["presence"], package.loaded["presence.core"] = nil, nil
      local late = {}
      first = finalizer(function()
        pcall(function()
          local s = late.presence.new_state():track("t", "k", 1, "{}")
          late.kept = s
          late.s:track("t", "k", 1, "{}")
        end)
        pcall(function() late.owner:track("t", "x", 1, "{}", "r") end)
        pcall(function() return late.s == late.kept end)
        pcall(function() return late.s:list_json("t") .. tostring(late.s) end)
        pcall(function() return late.step() end)
        pcall(function() return late.entry[1].data end)
      end)
      late.presence = require "presence"
      late.s = late.presence.new_state():track("t", "k", 1, "{}"):track("t", "l", 1, "{}")
      late.entry = late.s:get("t", "k")
      late.step = late.s:each("t")
      late.owner = require "presence.core".owner()
      late.owner:track("t", "k", 1, "{}", "r")
    ]])
    assert.are.equal(path, package.path)
  end)

  it("may come inside an edit, and after an error in one", function()
    assert.are.equal("exit=3\n", run [[
      presence.new_state():edit(function(b)
        b:track("t", "k", 1, "{}")
        kept = b
        os.exit(3, true)
      end)
    ]])
    assert.are.equal(clean, run [[
      pcall(function()
        presence.new_state():edit(function(b)
          b:track("t", "k", 1, "{}")
          kept = b
          error "enough"
        end)
      end)
      kept:track("t", "l", 1, "{}")
    ]])
  end)

  it("is clean with the collector always at work", function()
    assert.are.equal(clean, run [[
      collectgarbage("setpause", 0)
      local s = presence.new_state()
      for i = 1, 3000 do
        s = s:track("t", "k" .. i % 50, i % 3, tostring(i))
        if i % 4 == 0 then s = s:untrack("t", "k" .. i % 50, i % 3) end
        for key, entry in s:each("t") do local m = entry[1].data end
        local old = s
        s = s:edit(function(b) b:track("u", "k", i % 5, "{}") b:untrack("u", "k", (i + 1) % 5) end)
        assert(presence.patch(old, presence.diff(old, s)) == s)
      end
    ]])
  end)
end)
