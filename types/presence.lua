---@meta presence

--- The pure layer: immutable states, without runtime and I/O. Misuse raises; what the world causes
--- returns `nil, word, detail` (the words are in lua/presence/words.lua).
---@class presence
---@field _VERSION string by SemVer
local presence = {}

---@alias presence.Pid integer|string an integer within ±2^53 or any string; 1 and "1" are different
---@alias presence.EntryMap table<string, PresenceEntry> key → entry
---@alias presence.Change {joins: presence.EntryMap?, leaves: presence.EntryMap?}
---@alias presence.Diff table<string, presence.Change> topic → what joined and what left

--- Map(topic → Map(key → PresenceEntry)), immutable. `==` compares content, metas as multisets.
---@class PresenceState: userdata
local PresenceState = {}

--- The metas under one topic and key, oldest first, immutable. `#e` and `e[i]` work as on an array;
--- `==` compares multisets.
---@class PresenceEntry: userdata
---@operator len: integer
---@field [integer] PresenceMeta
local PresenceEntry = {}

--- One presence: who (pid) and what is said of it (data), immutable. `==` compares content.
---@class PresenceMeta: userdata
---@field pid presence.Pid
---@field data string JSON text, byte for byte as it was tracked
local PresenceMeta = {}

--- What the function of `PresenceState:edit` gets. Good until that function returns.
---@class PresenceBuilder: userdata
local PresenceBuilder = {}

--- An empty state.
---@return PresenceState
function presence.new_state() end

--- A state with one more meta under (topic, key), after those that are there. Several pids, or one
--- pid several times, give several metas. O(log n).
---@param s PresenceState
---@param topic string UTF-8
---@param key string UTF-8
---@param pid presence.Pid
---@param meta string one JSON value
---@return PresenceState? state, string? word "not_utf8", "bad_json", "too_large"
---@return string? detail
function presence.track_state(s, topic, key, pid, meta) end

--- A state without every meta of pid under (topic, key); the same state when there is none.
---@param s PresenceState
---@param topic string
---@param key string
---@param pid presence.Pid
---@return PresenceState
function presence.untrack_state(s, topic, key, pid) end

--- A state with pid's newest meta replaced, in its place; the same state for the same bytes.
---@param s PresenceState
---@param topic string
---@param key string
---@param pid presence.Pid
---@param meta string one JSON value
---@return PresenceState? state, string? word "nopresence", "not_utf8", "bad_json", "too_large"
---@return string? detail
function presence.update_state(s, topic, key, pid, meta) end

--- Everybody on a topic, in a fresh table.
---@param s PresenceState
---@param topic string
---@return presence.EntryMap
function presence.list_state(s, topic) end

--- Number of distinct keys on a topic. O(1) after finding the topic.
---@param s PresenceState
---@param topic string
---@return integer
function presence.count_presences(s, topic) end

--- Whether key has a meta on topic.
---@param s PresenceState
---@param topic string
---@param key string
---@return boolean
function presence.is_present(s, topic, key) end

--- Number of metas under (topic, key): more than one means several devices.
---@param s PresenceState
---@param topic string
---@param key string
---@return integer
function presence.connection_count(s, topic, key) end

--- The `presence_state` payload: `{"key":{"metas":[…]},…}`.
---@param s PresenceState
---@param topic string
---@return string
function presence.list_json(s, topic) end

--- A meta made by hand.
---@param pid presence.Pid
---@param data string one JSON value
---@return PresenceMeta? meta, string? word "bad_json", "not_utf8", "too_large"
---@return string? detail
function presence.make_meta(pid, data) end

---@param m PresenceMeta
---@return presence.Pid
function presence.meta_pid(m) end

---@param m PresenceMeta
---@return string
function presence.meta_data(m) end

--- An entry of an array of metas, which it does not keep.
---@param metas PresenceMeta[]
---@return PresenceEntry
function presence.make_entry(metas) end

--- The metas of an entry, oldest first, in a fresh array.
---@param e PresenceEntry
---@return PresenceMeta[]
function presence.entry_metas(e) end

---@param e PresenceEntry
---@return integer
function presence.entry_count(e) end

--- `{"joins":{"key":{"metas":[meta]}},"leaves":{}}`
---@param key string
---@param meta string one JSON value
---@return string? json, string? word "not_utf8", "bad_json", "too_large"
---@return string? detail
function presence.join_diff_json(key, meta) end

