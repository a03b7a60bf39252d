-- Reads what `llvm-cov export` counted: cover.lua ROOT coverage.json uncovered.txt
--
-- A branch is a condition and one of its two outcomes. Code in a header is counted wherever it is
-- included; here an outcome is reached when it is in any of these places. Outcomes that are missed
-- must be explained, and what is explained must be missed:
--
--   file :: outcome :: condition as written :: reason
local json = require "cjson"

local root, counts_path, reasons_path = arg[1], arg[2], arg[3]

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

local function lines_of(text)
  local lines = {}
  for line in (text .. "\n"):gmatch("(.-)\n") do
    lines[#lines + 1] = line
  end
  return lines
end

-- What stands between two places of a file, on one line.
local function between(lines, first_line, first_column, last_line, last_column)
  local parts = {}
  for number = first_line, last_line do
    local from = number == first_line and first_column or 1
    local to = number == last_line and last_column - 1 or -1
    parts[#parts + 1] = lines[number]:sub(from, to):gsub("^%s+", "")
  end
  return table.concat(parts, " ")
end

local function read_reasons(path)
  local list = {}
  for number, line in ipairs(lines_of(read(path))) do
    local file, outcome, condition, reason = line:match("^(%S+) :: (%S+) :: (.-) :: (.+)$")
    if file and reason:find("%a") then
      list[#list + 1] = { file = file, outcome = outcome, condition = condition, used = false }
    elseif line ~= "" and not line:find("^#") then
      error(("%s:%d: not understood: %s"):format(path, number, line))
    end
  end
  return list
end

-- Outcomes of a file by place: {line, condition, times = {[true], [false]}}.
local function outcomes_of(counted, lines)
  local by_place, order = {}, {}
  for _, branch in ipairs(counted.branches) do
    local place = ("%06d:%06d:%06d:%06d"):format(branch[1], branch[2], branch[3], branch[4])
    local found = by_place[place]
    if not found then
      local condition = between(lines, branch[1], branch[2], branch[3], branch[4])
      found = { line = branch[1], condition = condition, times = { ["true"] = 0, ["false"] = 0 } }
      by_place[place] = found
      order[#order + 1] = place
    end
    found.times["true"] = found.times["true"] + branch[5]
    found.times["false"] = found.times["false"] + branch[6]
  end
  table.sort(order)
  local list = {}
  for i, place in ipairs(order) do
    list[i] = by_place[place]
  end
  return list
end

local function explain(reasons, file, outcome, condition)
  local explained = false
  for _, reason in ipairs(reasons) do
    if reason.file == file and reason.outcome == outcome and reason.condition == condition then
      reason.used, explained = true, true
    end
  end
  return explained
end

local function percent(part, whole)
  return whole == 0 and "     -" or ("%5.1f%%"):format(100 * part / whole)
end

local row = "%-26s %5d of %5d %s %9s %5d of %4d %s"

-- Counts one file, prints its row; what is missed without a reason goes to `missed`.
local function count_file(counted, reasons, missed, all)
  local file = counted.filename:sub(#root + 2)
  local total, reached, explained = 0, 0, 0
  for _, found in ipairs(outcomes_of(counted, lines_of(read(counted.filename)))) do
    for _, outcome in ipairs { "true", "false" } do
      total = total + 1
      if found.times[outcome] > 0 then
        reached = reached + 1
      elseif explain(reasons, file, outcome, found.condition) then
        explained = explained + 1
      else
        missed[#missed + 1] = ("%s:%d: never %s: %s"):format(file, found.line, outcome,
          found.condition)
      end
    end
  end
  local mcdc = counted.summary.mcdc or { count = 0, covered = 0 }
  if total > 0 then
    print(row:format(file, reached, total, percent(reached, total),
      explained > 0 and explained or "", mcdc.covered, mcdc.count,
      percent(mcdc.covered, mcdc.count)))
  end
  all.total, all.reached = all.total + total, all.reached + reached
  all.explained = all.explained + explained
  all.pairs, all.shown = all.pairs + mcdc.count, all.shown + mcdc.covered
end

local function main()
  local reasons, missed = read_reasons(reasons_path), {}
  local all = { total = 0, reached = 0, explained = 0, pairs = 0, shown = 0 }
  print(("%-26s %21s %9s %19s"):format("", "branches reached", "explained", "MC/DC shown"))
  for _, counted in ipairs(json.decode(read(counts_path)).data[1].files) do
    count_file(counted, reasons, missed, all)
  end
  print(row:format("all", all.reached, all.total, percent(all.reached, all.total), all.explained,
    all.shown, all.pairs, percent(all.shown, all.pairs)))
  for _, reason in ipairs(reasons) do
    if not reason.used then
      missed[#missed + 1] = ("%s: explained, but reached or gone: %s :: %s"):format(reason.file,
        reason.outcome, reason.condition)
    end
  end
  for _, complaint in ipairs(missed) do
    print(complaint)
  end
  os.exit(#missed == 0, true)
end

main()
