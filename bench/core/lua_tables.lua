--- Presences in plain Lua tables, as an application would keep them: topic → key → array of metas.
--- No versions, no diff, no checks: what the core is compared with.
local M = {}

function M.new()
  return {}
end

function M.track(topics, topic, key, pid, meta)
  local keys = topics[topic]
  if not keys then
    keys = {}
    topics[topic] = keys
  end
  local entry = keys[key]
  if entry then
    entry[#entry + 1] = { pid = pid, data = meta }
  else
    keys[key] = { { pid = pid, data = meta } }
  end
end

function M.untrack(topics, topic, key, pid)
  local keys = topics[topic]
  local entry = keys and keys[key]
  if not entry then
    return
  end
  for i = #entry, 1, -1 do
    if entry[i].pid == pid then
      table.remove(entry, i)
    end
  end
  if #entry == 0 then
    keys[key] = nil
    if next(keys) == nil then
      topics[topic] = nil
    end
  end
end

return M
