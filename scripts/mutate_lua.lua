-- Do the specs notice when the Lua code is wrong? Breaks lines of lua/presence that know no event
-- loop, one after another, and lists those that no spec minds.
--
--   lua5.4 scripts/mutate_lua.lua [count [seed [minutes [pattern]]]]  150 lines, seed 1, 35 minutes
--
-- A mutant lives in a copy of lua/ (build/mutate-lua/), and what runs is what needs no sockets:
-- spec/unit, spec/bugs, and the raw frames on the manual loop, under Lua 5.4 alone; the spec of the
-- broken module's own name comes first. Mutants that do not compile, or compile to the same code,
-- are replaced by others. A survivor needs a test, or a line in spec/unit/equivalent_mutants.txt
-- that says why it is no mistake:
--
--   file :: line as it is :: line as it was changed :: reason
--
-- The same seed breaks the same lines in the same way, as long as the tree is the same. `pattern`
-- picks the files whose path it matches.

local kit = dofile "scripts/mutate_kit.lua"

local equivalents_file = "spec/unit/equivalent_mutants.txt"
local tree = "build/mutate-lua"
local first_time_limit_s, times_slower = 600, 6

-- ---- Ways to break a line ----------------------------------------------------------------------

local swaps = {
  ["=="] = { "~=" }, ["~="] = { "==" }, ["<="] = { "<" }, [">="] = { ">" }, ["<"] = { "<=", ">" },
  [">"] = { ">=", "<" }, ["+"] = { "-" }, ["-"] = { "+" }, ["*"] = { "/" }, ["/"] = { "*" },
}
local words = { ["true"] = "false", ["false"] = "true", ["and"] = "or", ["or"] = "and" }
local keywords = {
  ["local"] = true, ["return"] = true, ["if"] = true, ["elseif"] = true, ["else"] = true,
  ["end"] = true, ["for"] = true, ["while"] = true, ["repeat"] = true, ["until"] = true,
  ["function"] = true, ["break"] = true, ["do"] = true,
}

