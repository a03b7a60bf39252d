--- Which web pages may open a socket: the check of the Origin header. A browser always sends it, a
--- native client does not, so a missing one is allowed.

local M = {}

local default_ports = { http = 80, https = 443, ws = 80, wss = 443 }

---@class presence.OriginPattern
---@field scheme string|nil nil: any
---@field host string lower case
---@field port integer|nil nil: any
---@field wildcard boolean sub-domains match too

-- host[:port], the host in brackets when it is an IPv6 address; nil when it is not of that form.
local function split_authority(text)
  local host, port = text:match "^(%[[%x:.]+%]):?(%d*)$"
  if not host then
    host, port = text:match "^([^%[%]:/?#@%s,]+):?(%d*)$"
  end
  if not host or (port == "" and text:sub(-1) == ":") then
    return nil
  end
  if port ~= "" and tonumber(port) > 65535 then
    return nil
  end
  return host:lower(), tonumber(port)
end

local function split_origin(text)
  local scheme, authority = text:match "^(%a[%w+.-]*)://(.+)$"
  if not scheme then
    return nil
  end
  local host, port = split_authority(authority)
  if not host then
    return nil
  end
  scheme = scheme:lower()
  return scheme, host, port or default_ports[scheme]
end

---@param entry string
---@return presence.OriginPattern|nil
local function parse_pattern(entry)
  local scheme, authority = entry:match "^([^/]*)//(.+)$"
  if not scheme or (scheme ~= "" and not scheme:match "^%a[%w+.-]*:$") then
    return nil
  end
  local is_wildcard = authority:sub(1, 2) == "*."
  local host, port = split_authority(is_wildcard and authority:sub(3) or authority)
  if not host or host:find("*", 1, true) then
    return nil
  end
  scheme = scheme ~= "" and scheme:sub(1, -2):lower() or nil
  return {
    scheme = scheme, host = host, port = port or default_ports[scheme], wildcard = is_wildcard,
  }
end

local function matches(pattern, scheme, host, port)
  if pattern.scheme and pattern.scheme ~= scheme then
    return false
  elseif pattern.port and pattern.port ~= port then
    return false
  elseif pattern.host == host then
    return true
  end
  return pattern.wildcard and host:sub(-#pattern.host - 1) == "." .. pattern.host
end

-- A proxy that ends TLS passes the Host on without a port and the scheme not at all: a Host without
-- port is any scheme's default port.
local function is_same_host(headers, scheme, host, port)
  local own_host, own_port = split_authority(headers.host or "")
  return own_host == host and (own_port or default_ports[scheme]) == port and port ~= nil
end

local lists = setmetatable({}, { __mode = "k" })

local function patterns_of(list)
  local patterns = lists[list]
  if not patterns then
    patterns = {}
    for i, entry in ipairs(list) do
      patterns[i] = parse_pattern(entry)
    end
    lists[list] = patterns
  end
  return patterns
end

--- Raises when `mode` is none that `allowed` knows: a list must hold origins such as
--- `"https://example.org"`, `"//example.org"` (any scheme and port), `"//*.example.org:8443"`.
---@param mode any
function M.check_mode(mode)
  if type(mode) == "boolean" or type(mode) == "function" then
    return
  end
  if type(mode) ~= "table" then
    error("check_origin must be true, false, a list of origins or a function", 0)
  end
  for _, entry in ipairs(mode) do
    if type(entry) ~= "string" or not parse_pattern(entry) then
      error("check_origin: '" .. tostring(entry) .. "' is not an origin such as"
        .. " https://example.org or //*.example.org", 0)
    end
  end
end

--- May the page that sent this request open a socket?
---@param mode boolean|string[]|fun(origin: string, request: table): boolean true: the Origin's host
---  and port are those of the Host header; false: every page may; a list: see `check_mode`; a
---  function decides itself
---@param request {headers: table<string, string>} header names in lower case
---@return boolean allowed
---@return any err what the function raised: it then refuses
function M.allowed(mode, request)
  local origin = request.headers.origin
  if mode == false or origin == nil then
    return true
  end
  if type(mode) == "function" then
    local ok, answer = xpcall(mode, debug.traceback, origin, request)
    if not ok then
      return false, answer
    end
    return answer and true or false
  end
  local scheme, host, port = split_origin(origin)
  if not scheme then
    return false
  elseif mode == true then
    return is_same_host(request.headers, scheme, host, port)
  end
  for _, pattern in ipairs(patterns_of(mode)) do
    if matches(pattern, scheme, host, port) then
      return true
    end
  end
  return false
end

return M
