describe("on the luv server", function()
  require "spec.contract.raw_frames"(require "spec.contract.raw.luv_platform")
end)
