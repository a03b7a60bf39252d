-- Do the C tests notice when the code is wrong? Breaks lines of src/core and src/text, one after
-- another, and lists those that no test minds.
--
--   lua5.4 scripts/mutate.lua [count [seed [jobs]]]        200 lines, seed 1, two at a time
--
-- Each mutant is built in a copy of the tree (build/mutate/<job>/), first plainly, and when it
-- lives through that, with both sanitizers; what runs are the C tests and the fuzz corpus. Mutants
-- that do not compile, or compile to the same code, are replaced by others. A survivor needs a
-- test, or a line in spec/c/equivalent_mutants.txt that says why it is no mistake:
--
--   file :: line as it is :: line as it was changed :: reason
--
-- The same seed breaks the same lines in the same way, as long as the tree is the same.

local equivalents_file = "spec/c/equivalent_mutants.txt"
local time_limit_s = 60

local kit = dofile "scripts/mutate_kit.lua"
local read, write, run, lines_of = kit.read, kit.write, kit.run, kit.lines_of
local trimmed, shuffled = kit.trimmed, kit.shuffled

-- ---- Ways to break a line ----------------------------------------------------------------------

-- Operators by their text. A longer one hides the shorter ones in it.
local swaps = {
  ["=="] = { "!=" }, ["!="] = { "==" }, ["<="] = { "<" }, [">="] = { ">" },
  ["<"] = { "<=", ">" }, [">"] = { ">=", "<" }, ["&&"] = { "||" }, ["||"] = { "&&" },
  ["++"] = { "--" }, ["--"] = { "++" }, ["+="] = { "-=" }, ["-="] = { "+=" },
  ["<<"] = { ">>" }, [">>"] = { "<<" }, ["+"] = { "-" }, ["-"] = { "+" }, ["&"] = { "|" },
  ["|"] = { "&" }, ["^"] = { "&" }, ["%"] = { "/" }, ["/"] = { "%" },
  ["|="] = { "=", "&=" }, ["&="] = { "|=" }, ["^="] = { "=" }, ["<<="] = { ">>=" },
  [">>="] = { "<<=" }, ["->"] = {}, ["*="] = {}, ["/="] = {},
}
local words = { ["true"] = "false", ["false"] = "true", continue = "break", ["break"] = "continue" }
-- These are written with a space on both sides where they have two operands.
local needs_spaces = { ["+"] = true, ["-"] = true, ["&"] = true, ["<"] = true, [">"] = true }

