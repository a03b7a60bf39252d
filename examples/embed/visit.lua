-- Gets the state that C made, and returns another one: ann moves to her desk, bob leaves, cleo
-- comes.
require "presence"

return function(state)
  return state:edit(function(b)
    b:update("room:lobby", "ann", 1, '{"device":"desk"}')
    b:untrack("room:lobby", "bob", 2)
    b:track("room:lobby", "cleo", 3, '{"device":"web"}')
  end)
end
