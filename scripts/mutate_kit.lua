--- What both scripts that break lines share: files, commands, an order by chance, and the list of
-- broken lines that are no mistake.
local M = {}

--- The bytes of a file, or nil.
function M.read(path)
  local file = io.open(path, "rb")
  local text = file and file:read("a")
  if file then
    file:close()
  end
  return text
end

function M.write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

--- What a command prints, line by line.
function M.lines_of(command)
  local lines, pipe = {}, assert(io.popen(command))
  for line in pipe:lines() do
    lines[#lines + 1] = line
  end
  pipe:close()
  return lines
end

--- Runs a command: whether it succeeded, and its code.
function M.run(command)
  local ok, _, code = os.execute(command)
  return ok == true, code
end

--- A line without the spaces around it.
function M.trimmed(line)
  return (line:gsub("^%s+", ""):gsub("%s+$", ""))
end

--- The list in an order by chance; it is the same list.
function M.shuffled(list)
  for i = #list, 2, -1 do
    local j = math.random(i)
    list[i], list[j] = list[j], list[i]
  end
  return list
end

--- A text with one line replaced.
function M.with_line(text, number, change)
  local at = 0
  return (text:gsub("[^\n]*\n?", function()
    at = at + 1
    return at == number and change .. "\n" or nil
  end))
end

--- path, line as it was and line as it was broken, joined by line feeds -> why it is no mistake.
function M.known_equivalents(file)
  local known = {}
  for line in (M.read(file) or ""):gmatch("[^\n]+") do
    local path, from, to, reason = line:match("^(%S+) :: (.-) :: (.-) :: (.+)$")
    if path then
      known[path .. "\n" .. from .. "\n" .. to] = reason
    elseif not line:find("^#") then
      error(file .. ": not understood: " .. line)
    end
  end
  return known
end

return M
