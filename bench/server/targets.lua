--- What the server of `make demo` must reach with LIMITS=off and its other defaults, on one core of
--- a quiet machine, the clients on another.
local M = {}

-- Name of a row, what it may be, and "at least" where more is better.
local limits = {
  { "storm: mirrors that are wrong", 0 },
  { "storm: errors", 0 },
  { "storm: CPU", 1 },
  { "storm: sent", 120 },
  { "storm: diffs that an observer gets", 60 },
  { "crowds: mirrors that are wrong", 0 },
  { "crowds: errors", 0 },
  { "crowds: CPU", 2 },
  { "crowds: resident memory a joined connection", 12 },
  { "churn: mirrors that are wrong", 0 },
  { "churn: errors", 0 },
  { "churn: CPU", 3.5 },
  { "fanout: one message in flight", 150000, "at least" },
  { "fanout: eight in flight", 400000, "at least" },
  { "fanout: errors", 0 },
  { "fanout-many: one in flight a topic", 100000, "at least" },
  { "fanout-many: errors", 0 },
  { "latency: p50", 0.4 },
  { "latency: p99", 2 },
  { "latency: errors", 0 },
  { "idle: CPU", 2 },
  { "idle: heartbeats not answered", 0 },
  { "idle: errors", 0 },
  { "slow: mirrors that are wrong", 0 },
  { "slow: errors", 0 },
  { "slow: resident memory for each who does not read", 1024 },
}

--- What the server reaches as a multiple of what a process that only writes reached beside it, on a
--- machine of whatever speed: name, row, row of the floor. Targets are those above, by the floor of
--- the machine that they were set on (184,000 deliveries a CPU second; 0.13 and 0.24 ms).
M.ratios = {
  { "fan-out, one message in flight", "fanout: one message in flight",
    "floor: fan-out, one message in flight" },
  { "latency, p50", "latency: p50", "floor: from one client to another, p50" },
  { "latency, p99", "latency: p99", "floor: from one client to another, p99" },
  { "idle", "idle: CPU", "floor: idle" },
}
limits[#limits + 1] = { "by the floor: fan-out, one message in flight", 0.81, "at least" }
limits[#limits + 1] = { "by the floor: latency, p50", 3.1 }
limits[#limits + 1] = { "by the floor: latency, p99", 8.3 }

--- By interpreter; nginx is measured to compare.
M.limits = {}
for _, server in ipairs { "Lua 5.4", "LuaJIT" } do
  for _, limit in ipairs(limits) do
    M.limits[#M.limits + 1] = { server .. ", " .. limit[1], limit[2], limit[3] }
  end
end

return M
