--- The loop contract inside a real nginx worker.

describe("the nginx loop", function()
  require "spec.nginx.suite" [[function() require "spec.nginx.loop_suite" end]]
end)