-- Where the comment, string or character that begins at a place ends; nil when none begins there.
local function blank_until(text, at)
  local two, one = text:sub(at, at + 1), text:sub(at, at)
  if two == "/*" then
    return select(2, text:find("*/", at + 2, true)) or #text
  elseif two == "//" then
    return (text:find("\n", at, true) or #text + 1) - 1
  elseif one == '"' or one == "'" then
    local stop = at + 1
    while text:sub(stop, stop) ~= one do
      stop = stop + (text:sub(stop, stop) == "\\" and 2 or 1)
    end
    return stop
  end
end

-- The text with strings, characters and comments blanked, so that places stay the same.
local function code_of(text)
  local out, at = {}, 1
  while at <= #text do
    local stop = blank_until(text, at)
    if stop then
      out[#out + 1] = text:sub(at, stop):gsub("[^\n]", " ")
      at = stop + 1
    else
      out[#out + 1] = text:sub(at, at)
      at = at + 1
    end
  end
  return table.concat(out)
end

-- Every way to break a line, as the lines that would stand in its place. before: the code before
-- it.
local function mutations(line, code, before)
  local found = {}
  local function replace(first, last, with)
    found[#found + 1] = line:sub(1, first - 1) .. with .. line:sub(last + 1)
  end
  local at = 1
  while at <= #code do
    local first, last = code:find("^[=!<>&|+%-*/%%^]+", at)
    if first then
      local operator = code:sub(first, last)
      local spaced = code:sub(first - 1, first - 1) == " " and code:sub(last + 1, last + 1) == " "
      for _, with in ipairs((not needs_spaces[operator] or spaced) and swaps[operator] or {}) do
        replace(first, last, with)
      end
      if operator == "!" then
        replace(first, last, "")
      end
      at = last + 1
    elseif code:find("^%d+%f[^%w_.]", at) then
      first, last = code:find("^%d+", at)
      local number = tonumber(code:sub(first, last))
      replace(first, last, tostring(number + 1))
      if number > 0 then
        replace(first, last, tostring(number - 1))
      end
      at = last + 1
    elseif code:find("^[%a_]", at) then
      first, last = code:find("^[%w_]+", at)
      local with = words[code:sub(first, last)]
      if with then
        replace(first, last, with)
      end
      at = last + 1
    else
      at = at + 1
    end
  end
  local indent, condition, rest = line:match("^(%s*i?f? ?%f[%w]if )(%b())(.*)$")
  if condition then
    found[#found + 1] = indent .. "(!" .. condition .. ")" .. rest
  end
  indent, condition, rest = line:match("^(%s*while )(%b())(.*)$")
  if condition then
    found[#found + 1] = indent .. "(0 && " .. condition .. ")" .. rest
  end
  -- A whole statement on one line, no declaration: gone.
  local is_whole = before:find("[;{}:)]%s*$") and code:find("^%s+[%a_*(+-].*;%s*$")
  local declares = code:find("^%s+[%a_][%w_ ]* %**[%a_][%w_]*%s*[=;%[,]")
  if is_whole and not declares and not code:find("^%s+return%f[%W]") then
    found[#found + 1] = line:match("^%s*") .. ";"
  end
  return found
end

-- Lines that may be broken: {path, number, ways}. No declarations of files, no assertions.
local function candidates()
  local list = {}
  for _, path in ipairs(lines_of("ls src/core/*.[ch] src/text/*.[ch] | grep -v presence.h")) do
    local text = read(path)
    local number, before, skip, raw = 0, "", false, {}
    for line in (text .. "\n"):gmatch("(.-)\n") do
      raw[#raw + 1] = line
    end
    for code in (code_of(text) .. "\n"):gmatch("(.-)\n") do
      number = number + 1
      local directive = code:find("^%s*#") or skip
      skip = directive and raw[number]:find("\\$") ~= nil
      local ways = {}
      if code:find("^%s") and not directive and not code:find("assert%s*%(") then
        ways = mutations(raw[number], code, before)
      end
      if #ways > 0 then
        list[#list + 1] = { path = path, number = number, ways = ways, line = raw[number] }
      end
      if code:find("%S") then
        before = code
      end
    end
  end
  return list
end

-- ---- A copy of the tree that is built by make --------------------------------------------------

local makefile = [[
CFLAGS = -std=c11 -march=x86-64-v2 -fPIC -Isrc -Ispec/c -Ispec/fuzz -MMD
plain/% : CFLAGS += -O1
checked/% : CFLAGS += -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all
sources = $(wildcard src/text/*.c src/core/*.c src/net/*.c)
tests = $(wildcard spec/c/test_*.c)
targets = $(wildcard spec/fuzz/fuzz_*.c)
programs = $(tests:spec/c/%.c=%) $(targets:spec/fuzz/%.c=%)
.SECONDARY:
plain checked: %: %/libmutant.so $(foreach p,$(programs),%/$(p))
.PHONY: plain checked
plain: plain/libmutant.so $(programs:%=plain/%)
checked: checked/libmutant.so $(programs:%=checked/%)
%/libmutant.so:
	$(CC) $(CFLAGS) -shared -o $@ $(filter %.o,$^)
plain/libmutant.so: $(sources:src/%.c=plain/%.o)
checked/libmutant.so: $(sources:src/%.c=checked/%.o)
define flavour
$(1)/%.o: src/%.c
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS) -c -o $$@ $$<
$(1)/test_%: spec/c/test_%.c | $(1)/libmutant.so
	$$(CC) $$(CFLAGS) -o $$@ $$< -L$(1) -lmutant -lcmocka -Wl,-rpath,'$$$$ORIGIN'
$(1)/fuzz_%: spec/fuzz/fuzz_%.c spec/fuzz/replay.c | $(1)/libmutant.so
	$$(CC) $$(CFLAGS) -o $$@ $$< spec/fuzz/replay.c -L$(1) -lmutant -Wl,-rpath,'$$$$ORIGIN'
endef
$(eval $(call flavour,plain))
$(eval $(call flavour,checked))
-include $(wildcard plain/*.d plain/*/*.d checked/*.d checked/*/*.d)
]]

local function make(tree, flavour, log)
  return run(("nice make -s -C %s %s >%s 2>&1"):format(tree, flavour, log))
end

local function prepare(tree)
  local fresh = "mkdir -p %s/src %s/spec && rm -rf %s/src/* %s/spec/*"
  local copy = "cp -R src/text src/core src/net %s/src/ && cp -R spec/c spec/fuzz %s/spec/"
  assert(run(fresh:format(tree, tree, tree, tree)) and run(copy:format(tree, tree)))
  write(tree .. "/Makefile", makefile)
  for _, flavour in ipairs { "plain", "checked" } do
    if not make(tree, flavour, tree .. "/log") then
      error("does not build: " .. read(tree .. "/log"))
    end
  end
end

-- Runs one program; true when it finds no fault.
local function passes(tree, flavour, name)
  local inputs = name:match("^fuzz_(.*)")
  local limits = flavour == "plain" and "ulimit -v 4000000; " or ""
  local command = "cd %s && timeout %d sh -c '%sexec %s/%s %s' >log 2>&1"
  return (run(command:format(tree, time_limit_s, limits, flavour, name,
    inputs and "spec/fuzz/corpus/" .. inputs .. "/*" or "")))
end

-- The programs, those that take least time first; each must pass before anything is broken.
local function programs_of(tree)
  local list, all = {}, "cd %s/plain && ls -d test_* fuzz_* | grep -v '[.]d$'"
  for _, path in ipairs(lines_of(all:format(tree))) do
    local started = tonumber(lines_of("date +%s%N")[1])
    for _, flavour in ipairs { "checked", "plain" } do
      assert(passes(tree, flavour, path), flavour .. "/" .. path .. " fails by itself")
    end
    list[#list + 1] = { name = path, took = tonumber(lines_of("date +%s%N")[1]) - started }
  end
  table.sort(list, function(a, b)
    return a.took < b.took
  end)
  return list
end

-- Programs of the mutant's own room first.
local function in_order(programs, path)
  local room = path:match("^src/(%w+)/")
  local list = {}
  for _, own in ipairs { true, false } do
    for _, program in ipairs(programs) do
      if (program.name:find("test_" .. room, 1, true) ~= nil) == own then
        list[#list + 1] = program.name
      end
    end
  end
  return list
end

-- ---- One mutant --------------------------------------------------------------------------------

local function checksum(tree)
  return lines_of(("cat %s/plain/*/*.o | cksum"):format(tree))[1]
end

-- "broken" (does not compile), "same", "lives", or the name of the program that found it.
local function judge(tree, programs, mutant)
  local path = tree .. "/" .. mutant.path
  local original = read(path)
  local text = kit.with_line(original, mutant.number, mutant.change)
  local before, verdict = checksum(tree), "lives"
  write(path, text)
  if not make(tree, "plain", tree .. "/log") then
    verdict = "broken"
  elseif checksum(tree) == before and mutant.path:find("%.c$") then
    verdict = "same"
  else
    for _, flavour in ipairs { "plain", "checked" } do
      if verdict == "lives" and (flavour == "plain" or make(tree, flavour, tree .. "/log")) then
        for _, name in ipairs(in_order(programs, mutant.path)) do
          if not passes(tree, flavour, name) then
            verdict = flavour == "plain" and name or name .. ", sanitized"
            break
          end
        end
      end
    end
  end
  write(path, original)
  return verdict
end

local function work(job, jobs, count, seed)
  local tree = "build/mutate/" .. job
  prepare(tree)
  local programs = programs_of(tree)
  math.randomseed(seed)
  local valid, verdicts = 0, assert(io.open(tree .. "/verdicts", "w"))
  local quota = math.floor(count / jobs) + (job < count % jobs and 1 or 0)
  for i, mutant in ipairs(shuffled(candidates())) do
    mutant.change = mutant.ways[math.random(#mutant.ways)]
    if i % jobs == job and valid < quota then
      local verdict = judge(tree, programs, mutant)
      if verdict ~= "broken" and verdict ~= "same" then
        valid = valid + 1
        local report = table.concat({ verdict, mutant.path, mutant.number, trimmed(mutant.line),
          trimmed(mutant.change) }, "\t") .. "\n"
        for _, file in ipairs { io.stdout, verdicts } do
          file:write(report)
          file:flush()
        end
      end
    end
  end
end

-- ---- All ---------------------------------------------------------------------------------------

local function main(count, seed, jobs)
  local known, workers = kit.known_equivalents(equivalents_file), {}
  print(("seed %d, %d lines"):format(seed, count))
  for job = 0, jobs - 1 do
    local command = "lua5.4 scripts/mutate.lua --job %d %d %d %d"
    workers[#workers + 1] = assert(io.popen(command:format(job, jobs, count, seed)))
  end
  local noticed, explained, survivors = 0, 0, {}
  for _, worker in ipairs(workers) do
    for line in worker:lines() do
      local verdict, path, number, from, to = line:match("^(.-)\t(.-)\t(.-)\t(.-)\t(.*)$")
      local reason = path and known[path .. "\n" .. from .. "\n" .. to]
      if not path then
        print(line)
      elseif verdict ~= "lives" then
        noticed = noticed + 1
      elseif reason then
        explained = explained + 1
        print(("explained %s:%s: %s -> %s: %s"):format(path, number, from, to, reason))
      else
        survivors[#survivors + 1] = ("%s:%s\n    %s\n    %s"):format(path, number, from, to)
        print("SURVIVED " .. survivors[#survivors])
      end
      io.stdout:flush()
    end
    worker:close()
  end
  print(("%d broken lines: %d noticed, %d explained, %d not noticed"):format(
    noticed + explained + #survivors, noticed, explained, #survivors))
  os.exit(#survivors == 0 and noticed + explained == count, true)
end

if arg[1] == "--job" then
  work(tonumber(arg[2]), tonumber(arg[3]), tonumber(arg[4]), tonumber(arg[5]))
else
  main(tonumber(arg[1] or 200), tonumber(arg[2] or 1), tonumber(arg[3] or 2))
end
