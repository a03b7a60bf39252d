--- The client's half of the opening handshake, for the suite of raw frames.

local M = {}

local function escape(text)
  return (text:gsub("[^%w._~-]", function(char) return ("%%%02X"):format(char:byte()) end))
end

local function sorted(map)
  local names = {}
  for name in pairs(map) do names[#names + 1] = name end
  table.sort(names)
  return names
end

--- A query as browsers write it.
function M.query(params)
  local pairs_ = {}
  for _, name in ipairs(sorted(params)) do
    pairs_[#pairs_ + 1] = escape(name) .. "=" .. escape(params[name])
  end
  return table.concat(pairs_, "&")
end

--- The bytes that ask for a socket, at the path `/socket/websocket` unless another is given.
function M.request(query, headers, path)
  local all = {
    ["Host"] = "127.0.0.1", ["Upgrade"] = "websocket", ["Connection"] = "Upgrade",
    ["Sec-WebSocket-Version"] = "13", ["Sec-WebSocket-Key"] = "dGhlIHNhbXBsZSBub25jZQ==",
  }
  for name, value in pairs(headers) do all[name] = value end
  local lines = { ("GET %s?%s HTTP/1.1"):format(path or "/socket/websocket", M.query(query)) }
  for _, name in ipairs(sorted(all)) do
    lines[#lines + 1] = name .. ": " .. all[name]
  end
  return table.concat(lines, "\r\n") .. "\r\n\r\n"
end

--- The bytes of a request with a body, or without one.
function M.http_request(method, path, query, headers, body)
  local all = { ["Host"] = "127.0.0.1" }
  if body then all["Content-Length"] = #body end
  for name, value in pairs(headers) do all[name] = value end
  local lines = { ("%s %s?%s HTTP/1.1"):format(method, path, M.query(query)) }
  for _, name in ipairs(sorted(all)) do
    lines[#lines + 1] = name .. ": " .. all[name]
  end
  return table.concat(lines, "\r\n") .. "\r\n\r\n" .. (body or "")
end

--- Cuts a response in `{status, headers, body}`; nil while its head is not whole.
function M.response(bytes)
  local head, body = bytes:match "^(.-\r\n)\r\n(.*)$"
  if not head then
    return nil
  end
  local status = tonumber(head:match "^HTTP/1%.1 (%d%d%d) ")
  local response = { status = status, headers = {}, body = body }
  for name, value in head:gmatch "\r\n([^:\r\n]+): ([^\r\n]*)" do
    response.headers[name:lower()] = value
  end
  return response
end

--- A frame out of what the codec's `next` returned, or nil.
function M.frame(kind, data, reason)
  if kind == "close" then
    return { kind = kind, code = data, reason = reason }
  elseif kind then
    return { kind = kind, data = data }
  end
end

return M
