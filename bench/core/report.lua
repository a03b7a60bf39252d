--- Puts together what the benchmarks of the core measured: a table on standard output, and rows
--- {name, value, unit, target, ok} as JSON.
---
---   lua5.4 bench/core/report.lua RAW_FOLDER JSON_FILE
---
--- RAW_FOLDER holds files KIND.PRESENCES.LAYOUT.tsv (name, value, unit), and for each
--- instructions.PRESENCES.LAYOUT.tsv a folder of callgrind's dumps of the same name, less ".tsv".
local report = require "bench.rows"
local targets = require "bench.core.targets"

local raw_folder, json_path = arg[1], arg[2]
local sizes = { "10000", "100000", "1000000" }
local size_names = { ["10000"] = "10k", ["100000"] = "100k", ["1000000"] = "1M" }
local layouts = { "one", "tens" }
local growth_context = "1M against 100k, one topic"
local layout_names = { one = "one topic", tens = "topics of ten" }

local show = report.show
local rows, by_name = {}, {}

local function add(context, operation, value, unit)
  local name = context .. ": " .. operation
  local row = { name = name, context = context, operation = operation, value = value, unit = unit }
  rows[#rows + 1] = row
  by_name[name] = row
end

local function lines_of(command)
  local pipe = assert(io.popen(command))
  local lines = {}
  for line in pipe:lines() do
    lines[#lines + 1] = line
  end
  pipe:close()
  return lines
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

--- Operation → instructions a run, of a folder of dumps.
local function read_dumps(folder)
  local counts = {}
  for _, path in ipairs(lines_of(("find '%s' -name 'callgrind.out.*'"):format(folder))) do
    local text = read(path)
    local operation, runs = text:match "desc: Trigger: Client Request: ([^\n]-)/(%d+)\n"
    if operation then
      counts[operation] = tonumber(text:match "\ntotals: (%d+)") / tonumber(runs)
    end
  end
  return counts
end

--- What each operation costs by itself: less the loop, and the check of the meta apart.
local function add_instructions(context, counts, suffix)
  local edit_loop = assert(counts["no edit"], "no dump of the empty loop")
  local look_loop = counts["no look-up"]
  local json = counts.json - look_loop
  local function put(operation, count, checks)
    add(context, operation .. suffix, count - edit_loop - checks * json, "instructions")
  end
  local function look(operation, count)
    add(context, operation .. suffix, count - look_loop, "instructions")
  end
  put("track in place", counts.track, 1)
  put("untrack in place", counts.untrack, 0)
  put("track, the old version kept", counts["track kept"], 1)
  put("edit with a snapshot every 100", counts["edit, snapshots"], 0.5)
  look("hit by state, topic, key", counts.hit)
  look("miss by state, topic, key", counts.miss)
  look("hit in a borrowed topic", counts["hit in topic"])
  look("miss in a borrowed topic", counts["miss in topic"])
  add(context, "diff of 100 changes" .. suffix, counts.diff, "instructions")
  look("JSON check of such a meta", counts.json)
  look("JSON check of a 60 byte meta", counts.json60)
end

local function read_rows(context, path)
  for line in io.lines(path) do
    local operation, value, unit = line:match "^([^\t]+)\t([^\t]+)\t([^\t]+)$"
    add(context, assert(operation, path .. ": " .. line), tonumber(value), unit)
  end
end

local function exists(path)
  local file = io.open(path, "rb")
  if file then
    file:close()
  end
  return file ~= nil
end

local kinds = { "instructions", "instructions-malloc", "times", "versions", "lua", "luajit",
  "erlang", "pauses", "pauses-luajit", "live", "live-luajit", "memory",
  "memory-luajit" }

for _, size in ipairs(sizes) do
  for _, layout in ipairs(layouts) do
    local context = size_names[size] .. ", " .. layout_names[layout]
    for _, kind in ipairs(kinds) do
      local path = ("%s/%s.%s.%s"):format(raw_folder, kind, size, layout)
      if exists(path .. ".tsv") then
        if kind == "instructions" then
          add_instructions(context, read_dumps(path), "")
        elseif kind == "instructions-malloc" then
          add_instructions(context, read_dumps(path), ", on malloc")
        end
        if kind ~= "instructions-malloc" then
          read_rows(context, path .. ".tsv")
        end
      end
    end
  end
end

for _, growth in ipairs(targets.growth) do
  local small = by_name["100k, one topic: " .. growth[1]]
  local large = by_name["1M, one topic: " .. growth[1]]
  if small and large then
    add(growth_context, growth[2], large.value / small.value, "times")
  end
end

--- All rows, an operation a line.
local function print_all()
  local contexts = {}
  for _, size in ipairs(sizes) do
    for _, layout in ipairs(layouts) do
      contexts[#contexts + 1] = size_names[size] .. ", " .. layout_names[layout]
    end
  end
  local head = ("%-72s"):format("one topic (1) and topics of ten keys (t)")
  for _, size in ipairs(sizes) do
    local name = size_names[size]
    head = head .. ("%11s%11s"):format(name .. " 1", name .. " t")
  end
  print("\n" .. head)
  local seen = {}
  for _, row in ipairs(rows) do
    if not seen[row.operation] and row.context ~= growth_context then
      seen[row.operation] = true
      local line = ("%-72s"):format(row.operation .. ", " .. row.unit)
      for _, context in ipairs(contexts) do
        local other = by_name[context .. ": " .. row.operation]
        line = line .. ("%11s"):format(other and show(other.value) or "")
      end
      print(line)
    end
  end
end

report.judge(rows, targets.limits)
report.print_targets(rows, targets.limits)
print_all()
report.write_json(rows, json_path)
report.print_summary(rows, targets.limits, json_path)
