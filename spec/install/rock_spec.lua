-- The rock, built by LuaRocks without the network into a tree of its own for each interpreter: the
-- same module, so what exercises C passes on it.
local shell = require "spec.install.shell"
local run, quoted = shell.run, shell.quoted

local interpreters = {
  { name = "lua5.4", abi = "5.4", variables = "", suffix = "_5_4" },
  { name = "luajit", abi = "5.1", suffix = "",
    variables = "LUA_INCDIR=" .. run("pkg-config --variable=includedir luajit"):gsub("%s+$", "") },
}

-- `script` with the rock's files found, and none of this tree's.
local function with_rock(case, tree, script)
  local there = tree .. "/share/lua/" .. case.abi
  return ("export LUA_PATH%s=%s LUA_CPATH%s=%s; %s"):format(
    case.suffix, quoted(there .. "/?.lua;" .. there .. "/?/init.lua;;"),
    case.suffix, quoted(tree .. "/lib/lua/" .. case.abi .. "/?.so;;"), script)
end

for _, case in ipairs(interpreters) do
  describe("the rock for " .. case.name, function()
    local tree

    setup(function()
      tree = shell.new_folder()
      -- LuaRocks leaves its objects beside the sources.
      run("cp -r src lua rockspec " .. quoted(tree) .. "; cd " .. quoted(tree)
        .. "; nice luarocks --lua-version=" .. case.abi .. " make --deps-mode=none --tree "
        .. quoted(tree .. "/tree") .. " CC='gcc -Werror' " .. case.variables
        .. " rockspec/*.rockspec")
    end)

    teardown(function()
      run("rm -rf " .. quoted(tree))
    end)

    it("is found and works", function()
      local folder = tree .. "/tree"
      assert.matches("lib/lua/" .. case.abi .. "/presence/core.so",
        run(with_rock(case, folder, case.name .. " spec/install/use.lua " .. quoted(folder))))
    end)

    it("brings every Lua file and nothing else", function()
      assert.equal("", run("diff -r lua " .. quoted(tree .. "/tree/share/lua/" .. case.abi)))
    end)

    it("passes the specs of the data structure and of the collector", function()
      local said = run(with_rock(case, tree .. "/tree", case.name
        .. " /usr/bin/busted --output=plainTerminal spec/unit/pure_spec.lua spec/unit/gc_spec.lua"))
      assert.matches("[1-9]%d+ successes / 0 failures / 0 errors", said)
    end)

    it("is removed by luarocks remove", function()
      run("luarocks --lua-version=" .. case.abi .. " remove --deps-mode=none --tree "
        .. quoted(tree .. "/tree") .. " presence")
      assert.equal("", run("find " .. quoted(tree .. "/tree") .. " -name '*.lua' -o -name '*.so'"))
    end)
  end)
end

describe("the rock", function()
  it("tells who builds it for Lua 5.1 to take LuaJIT's headers", function()
    local folder = shell.new_folder()
    -- Headers that define what those of Lua 5.1 define, for this machine may lack these.
    run("printf '#define LUA_VERSION_NUM 501\\n' >" .. quoted(folder .. "/lua.h")
      .. "; printf '#include \"lua.h\"\\n' >" .. quoted(folder .. "/lauxlib.h"))
    local said, ok = shell.try("cc -E -Isrc -I" .. quoted(folder) .. " src/lua/text.c -o "
      .. quoted(folder .. "/out"))
    run("rm -rf " .. quoted(folder))
    assert.is_false(ok)
    assert.matches("LUA_INCDIR=/usr/include/luajit", said)
  end)
end)
