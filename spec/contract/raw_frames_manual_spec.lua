describe("on the manual loop", function()
  require "spec.contract.raw_frames"(require "spec.contract.raw.manual_platform")
end)