-- The line with strings and comments blanked, so that places stay the same. Strings of several
-- lines are not for code that is broken here.
local function code_of(line)
  local out, at = {}, 1
  while at <= #line do
    local one = line:sub(at, at)
    if line:sub(at, at + 1) == "--" then
      break
    elseif one == '"' or one == "'" then
      local stop = at + 1
      while stop <= #line and line:sub(stop, stop) ~= one do
        stop = stop + (line:sub(stop, stop) == "\\" and 2 or 1)
      end
      out[#out + 1] = (" "):rep(stop - at + 1)
      at = stop + 1
    else
      out[#out + 1] = one
      at = at + 1
    end
  end
  return table.concat(out)
end

-- Every way to break a line, as the lines that would stand in its place.
local function mutations(line)
  local found, code = {}, code_of(line)
  local function replace(first, last, with)
    found[#found + 1] = line:sub(1, first - 1) .. with .. line:sub(last + 1)
  end
  local at = 1
  while at <= #code do
    local first, last = code:find("^[=~<>+%-*/]+", at)
    if first then
      -- A sign has no space behind it, an operator has one on both sides.
      local is_spaced = code:find("^ ", last + 1) and code:sub(first - 1, first - 1) == " "
      for _, with in ipairs(is_spaced and swaps[code:sub(first, last)] or {}) do
        replace(first, last, with)
      end
    elseif code:find("^%d+%f[^%w_.]", at) then
      first, last = code:find("^%d+", at)
      local number = math.tointeger(code:sub(first, last))
      replace(first, last, tostring(number + 1))
      if number > 0 then
        replace(first, last, tostring(number - 1))
      end
    elseif code:find("^[%a_]", at) then
      first, last = code:find("^[%w_]+", at)
      local word = code:sub(first, last)
      if words[word] then
        replace(first, last, words[word])
      elseif word == "not" then
        replace(first, last + 1, "")
      end
    end
    at = (last or at) + 1
  end
  local indent, keyword, condition, rest = line:match "^(%s*)(e?l?s?e?if) (.*)( then.*)$"
  if keyword then
    found[#found + 1] = indent .. keyword .. " not (" .. condition .. ")" .. rest
  end
  local returned = code:match "^%s+return%s+(%S.*)$"
  if returned and returned ~= "nil" then
    found[#found + 1] = line:match "^%s+" .. "return"
  end
  local first_word = code:match "^%s+([%a_][%w_]*)"
  if first_word and not keywords[first_word] and code:find "^%s+[%a_][%w_.:%[%]]*[ (=,]" then
    found[#found + 1] = ""
  end
  return found
end

local function code_bytes(text)
  local fn = load(text, "=mutant", "t")
  return fn and string.dump(fn, true)
end

-- Lines that may be broken, with the ways that compile to something else: {path, number, ways}.
local function candidates(pattern)
  local list = {}
  local find = "find lua/presence -maxdepth 1 -name '*.lua' -o -path 'lua/presence/channels/*.lua'"
    .. " -o -path 'lua/presence/testing/*.lua' -o -path 'lua/presence/manual/*.lua' | sort"
  for _, path in ipairs(kit.lines_of(find)) do
    local is_wanted = path:find(pattern) and not (path:find "/config" or path:find "/words")
    local text = is_wanted and kit.read(path) or ""
    local original, number = code_bytes(text), 0
    for line in (text .. "\n"):gmatch "(.-)\n" do
      number = number + 1
      local ways = {}
      for _, change in ipairs(line:find "^%s" and mutations(line) or {}) do
        local broken = code_bytes(kit.with_line(text, number, change))
        if broken and broken ~= original then
          ways[#ways + 1] = change
        end
      end
      if ways[1] then
        list[#list + 1] = { path = path, number = number, line = line, ways = ways }
      end
    end
  end
  return list
end

-- ---- The specs ---------------------------------------------------------------------------------

-- What tells nothing of Lua code that was broken, or takes long.
local left_out = {
  "/core_", "/model_spec", "/gc_spec", "/memory_spec", "/lifetime_spec", "/owner_spec",
  "/readme_spec", "/slow_reader_memory_spec",
}

local function specs()
  local list = {}
  for _, path in ipairs(kit.lines_of "ls spec/unit/*_spec.lua spec/bugs/*_spec.lua") do
    local is_left_out = false
    for _, part in ipairs(left_out) do
      is_left_out = is_left_out or path:find(part, 1, true) ~= nil
    end
    if not is_left_out then
      list[#list + 1] = path
    end
  end
  list[#list + 1] = "spec/contract/raw_frames_manual_spec.lua"
  return list
end

-- The spec of the module's own name, then all: each is one run.
local function runs_of(path, all)
  local own = "spec/unit/" .. path:match "([%w_]+)%.lua$" .. "_spec.lua"
  local runs = { table.concat(all, " ") }
  if kit.read(own) then
    table.insert(runs, 1, own)
  end
  return runs
end

-- Whether specs pass on the copy in time; the log says which did not.
local function passes(names, time_limit_s)
  local command = "ulimit -v 4000000; . scripts/env.sh;"
    .. [[ LUA_PATH_5_4="%s/lua/?.lua;%s/lua/?/init.lua;$LUA_PATH_5_4" timeout %d]]
    .. " lua5.4 /usr/bin/busted --output=plainTerminal --no-keep-going %s >%s/log 2>&1"
  return (kit.run(command:format(tree, tree, time_limit_s, names, tree)))
end

local function noticed_by()
  local log = kit.read(tree .. "/log") or ""
  return log:match "(spec/[%w_/]+_spec.lua)[^\n]*@" or log:match "(spec/[%w_/]+_spec.lua)"
    or "not running to its end"
end

-- "lives", or what found it.
local function judge(mutant, all, time_limit_s)
  local copy = tree .. "/" .. mutant.path
  local original = kit.read(copy)
  kit.write(copy, kit.with_line(original, mutant.number, mutant.change))
  local verdict = "lives"
  for _, names in ipairs(runs_of(mutant.path, all)) do
    if not passes(names, time_limit_s) then
      verdict = noticed_by()
      break
    end
  end
  kit.write(copy, original)
  return verdict
end

local function main(count, seed, minutes, pattern)
  assert(kit.run(("rm -rf %s && mkdir -p %s && cp -R lua %s/lua"):format(tree, tree, tree)))
  local known, all = kit.known_equivalents(equivalents_file), specs()
  local began = os.time()
  assert(passes(table.concat(all, " "), first_time_limit_s),
    "the specs fail by themselves: see " .. tree .. "/log")
  local time_limit_s = 10 + times_slower * (os.time() - began)
  math.randomseed(seed)
  local mutants = kit.shuffled(candidates(pattern))
  print(("seed %d, %d of %d lines"):format(seed, math.min(count, #mutants), #mutants))
  local noticed, explained, survivors = 0, 0, {}
  for i = 1, math.min(count, #mutants) do
    local mutant = mutants[i]
    mutant.change = mutant.ways[math.random(#mutant.ways)]
    local from, to = kit.trimmed(mutant.line), kit.trimmed(mutant.change)
    local reason = known[mutant.path .. "\n" .. from .. "\n" .. to]
    local verdict = reason and "explained: " .. reason or judge(mutant, all, time_limit_s)
    if reason then
      explained = explained + 1
    elseif verdict == "lives" then
      survivors[#survivors + 1] = mutant
      verdict = "SURVIVED"
    else
      noticed = noticed + 1
    end
    print(("%s %s:%d: %s -> %s"):format(verdict, mutant.path, mutant.number, from, to))
    io.stdout:flush()
    if os.time() - began > minutes * 60 then
      print(("the time is up after %d lines"):format(i))
      break
    end
  end
  print(("%d broken lines: %d noticed, %d explained, %d not noticed"):format(
    noticed + explained + #survivors, noticed, explained, #survivors))
  os.exit(#survivors == 0, true)
end

main(tonumber(arg[1] or 150), tonumber(arg[2] or 1), tonumber(arg[3] or 35), arg[4] or "")
