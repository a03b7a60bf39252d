-- The README's synopses, run as they are printed.
local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

local function blocks_of(text, language)
  local blocks = {}
  for block in text:gmatch("\n```" .. language .. "\n(.-)\n```") do
    blocks[#blocks + 1] = block
  end
  return blocks
end

-- Lua 5.4 and LuaJIT give a chunk its globals in different ways.
local function load_with(code, name, globals)
  local env = setmetatable(globals, { __index = _G })
  if rawget(_G, "setfenv") then
    return rawget(_G, "setfenv")(assert(rawget(_G, "loadstring")(code, name)), env)
  end
  return assert(load(code, name, "t", env))
end

-- What the lines of a block that print something say they print: `print(…) --> this`.
local function promised(code)
  local lines = {}
  for line in code:gmatch("%-%-> ([^\n]+)") do
    lines[#lines + 1] = line
  end
  return lines
end

local blocks = blocks_of(read "README.md", "lua")
local pure_layer, application, application_spec = blocks[1], blocks[2], blocks[3]

describe("README.md", function()
  it("has the three synopses", function()
    assert.equal(3, #blocks)
    assert.matches("^local presence", pure_layer)
    assert.matches("^%-%- app.lua", application)
    assert.matches("^%-%- spec/app_spec.lua", application_spec)
  end)

  it("finds the promises of a synopsis", function()
    assert.same({ "1", "two words" }, promised("print(1) --> 1\n-- no\nprint(x)   --> two words"))
  end)

  it("the data structure alone prints what it says", function()
    local printed = {}
    load_with(pure_layer, "=README.md", {
      print = function(value)
        printed[#printed + 1] = tostring(value)
      end,
    })()
    assert(#printed > 0)
    assert.same(promised(pure_layer), printed)
  end)

  -- The third synopsis is a spec itself: it becomes part of this one.
  package.preload.app = load_with(application, "=app.lua", {})
  load_with(application_spec, "=app_spec.lua", { describe = describe, it = it, assert = assert })()

  teardown(function()
    package.preload.app, package.loaded.app = nil, nil
  end)
end)
