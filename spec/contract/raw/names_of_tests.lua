--- The names of a part's tests, without running them.

local M = {}

--- Calls `declare` with busted's words replaced; the files it reads anew are those of the suite.
---@return table<string, boolean> names with those of the blocks around them
function M.of(part, platform)
  local names, blocks = {}, {}

  local recorder = {
    before_each = function() end,
    after_each = function() end,
    describe = function(name, fn)
      blocks[#blocks + 1] = name
      fn()
      blocks[#blocks] = nil
    end,
    it = function(name)
      blocks[#blocks + 1] = name
      names[table.concat(blocks, " ")] = true
      blocks[#blocks] = nil
    end,
  }

  local kept = {}
  local function forget()
    for module in pairs(package.loaded) do
      if module:find("^spec%.contract%.raw%.") or module == "busted" then
        kept[module] = kept[module] or package.loaded[module]
        package.loaded[module] = nil
      end
    end
  end
  forget()
  package.loaded.busted = recorder
  local ok, err = pcall(function() require("spec.contract.raw." .. part)(platform) end)
  forget()
  for module, loaded in pairs(kept) do package.loaded[module] = loaded end
  assert(ok, err)
  return names
end

return M
