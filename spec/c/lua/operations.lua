--- What test_lua_memory.c does while memory fails: every function of the module, every method and
--- every metamethod of what it makes. Gets the module and a function of C that pushes a state;
--- returns the operations in their order, a function that tells all that they may not change, two
--- states, and a function that tells which functions no operation has called yet.
local core, share = ...

-- Every function notes that it was called, once the operations are set going.
local uncalled, noting = {}, false

local function note(owner, name, fn)
  local label = owner .. "." .. name
  uncalled[label] = true
  return function(...)
    if noting then
      uncalled[label] = nil
    end
    return fn(...)
  end
end

local function note_all(owner, functions)
  for name, fn in pairs(functions) do
    if type(fn) == "function" and name ~= "__gc" then
      functions[name] = note(owner, name, fn)
    end
  end
end

local function note_methods(owner, value)
  local metatable = debug.getmetatable(value)
  note_all(owner, metatable)
  if type(metatable.__index) == "table" then
    note_all(owner, metatable.__index)
  end
end

do
  local s = core.new_state():track("t", "k", 1, "1")
  note_methods("PresenceState", s)
  note_methods("PresenceEntry", s:get("t", "k"))
  note_methods("PresenceMeta", s:get("t", "k")[1])
  note_methods("PresenceOwner", core.owner())
  s:edit(function(b) note_methods("PresenceBuilder", b) end)
  note_methods("message", core.message "x")
  note_methods("outbox", core.outbox "message")
  note_methods("due", core.due())
  note_methods("audience", core.audience())
  note_methods("websocket", core.websocket { max_message_bytes = 1, max_fragments = 1 })
  note_all("core", core)
end

local function fill(b)
  for i = 1, 30 do
    b:track("t", "key" .. i, i, '{"n":1}')
  end
  for i = 1, 8 do
    b:track("t", "few", i, "1")
  end
  for i = 1, 20 do
    b:track("t", "many", i % 15, "2")
  end
  b:track("u", "k", "pid", "3")
end

local s = core.new_state():edit(fill)
local now = s:untrack("t", "key1", 1)
  :track("t", "few", 9, "1")
  :update("t", "many", 3, "4")
  :untrack("u", "k", "pid")
  :track("v", "k", 1, "5")
local diff = core.diff(s, now)
local entry = s:get("t", "many")
local meta = entry[1]
local encoded = core.encode(s)
local long = ('"%s"'):format(("x"):rep(6000))
local wide = s:track("w", "long", 1, long)

local owner = core.owner()
for i = 1, 20 do
  owner:track("t", "key" .. i, i, '{"n":1}', "r" .. i)
end
for i = 1, 12 do
  owner:track("t", "many", i, "{}", "m" .. i)
end

