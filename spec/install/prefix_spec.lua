-- `make install` into a prefix of one's own, used from there, and removed.
local shell = require "spec.install.shell"
local run, quoted = shell.run, shell.quoted

local expected = {
  "/include/presence.h",
  "/include/presence_lua.h",
  "/lib/libpresence.a",
  "/lib/libpresence-lua5.4.so",
  "/lib/libpresence.so",
  "/lib/lua/5.1/presence/core.so",
  "/lib/lua/5.4/presence/core.so",
  "/lib/pkgconfig/presence-lua5.4.pc",
  "/lib/pkgconfig/presence.pc",
  "/share/lua/5.1/presence/init.lua",
  "/share/lua/5.1/presence/nginx/init.lua",
  "/share/lua/5.4/presence/init.lua",
  "/share/lua/5.4/presence/channels/wire/v2.lua",
}

local function files_in(folder)
  return shell.set_of_lines(run("cd " .. quoted(folder) .. "; find . ! -type d | sed 's/^.//'"))
end

local function count(set)
  local n = 0
  for _ in pairs(set) do
    n = n + 1
  end
  return n
end

describe("make install", function()
  local prefix

  setup(function()
    prefix = shell.new_folder()
    run("make install PREFIX=" .. quoted(prefix))
  end)

  teardown(function()
    run("rm -rf " .. quoted(prefix))
  end)

  it("puts every file where it belongs, for both interpreters", function()
    local there = files_in(prefix)
    for _, path in ipairs(expected) do
      assert(there[path], path .. " is missing")
    end
    for path in pairs(shell.set_of_lines(run "cd lua; find . -name '*.lua' | sed 's/^.//'")) do
      assert(there["/share/lua/5.4" .. path] and there["/share/lua/5.1" .. path], path)
    end
  end)

  it("gives Lua 5.4 and LuaJIT a module that works", function()
    local use = [[
      lua=$P/share/lua/$ABI c=$P/lib/lua/$ABI
      export LUA_PATH$SUFFIX="$lua/?.lua;$lua/?/init.lua;;" LUA_CPATH$SUFFIX="$c/?.so;;"
      "$INTERPRETER" spec/install/use.lua "$P"]]
    local with = "P=" .. quoted(prefix) .. " ABI=%s SUFFIX=%s INTERPRETER=%s\n" .. use
    local lua54 = run(with:format("5.4", "_5_4", "lua5.4"))
    local luajit = run(with:format("5.1", "", "luajit"))
    assert.matches("share/lua/5.4/presence/init.lua\n.*lib/lua/5.4/presence/core.so", lua54)
    assert.matches("share/lua/5.1/presence/init.lua\n.*lib/lua/5.1/presence/core.so", luajit)
  end)

  it("gives C programs the library by pkg-config, shared and static", function()
    local version = run("cat CMakeLists.txt"):match "project%(presence VERSION ([%d.]+)"
    local printed = version .. ": 0, 1, 2\n"
    local compile = ("export PKG_CONFIG_PATH=%s; cc -Wall -Werror spec/install/use.c -o %s ")
      :format(quoted(prefix .. "/lib/pkgconfig"), quoted(prefix .. "/use"))
    local use = quoted(prefix .. "/use")
    run(compile .. "$(pkg-config --cflags --libs presence)")
    assert.equal(printed, run("LD_LIBRARY_PATH=" .. quoted(prefix .. "/lib") .. " " .. use))
    run(compile .. "-static $(pkg-config --static --cflags --libs presence)")
    assert.equal(printed, run(use))
    run(compile .. "$(pkg-config --cflags presence) "
      .. "$(pkg-config --variable=libdir presence)/libpresence.a")
    assert.equal(printed, run(use))
    run("rm " .. use)
  end)

  it("gives C programs that embed Lua the same by pkg-config: examples/embed prints what it should",
    function()
      local program = quoted(prefix .. "/embed")
      run(("export PKG_CONFIG_PATH=%s; cc -Wall -Werror examples/embed/main.c -o %s "
        .. "$(pkg-config --cflags --libs presence-lua5.4)")
        :format(quoted(prefix .. "/lib/pkgconfig"), program))
      local printed = run(("cd examples/embed; LD_LIBRARY_PATH=%s LUA_PATH_5_4=%s %s visit.lua")
        :format(quoted(prefix .. "/lib"), quoted(prefix .. "/share/lua/5.4/?.lua;"
          .. prefix .. "/share/lua/5.4/?/init.lua"), program))
      assert.equal(run "cat examples/embed/expected.txt", printed)
      run("rm " .. program)
    end)

  it("gives libraries that export what is listed and nothing else", function()
    local surface = require "spec.house.surface"
    local names = require "spec.house.names"
    local core, binding = "src/core/exports.txt", "src/lua/exports.txt"
    for name, listed in pairs {
      ["libpresence.so"] = surface.exports(core),
      ["libpresence-lua5.4.so"] = surface.exports(core, binding),
    } do
      local defined = names.symbols(surface.dynamic_symbols(prefix .. "/lib/" .. name))
      assert.same({}, names.differences(defined, listed, name .. " exports, not listed",
        name .. " does not export"))
    end
  end)

  it("honours DESTDIR, and needs no node", function()
    local stage = shell.new_folder()
    -- Whatever the Makefile might call by these names fails.
    run("bin=" .. quoted(stage) .. [[/bin; mkdir "$bin"
      printf '#!/bin/sh\nexit 1\n' >"$bin/node"
      chmod +x "$bin/node"
      cp "$bin/node" "$bin/npm"
      PATH="$bin:$PATH" make install PREFIX=/opt/some DESTDIR=]] .. quoted(stage .. "/root"))
    assert.same(files_in(prefix), files_in(stage .. "/root/opt/some"))
    run("rm -rf " .. quoted(stage))
  end)

  it("takes a prefix that is relative, or has a space in it", function()
    local folder = shell.new_folder()
    local relative = run("realpath --relative-to=. " .. quoted(folder)):gsub("%s+$", "")
    run("make install PREFIX=" .. quoted(relative .. "/a b"))
    assert.same(files_in(prefix), files_in(folder .. "/a b"))
    run("rm -rf " .. quoted(folder))
  end)

  it("puts C modules where Debian's interpreters look when the prefix is /usr", function()
    local stage = shell.new_folder()
    run("make install PREFIX=/usr DESTDIR=" .. quoted(stage))
    local there = files_in(stage)
    for _, case in ipairs { { "lua5.4", "5.4" }, { "luajit", "5.1" } } do
      local found = 0
      for template in run(case[1] .. " -e 'print(package.cpath)'"):gmatch "[^;%s]+" do
        found = found + (there[template:gsub("%?", "presence/core")] and 1 or 0)
      end
      assert(found == 1, case[1] .. " would not find the module")
      assert(there["/usr/share/lua/" .. case[2] .. "/presence/init.lua"])
    end
    run("rm -rf " .. quoted(stage))
  end)

  it("is undone by make uninstall: what was there before stays, nothing else", function()
    local folder = shell.new_folder()
    run("mkdir -p " .. quoted(folder .. "/share/lua/5.4/other"))
    run("echo mine >" .. quoted(folder .. "/share/lua/5.4/other/mine.lua"))
    run("make install PREFIX=" .. quoted(folder))
    assert(count(files_in(folder)) > 50)
    run("make uninstall PREFIX=" .. quoted(folder))
    assert.same({ ["/share/lua/5.4/other/mine.lua"] = true }, files_in(folder))
    assert.equal("", run("cd " .. quoted(folder)
      .. "; find . -path '*presence*' -o -path './lib/*'"))
    run("rm -rf " .. quoted(folder))
  end)
end)
