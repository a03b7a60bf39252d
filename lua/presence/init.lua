--- Who is online, for Phoenix Channels and for any program. This file only gathers what users call.
local core = require "presence.core"

local presence = { _VERSION = "0.1.0" }

-- The pure layer: immutable states, without runtime and I/O.
for _, name in ipairs {
  "new_state", "track_state", "untrack_state", "update_state",
  "list_state", "count_presences", "is_present", "connection_count",
  "make_meta", "meta_pid", "meta_data", "make_entry", "entry_metas", "entry_count",
  "list_json", "join_diff_json", "leave_diff_json",
  "diff", "diff_json", "patch", "encode", "decode",
} do
  presence[name] = core[name]
end

return presence
