--- What test_lua_closing.c does while a lua_State closes: finalizers make one of each kind of value
--- that holds memory of C. Gets the module, a table that the registry keeps (what is in it outlives
--- every finalizer), and a function that tells which kinds were made and which were refused.
local core, kept, tell = ...

local newproxy = rawget(_G, "newproxy") -- of LuaJIT, whose tables have no __gc

local function on_close(fn)
  if newproxy then
    local proxy = newproxy(true)
    getmetatable(proxy).__gc = fn
    kept[#kept + 1] = proxy
  else
    kept[#kept + 1] = setmetatable({}, { __gc = fn })
  end
end

local function state()
  return core.new_state():track("t", "k", 1, '{"n":1}')
end

local function many()
  return core.new_state():edit(function(b)
    for i = 1, 2000 do
      b:track("t", "key" .. i % 100, i, "1")
    end
  end)
end

local makers = {
  state = state,
  entry = function() return state():get("t", "k") end,
  meta = function() return state():get("t", "k")[1] end,
  ["a large state"] = many,
  owner = function()
    local owner = core.owner()
    owner:track("t", "k", 1, "{}", "ref")
    return owner
  end,
  builder = function()
    local builder
    pcall(function()
      state():edit(function(b)
        builder = b
        b:track("t", "k", 2, "{}")
        error "in the midst"
      end)
    end)
    return builder
  end,
  iterator = function()
    local step = state():each("t")
    step()
    return step
  end,
  page = function() return many():page("t", nil, 10) end,
  diff = function() return core.diff(state(), many()) end,
  message = function() return core.message_v2(nil, "1", "t", "event", "{}") end,
  outbox = function()
    local outbox = core.outbox "message"
    outbox:add(core.message(("x"):rep(5000)))
    return outbox
  end,
  audience = function()
    local due, audience = core.due(), core.audience()
    for i = 1, 20 do
      audience:add(core.outbox("message", due, i, 1000))
    end
    audience:send(core.message "to all")
    return audience
  end,
  websocket = function()
    local decoder = core.websocket { max_message_bytes = 10000, max_fragments = 8 }
    decoder:feed(core.client_frame(1, ("x"):rep(3000), "mask"):sub(1, 2000))
    return decoder
  end,
}

local names = {}
for name in pairs(makers) do
  names[#names + 1] = name
end
table.sort(names)

-- Each kind by a finalizer of its own, so that one that fails hides no other.
return function()
  for _, name in ipairs(names) do
    on_close(function()
      local made, value = pcall(makers[name])
      kept[#kept + 1] = value
      tell(name, made, tostring(value))
    end)
  end
  return #names
end
