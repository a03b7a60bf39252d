--- Commands as a user types them: without the variables by which this tree's own modules are found.
local M = {}

local plain = "env -u LUA_PATH -u LUA_CPATH -u LUA_PATH_5_4 -u LUA_CPATH_5_4 -u LUA_INIT "
  .. "-u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u PREFIX -u DESTDIR "

local function quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end
M.quoted = quoted

--- Runs a script of sh that ends at its first error; what it printed, and whether it went well.
---@param script string
---@return string output standard error included
---@return boolean ok
function M.try(script)
  local pipe = assert(io.popen(plain .. "sh -euc " .. quoted(script) .. " 2>&1; echo \"exit $?\""))
  local output, code = pipe:read("*a"):match "^(.*)exit (%d+)\n$"
  pipe:close()
  return output, code == "0"
end

--- The same, and it must go well.
---@param script string
---@return string output
function M.run(script)
  local output, ok = M.try(script)
  if not ok then
    error("failed: " .. script .. "\n" .. output, 2)
  end
  return output
end

---@return string folder a new one under the temporary directory
function M.new_folder()
  return (M.run "mktemp -d":gsub("%s+$", ""))
end

--- The lines of an output, as a set.
---@param output string
---@return table<string, boolean>
function M.set_of_lines(output)
  local set = {}
  for line in output:gmatch "[^\n]+" do
    set[line] = true
  end
  return set
end

return M
