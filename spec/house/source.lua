--- Reading the tree: files, and tokens of Lua and C without comments.
local M = {}

---@param directory string
---@param extension string without the dot
---@return string[] paths, sorted
function M.files(directory, extension)
  local paths = {}
  local find = ("find %s -type f -name '*.%s' 2>/dev/null"):format(directory, extension)
  local pipe = assert(io.popen(find))
  for path in pipe:lines() do
    paths[#paths + 1] = path
  end
  pipe:close()
  table.sort(paths)
  return paths
end

---@param path string
---@return string
function M.read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

--- The lines a command prints.
---@param command string
---@return string[]
function M.output(command)
  local lines = {}
  local pipe = assert(io.popen(command))
  for line in pipe:lines() do
    lines[#lines + 1] = line
  end
  pipe:close()
  return lines
end

local function count_lines(text, from, to)
  local _, lines = text:sub(from, to):gsub("\n", "")
  return lines
end

-- What begins at `position`: kind, first and last byte. Comments and space have the kind "skip".
local function next_lua_token(text, position)
  local equals = text:match("^%-%-%[(=*)%[", position)
  if equals then
    local _, last = text:find("]" .. equals .. "]", position, true)
    return "skip", last or #text
  end
  if text:find("^%-%-", position) then
    return "skip", (text:find("\n", position, true) or #text)
  end
  if text:find("^%s", position) then
    return "skip", select(2, text:find("^%s+", position))
  end
  equals = text:match("^%[(=*)%[", position)
  if equals then
    local _, last = text:find("]" .. equals .. "]", position, true)
    return "string", last or #text
  end
  local quote = text:match("^[\"']", position)
  if quote then
    local at = position + 1
    while at <= #text and text:sub(at, at) ~= quote do
      at = at + (text:sub(at, at) == "\\" and 2 or 1)
    end
    return "string", at
  end
  if text:find("^[%a_]", position) then
    return "name", select(2, text:find("^[%w_]+", position))
  end
  return "symbol", position
end

--- Tokens of Lua source: `kind` ("name", "string", "symbol"), `text` (a string's without quotes),
--- `line`. Numbers come as names or symbols: no rule looks at them.
---@param text string
---@return {kind: string, text: string, line: integer}[]
function M.lua_tokens(text)
  local tokens, position, line = {}, 1, 1
  while position <= #text do
    local kind, last = next_lua_token(text, position)
    local raw = text:sub(position, last)
    if kind == "string" then
      raw = raw:match("^%[=*%[(.*)%]=*%]$") or raw:sub(2, -2)
    end
    if kind ~= "skip" then
      tokens[#tokens + 1] = { kind = kind, text = raw, line = line }
    end
    line = line + count_lines(text, position, last)
    position = last + 1
  end
  return tokens
end

--- C source with comments and the contents of strings blanked, lines kept.
---@param text string
---@return string
function M.c_code(text)
  local function blank(piece)
    return (piece:gsub("[^\n]", " "))
  end
  local out, position = {}, 1
  while position <= #text do
    local next_two = text:sub(position, position + 1)
    local character = next_two:sub(1, 1)
    local last
    if next_two == "/*" then
      last = select(2, text:find("*/", position + 2, true)) or #text
      out[#out + 1] = blank(text:sub(position, last))
    elseif next_two == "//" then
      last = (text:find("\n", position, true) or #text + 1) - 1
      out[#out + 1] = blank(text:sub(position, last))
    elseif character == '"' or character == "'" then
      last = position + 1
      while last <= #text and text:sub(last, last) ~= character do
        last = last + (text:sub(last, last) == "\\" and 2 or 1)
      end
      out[#out + 1] = character .. blank(text:sub(position + 1, last - 1)) .. character
    else
      last = (text:find("[/\"']", position + 1) or #text + 1) - 1
      out[#out + 1] = text:sub(position, last)
    end
    position = last + 1
  end
  return table.concat(out)
end

--- What a C file includes.
---@param text string
---@return {name: string, angled: boolean, line: integer}[]
function M.includes(text)
  local found, line = {}, 0
  -- Comments go, but not the quotes: an include between comment marks is none.
  local code = text:gsub("/%*.-%*/", function(comment)
    return (comment:gsub("[^\n]", " "))
  end)
  for row in (code .. "\n"):gmatch("(.-)\n") do
    line = line + 1
    local quoted = row:match('^%s*#%s*include%s*"([^"]+)"')
    local angled = row:match("^%s*#%s*include%s*<([^>]+)>")
    if quoted or angled then
      found[#found + 1] = { name = quoted or angled, angled = angled ~= nil, line = line }
    end
  end
  return found
end

--- What a Lua file requires by a literal name; a require of anything else is `name = nil`.
---@param text string
---@return {name: string|nil, line: integer}[]
function M.requires(text)
  local found, tokens = {}, M.lua_tokens(text)
  for i, token in ipairs(tokens) do
    local before = tokens[i - 1]
    local field = before and before.kind == "symbol" and (before.text == "." or before.text == ":")
    if token.kind == "name" and token.text == "require" and not field then
      local at = i + 1
      if tokens[at] and tokens[at].kind == "symbol" and tokens[at].text:find("^[(,]$") then
        at = at + 1 -- require("x") and pcall(require, "x")
      end
      local argument, after = tokens[at], tokens[at + 1]
      local is_joined = after and after.kind == "symbol" and after.text == "."
      local literal = argument and argument.kind == "string" and not is_joined
      found[#found + 1] = { name = literal and argument.text or nil, line = token.line }
    end
  end
  return found
end

return M
