--- What the reports of benchmarks share: rows {name, value, unit} are judged by targets, printed,
--- and written as JSON: {name, value, unit, target, ok}.
---
--- A target is {name of a row, number}: the row's value may be that at most, or no less when the
--- third field is "at least".
local M = {}

local function met(value, target)
  if target[3] == "at least" then
    return value >= target[2]
  end
  return value <= target[2]
end

local function named(rows)
  local by_name = {}
  for _, row in ipairs(rows) do
    by_name[row.name] = row
  end
  return by_name
end

--- Give each row that has a target `target` and `ok`.
function M.judge(rows, targets)
  local by_name = named(rows)
  for _, target in ipairs(targets) do
    local row = by_name[target[1]]
    if row then
      row.target, row.ok = target[2], met(row.value, target)
    end
  end
end

--- A number as short as it is clear.
---@param value number
---@return string
function M.show(value)
  if value >= 100 or value == math.floor(value) then
    return ("%.0f"):format(value)
  end
  return (("%.3f"):format(value):gsub("(%.%d%d)%d$", value >= 1 and "%1" or "%0"))
end

--- The table of targets: measured, wanted, ok or MISSED. What was not measured is said.
function M.print_targets(rows, targets)
  local by_name, show = named(rows), M.show
  print(("%-84s %12s %12s"):format("against the targets", "measured", "at most"))
  for _, target in ipairs(targets) do
    local row = by_name[target[1]]
    local wanted = (target[3] == "at least" and ">= " or "") .. show(target[2])
    if row then
      print(("%-84s %12s %12s  %s"):format(row.name, show(row.value), wanted,
        row.ok and "ok" or "MISSED"))
    else
      print(("%-84s %12s %12s  not measured"):format(target[1], "-", wanted))
    end
  end
end

--- The closing line.
function M.print_summary(rows, targets, path)
  local measured, missed = 0, 0
  local by_name = named(rows)
  for _, target in ipairs(targets) do
    local row = by_name[target[1]]
    if row then
      measured = measured + 1
      missed = missed + (row.ok and 0 or 1)
    end
  end
  print(("\n%d of %d targets met, %d missed; all rows are in %s"):format(measured - missed,
    #targets, missed, path))
end

local function quoted(text)
  return '"' .. text:gsub('[%c"\\]', function(c)
    return ("\\u%04x"):format(c:byte())
  end) .. '"'
end

local function number(value)
  -- JSON has no infinity and no NaN: what could not be measured is null.
  return value == value and value - value == 0 and ("%.6g"):format(value) or "null"
end

---@param path string
function M.write_json(rows, path)
  local items = {}
  for i, row in ipairs(rows) do
    items[i] = ('  {"name":%s,"value":%s,"unit":%s,"target":%s,"ok":%s}'):format(quoted(row.name),
      number(row.value), quoted(row.unit), row.target and number(row.target) or "null",
      row.target and tostring(row.ok) or "null")
  end
  local file = assert(io.open(path, "wb"))
  assert(file:write("[\n", table.concat(items, ",\n"), "\n]\n"))
  assert(file:close())
end

return M
