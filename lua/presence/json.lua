--- JSON at the edge of the application: metas and payloads that are given as tables.
-- What arrives as text stays text and never passes through here.
local core = require "presence.core"

local M = {}

local max_depth = 64

--- Write a value with its keys sorted, so that equal tables are equal bytes.
-- The array part makes an array, string keys an object, an empty table `{}`.
local write

local function write_string(out, s)
  local quoted = core.json_quote(s)
  if not quoted then
    error("json: a string is not UTF-8", 0)
  end
  out[#out + 1] = quoted
end

local function write_number(out, n)
  if n ~= n or n == math.huge or n == -math.huge then
    error("json: " .. tostring(n) .. " is not a JSON number", 0)
  end
  if math.type and math.type(n) == "integer" or n == math.floor(n) and math.abs(n) < 2 ^ 53 then
    out[#out + 1] = string.format("%d", n)
    return
  end
  local short = string.format("%.15g", n)
  if tonumber(short) ~= n then
    short = string.format("%.17g", n)
  end
  out[#out + 1] = short
end

--- cjson.null and ngx.null are the light userdata NULL, which each interpreter prints its own way.
local function is_null(value)
  local text = type(value) == "userdata" and tostring(value)
  return text == "userdata: NULL" or text == "userdata: (nil)"
end

local function sorted_keys(object)
  local keys = {}
  for key in pairs(object) do
    if type(key) ~= "string" then
      error("json: a table has both array items and other keys", 0)
    end
    keys[#keys + 1] = key
  end
  table.sort(keys)
  return keys
end

local function write_table(out, value, depth)
  if depth > max_depth then
    error("json: nested deeper than " .. max_depth, 0)
  end
  local n = #value
  if n > 0 then
    for key in pairs(value) do
      if type(key) ~= "number" or key < 1 or key > n or key ~= math.floor(key) then
        error("json: a table has both array items and other keys", 0)
      end
    end
    out[#out + 1] = "["
    for i = 1, n do
      if i > 1 then
        out[#out + 1] = ","
      end
      write(out, value[i], depth + 1)
    end
    out[#out + 1] = "]"
    return
  end
  out[#out + 1] = "{"
  for i, key in ipairs(sorted_keys(value)) do
    if i > 1 then
      out[#out + 1] = ","
    end
    write_string(out, key)
    out[#out + 1] = ":"
    write(out, value[key], depth + 1)
  end
  out[#out + 1] = "}"
end

function write(out, value, depth)
  local kind = type(value)
  if kind == "string" then
    write_string(out, value)
  elseif kind == "number" then
    write_number(out, value)
  elseif kind == "boolean" then
    out[#out + 1] = tostring(value)
  elseif kind == "table" then
    write_table(out, value, depth)
  elseif is_null(value) then
    out[#out + 1] = "null"
  else
    error("json: cannot write a " .. kind, 0)
  end
end

--- Encode with sorted keys. Raises on what JSON cannot hold.
---@param value any
---@return string
function M.encode_sorted(value)
  local out = {}
  write(out, value, 1)
  return table.concat(out)
end

--- The codec of a runtime: `{encode, decode}` as given, else lua-cjson, loaded at its first use.
---@param given {encode: fun(value: any): string, decode: fun(text: string): any}|nil
---@return {encode: fun(value: any): string, decode: fun(text: string): any}
function M.codec(given)
  if given then
    if type(given.encode) ~= "function" or type(given.decode) ~= "function" then
      error("json: needs the functions encode and decode", 3)
    end
    return given
  end
  local codec = {}
  local function load(name)
    return function(value)
      local ok, cjson = pcall(require, "cjson")
      if not ok then
        error("JSON needs lua-cjson, or the option json = {encode, decode}", 0)
      end
      local safe = cjson.new()
      codec.encode, codec.decode = safe.encode, safe.decode
      return codec[name](value)
    end
  end
  codec.encode, codec.decode = load "encode", load "decode"
  return codec
end

local function is_finite(value)
  if type(value) == "table" then
    for _, item in pairs(value) do
      if not is_finite(item) then
        return false
      end
    end
    return true
  end
  return value ~= math.huge and value ~= -math.huge
end

-- A number past the range of doubles has an exponent of three digits, or very many of its own.
local shortest_long_number = 200

--- Decode a text that is JSON by its grammar.
---@param codec {decode: fun(text: string): any}
---@param text string
---@return boolean ok false where Lua cannot hold the value as it is
---@return any value
function M.decode_finite(codec, text)
  local ok, value = pcall(codec.decode, text)
  if not ok then
    return false
  end
  local may_be_infinite = #text >= shortest_long_number or text:find "[eE]%+?%d%d%d"
  if may_be_infinite and not is_finite(value) then
    return false
  end
  return true, value
end

return M
