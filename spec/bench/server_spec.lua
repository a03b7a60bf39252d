-- bench-server at a small scale: that it measures, and that it notices what is wrong.

local function run(command)
  local pipe = assert(io.popen("{ " .. command .. "\n} 2>&1; echo \"exit $?\""))
  local output = pipe:read "*a"
  pipe:close()
  return output, tonumber(output:match "exit (%d+)\n$")
end

local load_program = (os.getenv "BUILD" or "build") .. "/bench_load"

-- A storm on a server that lies in one way.
local function storm_on_liar(lie)
  local port_file = os.tmpname()
  local output = run(([[
    LIE=%s lua5.4 spec/bench/liar.lua >%s 2>&1 & liar=$!
    for i in $(seq 100); do
      [ -s %s ] && break
      sleep 0.05
    done
    timeout 30 %s --port $(head -n 1 %s) --pid $liar --scale 0.01 --patience 1 storm
    echo "left with $?"
    kill $liar]]):format(lie, port_file, port_file, load_program, port_file))
  os.remove(port_file)
  return output
end

describe("bench-server", function()
  it("measures every load and writes its rows as JSON", function()
    local output, status = run "SERVERS=lua5.4 SCALE=0.01 bash scripts/bench-server.sh"
    assert.equal(0, status, output)
    local file = assert(io.open("build/bench/server.json", "rb"))
    local rows = require("cjson").decode(file:read "*a")
    file:close()
    local exact, floors = 0, 0
    for _, row in ipairs(rows) do
      assert.equal("number", type(row.value), row.name)
      if row.name:find "mirrors that are wrong$" or row.name:find "errors$" then
        assert.equal(0, row.value, row.name)
        exact = exact + 1
      elseif row.name:find("by the floor: ", 1, true) then
        assert.is_true(row.value > 0, row.name)
        floors = floors + 1
      end
    end
    assert.is_true(exact >= 2, output)
    assert.equal(4, floors, output)
  end)

  it("says what it does not know", function()
    local output, status = run "BENCH=strom bash scripts/bench-server.sh"
    assert.equal(1, status)
    assert.matches("no load is called 'strom'; there are: storm", output, 1, true)
    output, status = run "SERVERS=apache bash scripts/bench-server.sh"
    assert.equal(1, status)
    assert.matches("no server is called 'apache'", output, 1, true)
  end)
end)

describe("bench_load", function()
  it("says that no server is there", function()
    local output = run(load_program .. " --port 1 --pid $$ storm")
    assert.matches("user-0 on room:0: Connection refused", output, 1, true)
    assert.matches("exit 1\n$", output)
    output = run(load_program .. " --port 1 --pid 999999999 storm")
    assert.matches("the server (process 999999999) is gone", output, 1, true)
  end)

  it("says that the server refuses", function()
    assert.matches("user-0 on room:0: refused: http/1.1 403", storm_on_liar "refuses", 1, true)
    local deaf = storm_on_liar "deaf"
    assert.matches('an error for an answer: {"status":"error"', deaf, 1, true)
    assert.matches("left with 1\n", deaf)
  end)

  it("says how a mirror differs from the truth", function()
    local ghost = storm_on_liar "ghost"
    assert.matches("the mirror of user-0 on room:0: ghost is there and should not be", ghost, 1,
      true)
    assert.matches("mirrors that are wrong\t11\tmirrors", ghost)
    assert.matches("left with 1\n", ghost)
    assert.matches("user-0 has the meta of another join", storm_on_liar "other", 1, true)
    assert.matches("a meta with a member that nobody gave it", storm_on_liar "extra", 1, true)
  end)
end)