-- Whose content no operation but its own may change.
local function content()
  return table.concat({
    core.encode(s),
    core.encode(now),
    core.wire_state_json(owner:snapshot(), "t"),
    core.wire_state_json(owner:snapshot(), "new"),
    tostring(#entry),
    meta.data,
    s:list_json("t"),
  }, "\n")
end

local function all(iterator)
  for key, value in iterator do -- luacheck: ignore 213
    if not value then
      error "nothing there"
    end
  end
end

local operations = {}
local function add(name, fn)
  operations[#operations + 1] = { name = name, run = fn }
end

-- Edits by value.
add("new_state", core.new_state)
add("track a key", function() return s:track("t", "new", 1, "1") end)
add("track on a new topic", function() return s:track("new", "new", 1, "1") end)
add("edits by functions", function()
  local one = core.track_state(s, "t", "new", 1, "1")
  local two = core.update_state(one, "t", "new", 1, "2")
  return one, two, core.untrack_state(two, "t", "new", 1)
end)
add("track a second pid", function() return s:track("t", "key2", "p", "1") end)
add("track the ninth meta", function() return s:track("t", "few", 99, "1") end)
add("track one of many", function() return s:track("t", "many", 99, "1") end)
add("track a long meta", function() return s:track("t", "long", 1, long) end)
add("untrack the last", function() return s:untrack("u", "k", "pid") end)
add("untrack one of few", function() return s:untrack("t", "few", 3) end)
add("untrack some of many", function() return s:untrack("t", "many", 3) end)
add("untrack nobody", function() return s:untrack("t", "many", "nobody") end)
add("update", function() return s:update("t", "key3", 3, "9") end)
add("update one of many", function() return s:update("t", "many", 3, "9") end)
add("update nobody", function()
  local none, word = s:update("t", "many", "nobody", "9")
  assert(not none and word == "nopresence")
end)
add("track what is no JSON", function()
  local none, word = s:track("t", "k", 1, "{")
  assert(not none and word == "bad_json")
end)
add("track what is no UTF-8", function()
  local none, word = s:track("t", "\255", 1, "1")
  assert(not none and word == "not_utf8")
end)
add("edit", function()
  return s:edit(function(b)
    b:track("t", "new", 1, "1")
    b:track("new", "new", 1, "1")
    b:update("t", "key3", 3, "9")
    b:untrack("t", "key4", 4)
  end)
end)
add("edit nothing", function() return s:edit(function() end) end)

-- Looking.
add("list", function() return s:list("t") end)
add("looks by functions", function()
  assert(core.count_presences(s, "t") == 32 and core.connection_count(s, "t", "many") == 20)
  assert(core.is_present(s, "t", "many") and not core.is_present(s, "t", "nobody"))
  assert(core.entry_count(entry) == 20 and core.meta_data(meta) == "2")
  return core.list_state(s, "t"), core.list_json(s, "u"), core.heap_usage()
end)
add("get", function() return s:get("t", "many") end)
add("count", function() return s:count("t") + s:connections("t", "many") end)
add("has", function() return s:has("t", "many") end)
add("online", function() return s:online("t", { "key1", "many", "nobody" }) end)
add("each", function() all(s:each("t")) end)
add("topics", function() all(s:topics()) end)
add("page", function()
  local page, cursor = s:page("t", nil, 7)
  return page, s:page("t", cursor, 7)
end)
add("a step of an iterator", function()
  local step = s:each("t")
  return step()
end)
add("stats", function() return s:stats() end)
add("tostring", function() return tostring(s) .. tostring(entry) .. tostring(meta) end)
add("equality of states", function() return s == now end)
add("equality of entries", function() return entry == now:get("t", "many") end)
add("equality of metas", function() return meta == entry[2] end)
add("index", function() return entry[1], entry[#entry] end)
add("pid and data", function() return meta.pid, meta.data, core.meta_pid(meta) end)
add("entry_metas", function() return core.entry_metas(entry) end)
add("make_meta", function() return core.make_meta("pid", '{"a":1}') end)
add("make_entry", function() return core.make_entry { meta, meta, meta } end)
add("make an entry of many", function()
  local metas = core.entry_metas(entry)
  return core.make_entry(metas)
end)

-- Differences.
add("diff", function() return core.diff(s, now) end)
add("patch", function() return core.patch(s, diff) end)
add("patch by nothing", function() return core.patch(s, {}) end)

-- Text and bytes.
add("list_json", function() return s:list_json("u") end)
add("list_json of a long meta", function() return wide:list_json("w") end)
add("diff_json", function() return core.diff_json(s, now, "t") end)
add("wire_state_json", function() return core.wire_state_json(s, "t") end)
add("wire_diff_json", function() return core.wire_diff_json(s, now, "t") end)
add("join_diff_json", function() return core.join_diff_json("key", '{"a":1}') end)
add("leave_diff_json", function() return core.leave_diff_json("key", '{"a":1}') end)
add("encode", function() return core.encode(s) end)
add("encode a topic", function() return core.encode(s, "t") end)
add("encode a long meta", function() return core.encode(wide) end)
add("decode", function() return core.decode(encoded) end)
add("decode what is damaged", function()
  local none, word = core.decode(encoded:sub(1, -2) .. "x")
  assert(not none and word == "damaged")
end)
add("meta_object", function() return core.meta_object(' {"a":1} ') end)
add("meta_object with a ref", function() return core.meta_object('{"a":1,"phx_ref":"x"}') end)
add("status_words", core.status_words)
add("state of C", function() return share(s) end)

-- The owner.
add("owner", core.owner)
add("owner: track a key", function() owner:track("t", "new", 1, "{}", "x") end)
add("owner: track on a new topic", function() owner:track("new", "new", 1, "{}", "x") end)
add("owner: track the ninth", function()
  owner:track("t", "many", 99, "{}", "x")
end)
add("owner: update", function() owner:update("t", "key3", 3, '{"n":9}', "x") end)
add("owner: update one of many", function() owner:update("t", "many", 3, '{"n":9}', "x") end)
add("owner: untrack", function() owner:untrack("t", "key3", 3) end)
add("owner: untrack one of many", function() owner:untrack("t", "many", 3) end)
add("owner: take_over", function() owner:take_over("t", "key3", 99, "{}", "x", 3) end)
add("owner: refused", function()
  local none, word = owner:track("t", "key3", 3, "{}", "x")
  assert(not none and word == "already_tracked")
end)
add("owner: get", function() return owner:get("t", "key3", 3) end)
add("owner: count", function() return owner:count("t") + owner:connections("t", "many") end)
add("owner: snapshot", function() return owner:snapshot() end)
add("owner: snapshot of a topic", function() return owner:snapshot("t") end)
add("owner: patch", function() owner:patch(diff) end)

-- Text and codecs.
add("json_quote", function() return core.json_quote(("é"):rep(300)) end)
add("cut_v2", function() return core.cut_v2('["1","2","t","event",{"a":1}]') end)
add("cut_v1", function()
  return core.cut_v1 '{"topic":"t","event":"e","payload":{"a":1},"ref":"1"}'
end)
add("messages", function()
  local text = core.message_v1("1", "t", "event", "{}")
  local binary = core.message_binary("push", '"1"', nil, "t", "event", ("x"):rep(300))
  assert(core.cut_binary(binary:text(), true))
  assert(binary:is_binary() and not text:is_binary() and #text > 0)
  return text, tostring(text), text:text(), core.message("x", true)
end)
add("checks", function()
  assert(core.utf8_valid "é" and core.json_valid "[1]" and not core.json_valid "[")
  return core.random_bytes(32), core.close_payload(1000, "bye"), core.query_decode "a=b&c=%41"
end)
add("base64", function() return core.base64_decode(core.base64_encode(("x"):rep(100))) end)
add("outbox", function()
  local outbox = core.outbox "websocket"
  outbox:add(core.message_v2(nil, "1", "t", "event", "{}"))
  outbox:add_frame(9, "ping")
  outbox:add(core.message_v1("1", "t", "event", "{}", core.message "used again"))
  return outbox:take()
end)
add("outbox: all else", function()
  local due = core.due()
  local outbox = core.outbox("websocket", due, 1, 1000)
  outbox:block(true)
  outbox:add(core.message_v2(nil, "1", "t", "event", "{}"))
  outbox:direct(nil)
  assert(#outbox == 1 and outbox:bytes() > 0 and not outbox:is_writable())
  outbox:block(false)
  outbox:clear()
  outbox:close()
  due:tell()
  local numbers = due:write()
  outbox:abandon()
  return tostring(outbox), numbers
end)
add("audience: in step", function()
  local audience = core.audience()
  audience:add(core.outbox "message", true)
  audience:set_in_step(1)
  return #audience
end)
add("audience", function()
  local due, audience = core.due(), core.audience()
  for i = 1, 5 do
    audience:add(core.outbox("message", due, i, 1000), i % 2 == 0)
  end
  audience:send(core.message "one", 2)
  audience:tell(core.message "two")
  return #audience:strays(), #due:write(), audience:remove(2)
end)
add("websocket", function()
  local decoder = core.websocket { max_message_bytes = 1000, max_fragments = 8 }
  decoder:feed(core.client_frame(1, ("x"):rep(300), "mask"))
  return tostring(decoder), decoder:next()
end)
add("http_request", function()
  return core.http_request("GET /a?b=c HTTP/1.1\r\nhost: x\r\n\r\n", 1000, 10)
end)

-- Each is a closure, so that what is noted costs no memory while an operation runs.
for _, operation in ipairs(operations) do
  local run = operation.run
  operation.run = function()
    noting = true
    return run()
  end
end

local function tell_uncalled()
  local names = {}
  for name in pairs(uncalled) do
    names[#names + 1] = name
  end
  table.sort(names)
  return table.concat(names, " ")
end

return operations, content, s, now, tell_uncalled
