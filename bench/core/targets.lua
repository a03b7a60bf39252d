--- What the core must reach: gcc -O2, x86-64-v2, one thread, the meta's JSON check apart unless
--- it is named.
local M = {}

local c, lua = "100k, one topic: ", "100k, one topic: Lua 5.4, "

--- Name of a row, and the most it may be.
M.limits = {
  { c .. "track in place", 550 },
  { c .. "untrack in place", 620 },
  { c .. "track, the old version kept", 1600 },
  { c .. "edit with a snapshot every 100", 1250 },
  { c .. "hit by state, topic, key", 440 },
  { c .. "miss by state, topic, key", 410 },
  { c .. "hit in a borrowed topic", 260 },
  { c .. "miss in a borrowed topic", 235 },
  { c .. "JSON check of a 60 byte meta", 450 },
  { c .. "bytes a presence", 125 },
  { c .. "bytes a version", 700 },
  { "1M, one topic: bytes a version", 750 },
  { c .. "diff of 100 changes", 60000 },
  { c .. "nodes of a diff of 100 changes", 600 },
  { "1M against 100k, one topic: growth of a diff's instructions", 1.5 },
  { c .. "time of a diff of 100 changes", 20 },
  { "1M against 100k, one topic: growth of a diff's time", 2 },
  { c .. "build, core against std::unordered_map, JSON check apart", 0.55 },
  { c .. "track, core against std::unordered_map, JSON check apart", 0.8 },
  { c .. "build, core against absl::flat_hash_map, JSON check apart", 1.6 },
  { c .. "track, core against absl::flat_hash_map, JSON check apart", 1.6 },
  { lua .. "build, state against tables", 0.6 },
  { lua .. "track, state against tables", 1 },
  { lua .. "track and untrack, state against tables", 1.6 },
  { lua .. "build, owner against tables", 0.6 },
  { lua .. "track, owner against tables", 1 },
  { lua .. "track and untrack, owner against tables", 1.6 },
  { "1M, one topic: longest call while a version is freed", 5 },
}

for _, interpreter in ipairs { "Lua 5.4", "LuaJIT" } do
  for _, who in ipairs { "owner", "state" } do
    for _, phase in ipairs { "building", "steady", "dropping all" } do
      M.limits[#M.limits + 1] =
        { ("1M, one topic: %s, longest pause, %s, %s"):format(interpreter, phase, who), 5 }
    end
  end
  M.limits[#M.limits + 1] =
    { ("10k, one topic: %s, memory at most against alive"):format(interpreter), 2 }
  M.limits[#M.limits + 1] =
    { ("10k, one topic: %s, live bytes at most against alive"):format(interpreter), 2 }
end

--- Rows whose growth from 100k to 1M is a row, too.
M.growth = {
  { "diff of 100 changes", "growth of a diff's instructions" },
  { "time of a diff of 100 changes", "growth of a diff's time" },
}

return M
