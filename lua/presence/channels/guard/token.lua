--- Signed tokens: compact JWS with HMAC SHA-256 (RFC 7515, `alg` HS256 and nothing else), so that
-- any backend can mint them. Needs luaossl.
local core = require "presence.core"
local json = require "presence.json"

local M = {}

local max_token_bytes = 8192

local function hmac(secret, text)
  local found, library = pcall(require, "openssl.hmac")
  if not found then
    error("tokens need luaossl (Debian: lua-luaossl)\n" .. tostring(library), 0)
  end
  return library.new(secret, "sha256"):final(text)
end

local function encode_url(bytes)
  return (core.base64_encode(bytes):gsub("[+/=]", { ["+"] = "-", ["/"] = "_", ["="] = "" }))
end

local function decode_url(text)
  if text:find "[^%w_-]" then
    return nil
  end
  return (core.base64_decode(text, true))
end

local function check_secret(what, secret)
  if type(secret) ~= "string" or #secret < 16 then
    error(what .. ": the secret must be a string of at least 16 bytes", 3)
  end
end

--- Mint a token. `claims.exp` (seconds since 1970) says until when it is good.
---@param claims table
---@param secret string at least 16 bytes
---@return string token
function M.sign(claims, secret)
  check_secret("token.sign", secret)
  if type(claims) ~= "table" then
    error("token.sign: claims must be a table, got " .. type(claims), 2)
  end
  local signed = encode_url '{"alg":"HS256","typ":"JWT"}' .. "."
    .. encode_url(json.encode_sorted(claims))
  return signed .. "." .. encode_url(hmac(secret, signed))
end

-- Compared by their own MACs: how long it takes says nothing of where they differ.
local function is_signature(secret, signed, signature)
  return hmac(secret, hmac(secret, signed)) == hmac(secret, signature)
end

local function is_signed_by_any(secrets, signed, signature)
  local is_good = false
  for _, secret in ipairs(secrets) do
    is_good = is_signature(secret, signed, signature) or is_good
  end
  return is_good
end

local function decode_object(codec, text)
  local bytes = decode_url(text)
  if not bytes or not core.json_valid(bytes, 16) then
    return nil
  end
  local ok, object = pcall(codec.decode, bytes)
  return ok and type(object) == "table" and object or nil
end

local function check_times(claims, now, leeway_s)
  for _, name in ipairs { "exp", "nbf" } do
    if claims[name] ~= nil and type(claims[name]) ~= "number" then
      return nil, "bad_token", name .. " is not a number"
    end
  end
  if claims.exp and now >= claims.exp + leeway_s then
    return nil, "expired", "the token was good until " .. string.format("%.0f", claims.exp)
  end
  if claims.nbf and now < claims.nbf - leeway_s then
    return nil, "bad_token", "the token is not good yet"
  end
  return claims
end

--- Check a token that came from outside. The detail never holds the token.
---@param token any
---@param secret string|string[] several while secrets change: any of them may have signed
---@param opts {now: number|nil, leeway_s: number|nil}|nil now: seconds since 1970
---@return table|nil claims
---@return string|nil word "bad_token", "expired"
---@return string|nil detail
function M.verify(token, secret, opts)
  local secrets = type(secret) == "table" and secret or { secret }
  if not secrets[1] then
    error("token.verify: there is no secret", 2)
  end
  for _, one in ipairs(secrets) do
    check_secret("token.verify", one)
  end
  opts = opts or {}
  if type(token) ~= "string" or #token > max_token_bytes then
    return nil, "bad_token", "it is no text, or too long"
  end
  local head, body, signature = token:match "^([^.]+)%.([^.]+)%.([^.]+)$"
  signature = signature and decode_url(signature)
  if not signature or not is_signed_by_any(secrets, head .. "." .. body, signature) then
    return nil, "bad_token", "the signature is not ours"
  end
  local codec = json.codec()
  local header = decode_object(codec, head)
  if not header or header.alg ~= "HS256" or header.crit ~= nil then
    return nil, "bad_token", "it is not signed by HS256"
  end
  local claims = decode_object(codec, body)
  if not claims then
    return nil, "bad_token", "the claims are not a JSON object"
  end
  return check_times(claims, opts.now or os.time(), opts.leeway_s or 0)
end

return M
