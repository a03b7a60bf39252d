-- Compiles the named files without running them: `<lua> scripts/syntax.lua file…`.
local refused = 0
for _, path in ipairs(arg) do
  local chunk, message = loadfile(path)
  if not chunk then
    refused = refused + 1
    io.stderr:write(message, "\n")
  end
end
os.exit(refused == 0 and 0 or 1)