--- `{"joins":{},"leaves":{"key":{"metas":[meta]}}}`
---@param key string
---@param meta string one JSON value
---@return string? json, string? word "not_utf8", "bad_json", "too_large"
---@return string? detail
function presence.leave_diff_json(key, meta) end

--- What changed from old to new, at a cost that follows the number of changes.
---@param old PresenceState
---@param new PresenceState
---@return presence.Diff
function presence.diff(old, new) end

--- The `presence_diff` payload of one topic, or nil when nothing changed there.
---@param old PresenceState
---@param new PresenceState
---@param topic string
---@return string?
function presence.diff_json(old, new, topic) end

--- A state with a diff applied: leaves removed, joins appended.
--- `patch(old, diff(old, new)) == new`.
---@param s PresenceState
---@param diff presence.Diff
---@return PresenceState? state, string? word "not_utf8", "too_large"
---@return string? detail
function presence.patch(s, diff) end

--- A compact, versioned binary form of a state, or of one topic of it.
---@param s PresenceState
---@param topic string?
---@return string
function presence.encode(s, topic) end

--- The state that `encode` wrote. Anything damaged is refused.
---@param bytes string
---@return PresenceState? state, string? word "damaged"
---@return string? detail
function presence.decode(bytes) end

--- `presence.track_state` as a method.
---@param topic string UTF-8
---@param key string UTF-8
---@param pid presence.Pid
---@param meta string one JSON value
---@return PresenceState? state, string? word, string? detail
function PresenceState:track(topic, key, pid, meta) end

--- `presence.untrack_state` as a method.
---@param topic string
---@param key string
---@param pid presence.Pid
---@return PresenceState
function PresenceState:untrack(topic, key, pid) end

--- `presence.update_state` as a method.
---@param topic string
---@param key string
---@param pid presence.Pid
---@param meta string one JSON value
---@return PresenceState? state, string? word, string? detail
function PresenceState:update(topic, key, pid, meta) end

--- Many edits, one new state. `fn` must not yield; an error in it is raised again, the state stays.
---@param fn fun(b: PresenceBuilder)
---@return PresenceState
function PresenceState:edit(fn) end

--- `presence.list_state` as a method.
---@param topic string
---@return presence.EntryMap
function PresenceState:list(topic) end

--- Iterates over everybody on a topic, lazily, in no particular order.
---@param topic string
---@return fun(): string?, PresenceEntry?
function PresenceState:each(topic) end

--- A stable walk of a huge topic: at most `limit` pairs `{key, entry}` and the cursor of the next
--- page, nil after the last. A cursor stays good in later states.
---@param topic string
---@param cursor string? nil: from the start
---@param limit integer at least 1
---@return {[1]: string, [2]: PresenceEntry}[]? page, string? cursor or word "bad_cursor"
---@return string? detail
function PresenceState:page(topic, cursor, limit) end

---@param topic string
---@param key string
---@return PresenceEntry?
function PresenceState:get(topic, key) end

--- Iterates over the topics and their numbers of keys.
---@return fun(): string?, integer?
function PresenceState:topics() end

--- `presence.count_presences` as a method.
---@param topic string
---@return integer
function PresenceState:count(topic) end

--- `presence.is_present` as a method.
---@param topic string
---@param key string
---@return boolean
function PresenceState:has(topic, key) end

--- Numbers of connections, 0 too, of many keys at one instant.
---@param topic string
---@param keys string[]
---@return table<string, integer>
function PresenceState:online(topic, keys) end

--- `presence.connection_count` as a method.
---@param topic string
---@param key string
---@return integer
function PresenceState:connections(topic, key) end

--- `presence.list_json` as a method.
---@param topic string
---@return string
function PresenceState:list_json(topic) end

--- Sums over the whole state. O(n).
---@return {topics: integer, keys: integer, metas: integer, bytes: integer}
function PresenceState:stats() end

--- As `presence.track_state`, in place.
---@param topic string UTF-8
---@param key string UTF-8
---@param pid presence.Pid
---@param meta string one JSON value
---@return true? tracked, string? word, string? detail
function PresenceBuilder:track(topic, key, pid, meta) end

--- As `presence.untrack_state`, in place.
---@param topic string
---@param key string
---@param pid presence.Pid
---@return integer removed number of metas
function PresenceBuilder:untrack(topic, key, pid) end

--- As `presence.update_state`, in place: false for the same bytes.
---@param topic string
---@param key string
---@param pid presence.Pid
---@param meta string one JSON value
---@return boolean? changed, string? word, string? detail
function PresenceBuilder:update(topic, key, pid, meta) end

return presence
