--- The opening handshake of RFC 6455, section 4.2, and Phoenix's subprotocol, without sockets: a
--- head goes in, an answer comes out. SHA-1 is brought by the platform.

local core = require "presence.core"

local M = {}

local accept_guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" -- RFC 6455, section 1.3
local key_bytes = 16
local subprotocol = "phoenix"
local token_prefix = "base64url.bearer.phx."

---@class presence.Handshake
---@field accept_key string for Sec-WebSocket-Accept
---@field protocol "phoenix"|nil the subprotocol to answer with
---@field auth_token string|nil what the client's authToken was

local function has_token(list, wanted)
  for token in (list or ""):gmatch "[^,%s]+" do
    if token:lower() == wanted then
      return true
    end
  end
  return false
end

-- The standard says GET, HTTP/1.1, Host, Upgrade, Connection, version 13, a key of 16 bytes.
local function refusal(head)
  local headers = head.headers
  if head.method ~= "GET" then
    return 405, "a WebSocket is opened with GET", { ["allow"] = "GET" }
  elseif not has_token(headers.upgrade, "websocket") then
    return 426, "this path speaks WebSocket",
      { ["upgrade"] = "websocket", ["sec-websocket-version"] = "13" }
  elseif head.version ~= "1.1" then
    return 400, "a WebSocket needs HTTP/1.1"
  elseif not headers.host then
    return 400, "the Host header is missing"
  elseif not has_token(headers.connection, "upgrade") then
    return 400, "the Connection header does not say Upgrade"
  elseif headers["sec-websocket-version"] ~= "13" then
    return 426, "only WebSocket version 13 is spoken",
      { ["upgrade"] = "websocket", ["sec-websocket-version"] = "13" }
  elseif headers["transfer-encoding"] or (headers["content-length"] or "0") ~= "0" then
    return 400, "an upgrade has no body"
  end
  local key = core.base64_decode(headers["sec-websocket-key"] or "")
  if not key or #key ~= key_bytes or #headers["sec-websocket-key"] ~= 24 then
    return 400, "the Sec-WebSocket-Key is not 16 bytes in base64"
  end
end

-- phoenix.js encodes with the standard alphabet and cuts the padding; other clients use base64url.
local function decode_token(text)
  return core.base64_decode((text:gsub("%+", "-"):gsub("/", "_")), true)
end

-- `protocol`, `auth_token`; or false and the reason.
local function choose_protocol(list)
  local protocol, auth_token
  if list == nil then
    return nil, nil
  end
  for offered in list:gmatch "[^,%s]+" do
    if offered == subprotocol then
      protocol = subprotocol
    elseif offered:sub(1, #token_prefix) == token_prefix then
      auth_token = decode_token(offered:sub(#token_prefix + 1))
      if not auth_token then
        return false, "the auth token is not base64"
      end
    end
  end
  if not protocol then
    return false, "no known subprotocol"
  end
  return protocol, auth_token
end

--- Checks the head of an upgrade request.
---@param head {method: string, version: string, headers: table<string, string>} header names in
---  lower case
---@param sha1 fun(bytes: string): string 20 bytes
---@return presence.Handshake|nil
---@return integer|nil status when it is refused
---@return string|nil reason
---@return table<string, string>|nil headers that the refusal must carry
function M.check(head, sha1)
  local status, reason, more_headers = refusal(head)
  if status then
    return nil, status, reason, more_headers
  end
  local headers = head.headers
  local protocol, auth_token = choose_protocol(headers["sec-websocket-protocol"])
  if protocol == false then
    return nil, 403, auth_token
  end
  return {
    accept_key = core.base64_encode(sha1(headers["sec-websocket-key"] .. accept_guid)),
    protocol = protocol,
    auth_token = auth_token,
  }
end

--- The status that a client is refused with: what the application says, where that can be one.
---@param status any
---@return integer
function M.refusal_status(status)
  return type(status) == "number" and status >= 400 and status <= 599 and status or 403
end

--- The bytes that accept an upgrade.
---@param accept_key string
---@param protocol string|nil
---@return string
function M.response(accept_key, protocol)
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    .. "Sec-WebSocket-Accept: " .. accept_key .. "\r\n"
    .. (protocol and "Sec-WebSocket-Protocol: " .. protocol .. "\r\n" or "")
    .. "\r\n"
end

return M
