-- The rules of the house (docs/architecture.md). Each rule is first shown something bad, so that it
-- is known to be able to complain, and then the tree.
-- They read the build in build/, which `make test` makes first.
local source = require "spec.house.source"
local rooms = require "spec.house.rooms"
local measure = require "spec.house.measure"
local names = require "spec.house.names"
local surface = require "spec.house.surface"

-- What users and platforms require by name; everything else must be reached from one of these.
local lua_entries = {
  "presence", -- the facade
  "presence.client", -- which the facade loads when they are asked for
  "presence.channels.guard.token",
  "presence.testing",
  "presence.testing.assertions",
  "presence.luv.loop", -- loops, for presence.new
  "presence.nginx",
  "presence.nginx.loop",
  "presence.manual.loop",
  "presence.words", -- for applications that put error words into their users' language
}
local max_function_lines = 70
local long_file_lines = 400
-- "Few" files may be longer, one in twenty; none by much.
local max_share_of_long_files, max_file_lines = 1 / 20, 700

local function texts_of(directories, extensions)
  local texts = {}
  for _, directory in ipairs(directories) do
    for _, extension in ipairs(extensions) do
      for _, path in ipairs(source.files(directory, extension)) do
        texts[path] = source.read(path)
      end
    end
  end
  return texts
end

local lua_texts = texts_of({ "lua", "examples", "bench", "spec" }, { "lua" })
local library_texts = texts_of({ "lua" }, { "lua" })
local c_texts = texts_of({ "src", "bench", "spec" }, { "c", "h" })

