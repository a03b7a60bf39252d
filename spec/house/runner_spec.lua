-- scripts/test.sh sums what the suites print; here it is given samples of that.
local source = require "spec.house.source"

local function counted(suite, text, suffix)
  local log = os.tmpname()
  local path = log .. (suffix or "")
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  local lines = source.output(("bash scripts/test.sh --count %s %s"):format(suite, log))
  os.remove(path)
  os.remove(log)
  return table.concat(lines, "\n")
end

describe("the runner of all suites", function()
  it("reads what busted prints", function()
    assert.equal("12 3 4", counted("unit-lua5.4",
      "++\n12 successes / 1 failure / 2 errors / 4 pending : 0.01 seconds\n"))
    assert.equal("1 0 0", counted("house", "1 success / 0 failures / 0 errors / 0 pending : 1 s\n"))
    assert.equal("0 0 0", counted("house", "lua5.4: no such file\n"))
  end)

  it("reads what cmocka prints, and counts a program that crashed", function()
    local passed = "== program test_a\n[  PASSED  ] 5 test(s).\n== exit 0\n"
    local mixed = "== program test_b\n[  PASSED  ] 2 test(s).\n"
      .. "[  FAILED  ] 1 test(s), listed below:\n[  FAILED  ] name\n== exit 1\n"
    local crashed = "== program test_c\n[ RUN      ] one\n== exit 139\n"
    local leaked = "== program test_d\n[  PASSED  ] 1 test(s).\n== exit 99\n"
    assert.equal("5 0 0", counted("c", passed))
    assert.equal("8 3 0", counted("c-valgrind", passed .. crashed .. mixed .. leaked))
  end)

  it("reads what the fuzzer's script prints, one target one test", function()
    local passed = "== fuzz\nok     json: 24 inputs kept, 900 made\n"
    assert.equal("1 0 0", counted("fuzz", passed))
    assert.equal("1 1 0", counted("fuzz", passed .. "FAILED http\nFAILEDx\nlooks ok here\n"))
  end)

  it("reads the report of Node's test runner", function()
    local report = "ok 1 - a\n# tests 9\n# pass 4\n# fail 2\n# cancelled 1\n# skipped 1\n# todo 1\n"
    assert.equal("4 3 2", counted("e2e", report, ".tap"))
  end)

  it("refuses a suite that it does not know", function()
    local lines = source.output("bash scripts/test.sh nosuch 2>&1; echo $?")
    assert.matches("no suite is called 'nosuch'", lines[1])
    assert.equal("2", lines[#lines])
  end)
end)
