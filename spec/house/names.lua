--- Names that are promises: exported symbols, error words, documented functions and options.
local source = require "spec.house.source"

local M = {}

local function sorted_keys(set)
  local keys = {}
  for key in pairs(set) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  return keys
end

local function set_of(list)
  local set = {}
  for _, item in ipairs(list) do
    set[item] = true
  end
  return set
end

--- Complaints where two lists of names differ.
---@param actual string[]
---@param expected string[]
---@param extra string what to say of a name that is in `actual` only
---@param lacking string what to say of a name that is in `expected` only
---@return string[]
function M.differences(actual, expected, extra, lacking)
  local complaints, have, want = {}, set_of(actual), set_of(expected)
  for _, name in ipairs(sorted_keys(have)) do
    if not want[name] then
      complaints[#complaints + 1] = name .. ": " .. extra
    end
  end
  for _, name in ipairs(sorted_keys(want)) do
    if not have[name] then
      complaints[#complaints + 1] = name .. ": " .. lacking
    end
  end
  return complaints
end

--- Names that lines of `nm` define for other objects, and names they ask others for.
---@param lines string[]
---@return string[] defined, string[] undefined
function M.symbols(lines)
  local defined, undefined = {}, {}
  for _, line in ipairs(lines) do
    local kind, name = line:match("^%x*%s*(%a)%s+([%w_.]+)")
    if kind == "U" then
      undefined[#undefined + 1] = name
    elseif kind and kind:find("[TDBRVWC]") then
      defined[#defined + 1] = name
    end
  end
  return defined, undefined
end

--- Functions that one object offers and no other object uses: they are dead, or should be static.
---@param objects table<string, string[]> object → lines of `nm`
---@param public string[] names that users outside may use
---@return string[]
function M.unused_symbols(objects, public)
  local used, complaints = set_of(public), {}
  for _, lines in pairs(objects) do
    local _, undefined = M.symbols(lines)
    for _, name in ipairs(undefined) do
      used[name] = true
    end
  end
  -- The same source may be built several times, for several targets: one complaint is enough.
  for object, lines in pairs(objects) do
    for _, name in ipairs((M.symbols(lines))) do
      if not used[name] then
        used[name] = true
        local complaint = "%s: in %s, and used by no other object"
        complaints[#complaints + 1] = complaint:format(name, object)
      end
    end
  end
  table.sort(complaints)
  return complaints
end

--- Functions that a C header declares, by prefix.
---@param text string
---@param prefix string
---@return string[]
function M.declared(text, prefix)
  local names = {}
  for name in source.c_code(text):gmatch("[%s*(](" .. prefix .. "[%w_]+)%s*%(") do
    names[name] = true
  end
  return sorted_keys(names)
end

--- Functions that a header declares without a comment right above them.
---@param text string
---@param prefix string
---@return string[]
function M.undocumented_declarations(text, prefix)
  local complaints, documented, in_comment, statement = {}, false, false, ""
  for row in (text .. "\n"):gmatch("(.-)\n") do
    local begins = row:find("^%s*/%*") ~= nil
    in_comment = in_comment or begins
    if in_comment then
      if row:find("*/", 1, true) then
        in_comment, documented, statement = false, true, ""
      end
    elseif row:find("^%s*$") then
      documented, statement = false, ""
    elseif not row:find("^%s*#") then
      statement = statement .. row .. " "
      if row:find("[;{]%s*$") then
        local name = statement:match("[%s*](" .. prefix .. "[%w_]+)%s*%(")
        if name and not documented then
          complaints[#complaints + 1] = name .. ": declared without a comment"
        end
        statement = ""
      end
    end
  end
  return complaints
end

--- Error words that Lua source returns: `return nil, "word"`.
---@param text string
---@return {word: string, line: integer}[]
function M.returned_words(text)
  local words, tokens = {}, source.lua_tokens(text)
  for i, token in ipairs(tokens) do
    local a, b, c = tokens[i + 1], tokens[i + 2], tokens[i + 3]
    if token.text == "return" and a and a.text == "nil" and b and b.text == "," and c
      and c.kind == "string" then
      words[#words + 1] = { word = c.text, line = c.line }
    end
  end
  return words
end

--- Complaints about words that are not in the registry, or are in it and used nowhere.
---@param registry table<string, any> word → its meaning
---@param used {word: string, where: string}[]
---@return string[]
function M.check_words(registry, used)
  local complaints, seen = {}, {}
  for _, use in ipairs(used) do
    seen[use.word] = true
    if not use.word:find("^%l[%l%d_]*$") then
      complaints[#complaints + 1] = ("%s: '%s' is not a short word"):format(use.where, use.word)
    elseif registry[use.word] == nil then
      complaints[#complaints + 1] = ("%s: '%s' is not registered"):format(use.where, use.word)
    end
  end
  for _, word in ipairs(sorted_keys(registry)) do
    if not seen[word] then
      complaints[#complaints + 1] = ("'%s' is registered and used nowhere"):format(word)
    end
  end
  return complaints
end

-- What stands between backticks, one span a line.
local function code_spans(document)
  local spans = {}
  for row in document:gmatch("[^\n]+") do
    for span in row:gmatch("`([^`]*)`") do
      spans[#spans + 1] = span
    end
  end
  return table.concat(spans, "\n")
end

--- Functions that a document does not show as `name(`.
---@param names string[]
---@param document string
---@return string[]
function M.undocumented(names, document)
  local complaints, spans = {}, code_spans(document)
  for _, name in ipairs(names) do
    if not spans:find("%f[%w_]" .. name .. "[({]") then
      complaints[#complaints + 1] = name .. ": not in the reference"
    end
  end
  return complaints
end

-- The name that a row of Lua gives a function, and what stands between its parentheses.
local function named_function(row)
  local name, parameters = row:match("^%s*function%s+[%w_.]*[.:]([%w_]+)%s*%(([^)]*)")
  if not name then
    name = row:match("^%s*[%w_.]*%.([%w_]+)%s*=")
  end
  return name, parameters
end

--- Functions without an annotation for language servers: above `function X.name(` or `X.name = ` a
--- comment of three dashes, with a tag where there are parameters; or a `---@field name fun(`.
---@param names string[]
---@param texts table<string, string>
---@return string[]
function M.unannotated(names, texts)
  local annotated, complaints = {}, {}
  for _, text in pairs(texts) do
    local has_comment, has_tag = false, false
    for row in (text .. "\n"):gmatch("(.-)\n") do
      local field = row:match("^%s*%-%-%-@field%s+([%w_]+)%??%s+fun%(")
      local name, parameters = named_function(row)
      if field then
        annotated[field] = true
      elseif name and (has_tag or has_comment and parameters == "") then
        annotated[name] = true
      end
      local is_comment = row:find("^%s*%-%-") ~= nil and not field
      has_comment = is_comment and (has_comment or row:find("^%s*%-%-%-[^-]") ~= nil)
      has_tag = is_comment and (has_tag or row:find("^%s*%-%-%-%s?@%l") ~= nil)
    end
  end
  for _, name in ipairs(names) do
    if not annotated[name] then
      complaints[#complaints + 1] = name .. ": without annotations"
    end
  end
  return complaints
end

local function literal(value)
  if type(value) == "string" then
    return '"' .. value .. '"'
  elseif type(value) == "number" then
    return ("%.14g"):format(value)
  end
  return tostring(value)
end

--- Options without a line `| `name` | default | …` in the document's section of their group.
---@param groups table<string, table<string, any>>
---@param document string
---@return string[]
function M.undocumented_options(groups, document)
  local complaints, section_of = {}, {}
  local section
  for row in (document .. "\n"):gmatch("(.-)\n") do
    section = row:match("^##%s.*`config%.([%w_]+)`") or section
    if section then
      section_of[section] = (section_of[section] or "") .. row .. "\n"
    end
  end
  for _, group in ipairs(sorted_keys(groups)) do
    for _, name in ipairs(sorted_keys(groups[group])) do
      local default = literal(groups[group][name])
      local line = ("| `%s` | `%s` |"):format(name, default)
      if not (section_of[group] or ""):find(line, 1, true) then
        complaints[#complaints + 1] = ("%s.%s: no line %s"):format(group, name, line)
      end
    end
  end
  return complaints
end

--- Files that a rockspec forgets, and files it names that are not there.
---@param rock table the rockspec's globals
---@param lua_paths string[]
---@param c_paths string[]
---@return string[]
function M.check_rockspec(rock, lua_paths, c_paths)
  local complaints, listed, there = {}, {}, set_of(lua_paths)
  for _, path in ipairs(c_paths) do
    there[path] = true
  end
  for name, module in pairs(rock.build.modules) do
    if type(module) == "table" then
      for _, path in ipairs(module.sources) do
        listed[path] = ""
      end
    else
      listed[module] = " as " .. name
      local expected = "lua/" .. name:gsub("%.", "/")
      if module ~= expected .. ".lua" and module ~= expected .. "/init.lua" then
        there[module] = nil
      end
    end
  end
  for path, as in pairs(listed) do
    if not there[path] then
      complaints[#complaints + 1] = path .. ": in the rockspec" .. as .. ", and not there"
    end
  end
  for path in pairs(there) do
    if not listed[path] then
      complaints[#complaints + 1] = path .. ": not in the rockspec"
    end
  end
  table.sort(complaints)
  return complaints
end

--- Relative links of a document that lead nowhere.
---@param path string of the document
---@param text string
---@param exists fun(path: string): boolean
---@return string[]
function M.dead_links(path, text, exists)
  local complaints, folder = {}, path:match("^(.*/)") or ""
  for target in text:gmatch("%]%(([^)%s]+)%)") do
    local file = target:gsub("#.*$", "")
    if file ~= "" and not file:find("^%a+:") and not exists(folder .. file) then
      complaints[#complaints + 1] = path .. ": links to " .. target .. ", which is not there"
    end
  end
  return complaints
end

return M
