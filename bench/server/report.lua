--- Puts together what the loads of bench-server measured: a table on standard output, and rows
--- {name, value, unit, target, ok} as JSON.
---
---   lua5.4 bench/server/report.lua RAW_FOLDER JSON_FILE "SERVER…" "LOAD…" [SCALE]
---
--- RAW_FOLDER holds files SERVER.LOAD.tsv (name, value, unit). Targets that nothing asked for are
--- left out, and all of them when the loads were shrunk.
local report = require "bench.rows"
local targets = require "bench.server.targets"

local raw_folder, json_path, servers, loads = arg[1], arg[2], arg[3], arg[4]
local is_full = tonumber(arg[5] or "1") >= 1
local titles = { ["lua5.4"] = "Lua 5.4", luajit = "LuaJIT", nginx = "nginx" }

local rows, operations, by_name, asked = {}, {}, {}, {}

local function add(title, operation, value, unit)
  local row = { name = title .. ", " .. operation, value = value, unit = unit }
  rows[#rows + 1] = row
  by_name[row.name] = row
  local known = operations[operation]
  if not known then
    operations[operation] = unit
    operations[#operations + 1] = operation
  end
end

local function read(title, load, path)
  local file = io.open(path, "rb")
  if not file then
    return
  end
  for line in file:lines() do
    local operation, value, unit = line:match "^([^\t]+)\t([^\t]+)\t([^\t]+)$"
    add(title, load .. ": " .. assert(operation, path .. ": " .. line), tonumber(value) or 0 / 0,
      unit)
  end
  file:close()
end

local columns = {}
for server in servers:gmatch "%S+" do
  local title = assert(titles[server], "no such server: " .. server)
  columns[#columns + 1] = title
  for load in loads:gmatch "%S+" do
    asked[#asked + 1] = title .. ", " .. load .. ": "
    read(title, load, ("%s/%s.%s.tsv"):format(raw_folder, server, load))
  end
end

-- What was measured beside its floor.
for _, title in ipairs(columns) do
  for _, ratio in ipairs(targets.ratios) do
    local row, floor = by_name[title .. ", " .. ratio[2]], by_name[title .. ", " .. ratio[3]]
    if row and floor then
      local operation = "by the floor: " .. ratio[1]
      add(title, operation, row.value / floor.value, "times")
      asked[#asked + 1] = title .. ", " .. operation
    end
  end
end

local limits = {}
for _, target in ipairs(is_full and targets.limits or {}) do
  for _, prefix in ipairs(asked) do
    if target[1]:sub(1, #prefix) == prefix then
      limits[#limits + 1] = target
    end
  end
end

--- All rows, an operation a line, a server a column.
local function print_all()
  local head = ("%-72s"):format "all"
  for _, title in ipairs(columns) do
    head = head .. ("%12s"):format(title)
  end
  print("\n" .. head)
  for _, operation in ipairs(operations) do
    local line = ("%-72s"):format(operation .. ", " .. operations[operation])
    for _, title in ipairs(columns) do
      local row = by_name[title .. ", " .. operation]
      line = line .. ("%12s"):format(row and report.show(row.value) or "")
    end
    print(line)
  end
end

report.judge(rows, limits)
if is_full then
  report.print_targets(rows, limits)
end
print_all()
report.write_json(rows, json_path)
report.print_summary(rows, limits, json_path)
