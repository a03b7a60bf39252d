--- Every word that C returns for what the world did is in the registry.
local core = require "presence.core"
local words = require "presence.words"

describe("the registry of error words", function()
  it("holds every word that C returns", function()
    local from_c = core.status_words()
    assert.is_true(#from_c > 0)
    for _, word in ipairs(from_c) do
      assert.are.equal("string", type(words[word]), word)
    end
  end)

  it("explains each in a sentence", function()
    for word, meaning in pairs(words) do
      assert.is_truthy(word:find "^%l[%l%d_]*$", word)
      assert.is_truthy(meaning:find "^%l.*%w$" and #meaning > 10, word)
    end
  end)
end)
