--- Runs suites of busted's form inside an nginx worker, where busted itself cannot run: `describe`,
-- `it`, `before_each` and `after_each`, no more.

local M = {}

local with_traceback = function(err)
  if type(err) == "table" then
    return tostring(err.message or err[1] or err)
  end
  return debug.traceback(tostring(err), 2)
end

local function new_runner()
  local runner = { results = {}, groups = { { name = {}, before = {}, after = {} } } }

  local function top()
    return runner.groups[#runner.groups]
  end

  function runner.describe(name, fn)
    runner.groups[#runner.groups + 1] = { name = name, before = {}, after = {} }
    fn()
    runner.groups[#runner.groups] = nil
  end

  function runner.before_each(fn)
    table.insert(top().before, fn)
  end

  function runner.after_each(fn)
    table.insert(top().after, fn)
  end

  -- A test is run once its file has been read, so that hooks may stand after it.
  runner.tests = {}
  function runner.it(name, fn)
    local names, groups = {}, {}
    for i, group in ipairs(runner.groups) do
      groups[i] = group
      names[i] = i > 1 and group.name .. " " or ""
    end
    table.insert(runner.tests, { name = table.concat(names) .. name, fn = fn, groups = groups })
  end
  return runner
end

local function run_hooks(groups, kind, first, last, step)
  for i = first, last, step do
    for _, hook in ipairs(groups[i][kind]) do
      hook()
    end
  end
end

local function run_test(test)
  local groups = test.groups
  local ok, err = xpcall(function()
    run_hooks(groups, "before", 1, #groups, 1)
    test.fn()
  end, with_traceback)
  local cleaned, cleaning_err = xpcall(run_hooks, with_traceback, groups, "after", #groups, 1, -1)
  return { name = test.name, ok = ok and cleaned, err = not ok and err or cleaning_err }
end

--- Runs what `suite` declares with `require "busted"`; writes the results as the answer's body.
---@param suite fun()
function M.run(suite)
  local runner = new_runner()
  package.loaded.busted = runner
  suite()
  local results = {}
  for i, test in ipairs(runner.tests) do
    results[i] = run_test(test)
  end
  ngx.say(require("cjson").encode(results))
end

return M
