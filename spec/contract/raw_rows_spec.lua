-- Every row of the contract of the wire has its tests, which run on every platform.
local names_of_tests = require "spec.contract.raw.names_of_tests"
local part_names = require "spec.contract.raw.parts"
local rows = require "spec.contract.raw.rows"

local platform = { patience_s = 1 }

-- How many names there are like this one.
local function count(names, wanted)
  if wanted:sub(-1) ~= "*" then
    return names[wanted] and 1 or 0
  end
  local found = 0
  for name in pairs(names) do
    found = found + (name:sub(1, #wanted - 1) == wanted:sub(1, -2) and 1 or 0)
  end
  return found
end

-- What is wrong with a row.
local function faults_of(row, parts)
  local faults, listed = {}, 0
  for part, tests in pairs(row) do
    if part ~= 1 then
      for _, name in ipairs(tests) do
        listed = listed + 1
        if count(parts[part] or {}, name) == 0 then
          faults[#faults + 1] = ("%s: no test of %s is called '%s'"):format(row[1], part, name)
        end
      end
    end
  end
  if listed == 0 then
    faults[#faults + 1] = row[1] .. ": no test"
  end
  return faults
end

describe("the rows of the contract", function()
  it("are checked: a row without a test, or with one that is not there, is a fault", function()
    assert.equal(1, #faults_of({ "a row" }, {}))
    assert.equal(1, #faults_of({ "a row", channels = {} }, {}))
    local parts = { channels = names_of_tests.of("channels", platform) }
    assert.equal(2, #faults_of({ "a row", channels = { "no such test", "nor these*" } }, parts))
    assert.equal(1, #faults_of({ "a row", others = { "event may*" } }, parts))
    assert.equal(0, #faults_of({ "a row", channels = { "event may*" } }, parts))
  end)

  it("all have tests", function()
    local parts, faults = {}, {}
    for _, name in ipairs(part_names) do parts[name] = names_of_tests.of(name, platform) end
    for _, row in ipairs(rows) do
      for _, fault in ipairs(faults_of(row, parts)) do faults[#faults + 1] = fault end
    end
    assert.equal("", table.concat(faults, "\n"))
    assert.is_true(#rows > 50)
  end)
end)