local function complain_not(complaints)
  assert(#complaints == 0, "\n  " .. table.concat(complaints, "\n  "))
end

local function collect(texts, rule)
  local complaints = {}
  for path, text in pairs(texts) do
    for _, complaint in ipairs(rule(path, text)) do
      complaints[#complaints + 1] = complaint
    end
  end
  table.sort(complaints)
  return complaints
end

describe("rooms", function()
  it("refuse a require into a room that is closed to them", function()
    local function count(path, text)
      return #rooms.check_lua(path, text)
    end
    assert.equal(1, count("lua/presence/tracker.lua", 'local luv = require "luv"'))
    assert.equal(1, count("lua/presence/feed.lua", 'x = require("presence.channels.socket")'))
    assert.equal(1, count("lua/presence/channels/socket.lua", "require 'presence.luv.loop'"))
    assert.equal(1, count("lua/presence/manual/loop.lua", 'require "presence.luv.loop"'))
    assert.equal(1, count("lua/presence/pubsub.lua", 'pcall(require, "cjson")'))
    assert.equal(1, count("lua/presence/channels/x.lua", 'require "presence.testing"'))
    assert.equal(1, count("lua/presence/tracker.lua", "require(name)"))
    assert.equal(1, count("examples/chat/app.lua", 'require "presence.tracker"'))
    assert.equal(1, count("elsewhere/x.lua", ""))
    assert.equal(0, count("lua/presence/tracker.lua", 'require "presence.core" -- require "luv"'))
    assert.equal(0, count("lua/presence/luv/loop.lua", 'require "luv" ; s = [[require "ngx"]]'))
    assert.equal(0, count("examples/chat/app.lua", 'require "presence"'))
  end)

  it("are kept by every Lua file", function()
    assert(next(lua_texts), "no Lua files found")
    complain_not(collect(lua_texts, rooms.check_lua))
  end)

  it("refuse an include from a room that is closed to them", function()
    local function count(path, text)
      return #rooms.check_c(path, text)
    end
    assert.equal(1, count("src/text/json.c", '#include "core/state.h"'))
    assert.equal(1, count("src/core/state.c", "#include <lua.h>"))
    assert.equal(1, count("src/net/http.c", '# include "lua/module.h"'))
    assert.equal(1, count("src/net/http.c", "#include <sys/socket.h>"))
    assert.equal(1, count("src/lua/net_outbox.c", "#include <sys/socket.h>"))
    assert.equal(0, count("src/lua/net_send.c", "#include <sys/socket.h>"))
    assert.equal(1, count("spec/c/test_x.c", '#include "core/state.c"'))
    assert.equal(1, count("src/other/x.c", ""))
    assert.equal(0, count("src/core/state.c", '#include <stdint.h>\n/* #include <lua.h> */'))
    assert.equal(0, count("src/lua/state.c", '#include <lauxlib.h>\n#include "core/presence.h"'))
  end)

  it("are kept by every C file", function()
    assert(next(c_texts), "no C files found")
    complain_not(collect(c_texts, rooms.check_c))
  end)
end)

describe("nothing is dead:", function()
  it("a Lua module that no entry reaches is found", function()
    local texts = {
      ["lua/presence/init.lua"] = 'require "presence.a"',
      ["lua/presence/a.lua"] = 'local function late() return require("presence.b") end',
      ["lua/presence/b.lua"] = "",
      ["lua/presence/c.lua"] = 'require "presence.d" -- only the dead reach it',
      ["lua/presence/d.lua"] = "",
    }
    assert.equal(2, #rooms.dead_modules(texts, { "presence" }))
  end)

  it("every Lua module is reached", function()
    complain_not(rooms.dead_modules(library_texts, lua_entries))
  end)

  it("a C function that no other file uses is found", function()
    local objects = {
      a = { "0000 T presence__a", "     U presence__b", "0000 t helper" },
      b = { "0000 T presence__b", "0000 T presence__unused", "0010 T presence_new" },
    }
    assert.same({ "presence__unused: in b, and used by no other object" },
      names.unused_symbols(objects, { "presence_new", "presence__a" }))
  end)

  it("every C function that leaves its file is used by another", function()
    local objects = surface.objects()
    assert(next(objects), "no objects in build/: run make test, or make build")
    local public = surface.exports()
    public[#public + 1] = surface.lua_entry
    public[#public + 1] = "main"
    complain_not(names.unused_symbols(objects, public))
  end)
end)

describe("exported symbols:", function()
  it("a name too many and a name too few are found", function()
    local defined = names.symbols { "0000 T presence_new", "0000 T leaked", "     U malloc" }
    assert.equal(2, #names.differences(defined, { "presence_new", "presence_gone" }, "x", "y"))
  end)

  it("libpresence exports what src/core/exports.txt lists", function()
    local defined = names.symbols(surface.dynamic_symbols(surface.library "libpresence"))
    complain_not(names.differences(defined, surface.exports(), "exported, not listed",
      "listed, not exported"))
  end)

  it("libpresence-lua5.4 exports that and what src/lua/exports.txt lists", function()
    local defined = names.symbols(surface.dynamic_symbols(surface.library "libpresence-lua5.4"))
    local listed = surface.exports("src/core/exports.txt", "src/lua/exports.txt")
    assert(#listed > #surface.exports())
    complain_not(names.differences(defined, listed, "exported, not listed",
      "listed, not exported"))
  end)

  it("the test of memory that fails calls what src/core/exports.txt lists", function()
    local noted, wrapped = {}, {}
    local text = source.read("spec/c/noted_exports.h")
    for name in text:gmatch("X%((presence_[%w_]+)%)") do
      noted[#noted + 1] = name
    end
    for name, same in text:gmatch("#define (presence_[%w_]+)%(%.%.%.%) NOTED%(([%w_]+), ") do
      assert.equal(name, same)
      wrapped[#wrapped + 1] = name
    end
    complain_not(names.differences(noted, surface.exports(), "noted, not listed", "not noted"))
    complain_not(names.differences(wrapped, surface.exports(), "noted, not listed", "not noted"))
  end)

  it("presence_lua.h declares what src/lua/exports.txt lists", function()
    local declared = names.declared(source.read("src/lua/presence_lua.h"), "")
    complain_not(names.differences(declared, surface.exports("src/lua/exports.txt"),
      "declared, not listed", "listed, not declared"))
  end)

  it("presence.h declares what src/core/exports.txt lists", function()
    local declared = names.declared(source.read("src/core/presence.h"), "presence_")
    complain_not(names.differences(declared, surface.exports(), "declared, not listed",
      "listed, not declared"))
  end)

  it("the Lua modules export their opening function alone", function()
    local modules = surface.lua_modules()
    assert.equal(2, #modules)
    for _, path in ipairs(modules) do
      assert.same({ surface.lua_entry }, (names.symbols(surface.dynamic_symbols(path))))
    end
  end)
end)

describe("the rockspec", function()
  it("that forgets a file, or names one that is gone, is found", function()
    local rock = { build = { modules = {
      ["presence.core"] = { sources = { "src/a.c", "src/gone.c" } },
      ["presence"] = "lua/presence/init.lua",
      ["presence.x"] = "lua/presence/y.lua",
    } } }
    assert.same({
      "lua/presence/x.lua: not in the rockspec",
      "lua/presence/y.lua: in the rockspec as presence.x, and not there",
      "src/b.c: not in the rockspec",
      "src/gone.c: in the rockspec, and not there",
    }, names.check_rockspec(rock, { "lua/presence/init.lua", "lua/presence/x.lua" },
      { "src/a.c", "src/b.c" }))
  end)

  it("lists every file", function()
    local rock = {}
    local path = source.files("rockspec", "rockspec")[1]
    assert(loadfile(path, "t", rock))()
    complain_not(names.check_rockspec(rock, source.files("lua", "lua"), source.files("src", "c")))
  end)
end)

describe("documents:", function()
  it("a C declaration without a comment is found", function()
    local header = "/* Makes one.\n  presence_x(1); */\nAPI int\npresence_a(void);\n\n"
      .. "API int presence_b(\n  int x);\n"
    assert.same({ "presence_b: declared without a comment" },
      names.undocumented_declarations(header, "presence_"))
  end)

  it("presence.h says what each function does", function()
    complain_not(names.undocumented_declarations(source.read("src/core/presence.h"), "presence_"))
  end)

  it("a Lua function without a line in the reference is found", function()
    local document = "### `track(s, topic)`\n`s:has(topic)`, `m{…}`, but not tracker( or `xlist()`"
    assert.same({ "list: not in the reference", "tracker: not in the reference" },
      names.undocumented({ "has", "list", "m", "track", "tracker" }, document))
  end)

  it("every public function is in docs/reference.md", function()
    local document = source.read("docs/reference.md")
    for owner, list in pairs(surface.public_names()) do
      assert(#list > 0, "no functions found in " .. owner)
      complain_not(names.undocumented(list, document))
    end
  end)

  it("a Lua function without annotations is found", function()
    local text = "---@param a string\nfunction M.one(a) end\n\n-- plain\nfunction M.two() end\n"
      .. "---@field three fun(x: integer): integer\nM.four = five\n"
      .. "---@return integer\n-- and why\nfunction M:six() end\n--- Does.\nfunction M.seven() end\n"
      .. "--- Does.\nfunction M.eight(a) end\n"
    assert.same({ "two: without annotations", "four: without annotations",
      "eight: without annotations" },
      names.unannotated({ "one", "two", "three", "four", "six", "seven", "eight" }, { x = text }))
  end)

  it("every public function is annotated for language servers", function()
    local texts = texts_of({ "lua", "types" }, { "lua" })
    for _, list in pairs(surface.public_names()) do
      complain_not(names.unannotated(list, texts))
    end
  end)

  it("an option without a line, or with another default, is found", function()
    local document = "## Runtime: `config.runtime`\n| `a_s` | `1` | seconds |\n| `b` | `2` | … |\n"
    assert.equal(0, #names.undocumented_options({ runtime = { a_s = 1, b = 2 } }, document))
    assert.equal(1, #names.undocumented_options({ runtime = { a_s = 1.5 } }, document))
    assert.equal(1, #names.undocumented_options({ endpoint = { a_s = 1 } }, document))
  end)

  it("every option and its default is in docs/options.md", function()
    local groups = surface.options()
    assert(next(groups), "no options found")
    complain_not(names.undocumented_options(groups, source.read("docs/options.md")))
  end)

  it("a link to a file that is not there is found", function()
    local function exists(path)
      return path == "docs/a.md"
    end
    local text = "[a](a.md#x) [b](b.md) [web](https://example.org/) [here](#there)"
    assert.equal(1, #names.dead_links("docs/x.md", text, exists))
  end)

  it("every link between documents leads somewhere", function()
    local function exists(path)
      local file = io.open(path, "rb")
      return file ~= nil and file:close()
    end
    complain_not(collect(texts_of({ ".", }, { "md" }), function(path, text)
      if path:find("node_modules", 1, true) or path:find("^%./build/") then
        return {}
      end
      return names.dead_links(path, text, exists)
    end))
  end)
end)

describe("error words:", function()
  it("an unregistered word, a stale one and a sentence are found", function()
    local used = {}
    for _, use in ipairs(names.returned_words([[
      if x then return nil, "bad_json", "at byte 3" end -- return nil, "in_comment"
      return nil, "Something went wrong" ]])) do
      used[#used + 1] = { word = use.word, where = "x.lua:" .. use.line }
    end
    assert.equal(2, #used)
    assert.equal(3, #names.check_words({ stale = "…" }, used))
    assert.equal(1, #names.check_words({ bad_json = "…" }, used))
  end)

  it("every word returned by Lua and by C is in the one registry, and each of its words is used",
    function()
      local used = surface.c_words()
      for path, text in pairs(library_texts) do
        for _, use in ipairs(names.returned_words(text)) do
          used[#used + 1] = { word = use.word, where = path .. ":" .. use.line }
        end
      end
      complain_not(names.check_words(surface.word_registry(), used))
    end)

  it("every registered word is in the reference", function()
    local document = source.read("docs/reference.md")
    local lacking = {}
    for word in pairs(surface.word_registry()) do
      if not document:find("`" .. word .. "`", 1, true) then
        lacking[#lacking + 1] = word
      end
    end
    complain_not(lacking)
  end)
end)

describe("lengths:", function()
  local long_body = ("  x = x + 1\n"):rep(80)

  it("a long Lua function is found, a suite of specs is none", function()
    local text = "local function f()\n" .. long_body .. "end\nlocal s = 'end'\n"
      .. "describe('x', function()\nlocal y\n" .. long_body .. " it()\nend)\n"
      .. "local function short() if a then repeat b() until c else for _ in d do end end end\n"
    local complaints, seen = measure.long_lua_functions("spec/x.lua", text, max_function_lines)
    assert.equal(1, #complaints)
    assert.equal(3, seen)
    assert.equal(2, #measure.long_lua_functions("lua/x.lua", text, max_function_lines))
    local half = ("  x = x + 1\n"):rep(40)
    local closures = "function M.new()\n" .. half .. "function self.f()\n" .. half .. "end\nend"
    assert.equal(0, #measure.long_lua_functions("lua/x.lua", closures, max_function_lines))
    assert.equal(2, #measure.long_lua_functions("lua/x.lua", closures, 41))
  end)

  it("no Lua function is long", function()
    local seen_in_all = 0
    complain_not(collect(lua_texts, function(path, text)
      local complaints, seen = measure.long_lua_functions(path, text, max_function_lines)
      seen_in_all = seen_in_all + seen
      return complaints
    end))
    assert(seen_in_all > 100, "hardly any functions seen: " .. seen_in_all)
  end)

  it("a long C function is found, a long table is none", function()
    local text = "static int\nf(int x)\n{\n" .. ("  x++;\n"):rep(80) .. "  return x;\n}\n\n"
      .. "static const int table[] = {\n" .. ("  1,\n"):rep(80) .. "};\n"
      .. "int declared(int x);\nint g(int x) {\n  return '}' == x; /* } */\n}\n"
    local complaints, seen = measure.long_c_functions("x.c", text, max_function_lines)
    assert.equal(1, #complaints)
    assert.equal(2, seen)
  end)

  it("no C function is long", function()
    local seen_in_all = 0
    complain_not(collect(c_texts, function(path, text)
      local complaints, seen = measure.long_c_functions(path, text, max_function_lines)
      seen_in_all = seen_in_all + seen
      return complaints
    end))
    assert(seen_in_all > 100, "hardly any functions seen: " .. seen_in_all)
  end)

  it("a long file is found", function()
    local long = measure.long_files({ a = ("\n"):rep(5), b = ("\n"):rep(9), c = "\n" }, 4)
    assert.same({ { path = "b", lines = 9 }, { path = "a", lines = 5 } }, long)
  end)

  it("few files are long, and none very long", function()
    local texts = texts_of({ "src", "lua", "examples", "bench", "spec", "scripts", "types" },
      { "c", "h", "lua", "sh", "mjs" })
    local long = measure.long_files(texts, long_file_lines)
    for _, file in ipairs(long) do
      print(("%s: %d lines, over %d"):format(file.path, file.lines, long_file_lines))
      assert(file.lines <= max_file_lines, file.path .. " is too long")
    end
    local count = 0
    for _ in pairs(texts) do
      count = count + 1
    end
    assert(#long <= count * max_share_of_long_files,
      ("%d of %d files are over %d lines"):format(#long, count, long_file_lines))
  end)
end)
