--- Lengths of functions and files.
local source = require "spec.house.source"

local M = {}

-- A function that holds specs is a suite; its length says nothing.
local holds_specs = { describe = true, it = true, pending = true }

local function innermost_function(open)
  for i = #open, 1, -1 do
    if open[i].word == "function" then
      return open[i]
    end
  end
end

--- Functions of a Lua file that are longer than `limit` lines. The lines of functions inside of it
--- are not its own: an object made of closures is as long as the rest.
---@param path string
---@param text string
---@param limit integer
---@return string[] complaints, integer functions_seen
function M.long_lua_functions(path, text, limit)
  local tokens, open, complaints, seen = source.lua_tokens(text), {}, {}, 0
  local is_spec = path:find("^spec/") ~= nil
  for i, token in ipairs(tokens) do
    local word = token.kind == "name" and token.text or nil
    local before = tokens[i - 1]
    if before and before.kind == "symbol" and (before.text == "." or before.text == ":") then
      word = nil -- a field of that name
    end
    if word == "function" or word == "do" or word == "if" or word == "repeat" then
      open[#open + 1] = { word = word, line = token.line }
    elseif word and holds_specs[word] and is_spec then
      for _, block in ipairs(open) do
        block.is_suite = true
      end
    elseif word == "end" or word == "until" then
      local block = table.remove(open)
      if block and block.word == "function" then
        seen = seen + 1
        local lines = token.line - block.line + 1
        local own = lines - (block.inner_lines or 0)
        local outer = innermost_function(open)
        if outer then
          outer.inner_lines = (outer.inner_lines or 0) + lines
        end
        if own > limit and not block.is_suite then
          complaints[#complaints + 1] =
            ("%s:%d: a function of %d lines, over %d"):format(path, block.line, own, limit)
        end
      end
    end
  end
  return complaints, seen
end

--- Functions of a C file that are longer than `limit` lines. By .clang-format a definition begins
--- in the first column, and so does the brace that ends it.
---@param path string
---@param text string
---@param limit integer
---@return string[] complaints, integer functions_seen
function M.long_c_functions(path, text, limit)
  local complaints, seen, line, start, depth = {}, 0, 0, nil, 0
  local is_function
  for row in (source.c_code(text) .. "\n"):gmatch("(.-)\n") do
    line = line + 1
    if depth == 0 and row:find("^[%a_]") and not start then
      start, is_function = line, false
    end
    if start and depth == 0 and row:find("%(") then
      is_function = true
    end
    if not row:find("^%s*#") then
      for brace in row:gmatch("[{}]") do
        depth = depth + (brace == "{" and 1 or -1)
      end
    end
    if start and depth == 0 and row:find("^}") then
      if is_function then
        seen = seen + 1
        if line - start + 1 > limit then
          complaints[#complaints + 1] =
            ("%s:%d: a function of %d lines, over %d"):format(path, start, line - start + 1, limit)
        end
      end
      start = nil
    elseif start and depth == 0 and row:find("[;}]%s*$") then
      start = nil -- a declaration
    end
  end
  return complaints, seen
end

--- Files longer than `limit` lines, longest first.
---@param texts table<string, string> path → content
---@param limit integer
---@return {path: string, lines: integer}[]
function M.long_files(texts, limit)
  local long = {}
  for path, text in pairs(texts) do
    local _, lines = text:gsub("\n", "")
    if lines > limit then
      long[#long + 1] = { path = path, lines = lines }
    end
  end
  table.sort(long, function(a, b)
    return a.lines > b.lines or (a.lines == b.lines and a.path < b.path)
  end)
  return long
end

return M
