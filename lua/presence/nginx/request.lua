--- The request that nginx has in hand: its head as the endpoint knows heads, and plain answers.

local M = {}

-- One that repeats is one with commas, RFC 9110, section 5.3.
local function headers_of_request()
  local headers = {}
  for name, value in pairs(ngx.req.get_headers(0)) do
    headers[name] = type(value) == "table" and table.concat(value, ", ") or value
  end
  return headers
end

---@class presence.nginx.Head
---@field method string
---@field version string "1.1"
---@field path string
---@field query string raw, without its question mark
---@field headers table<string, string> names in lower case

---@return presence.nginx.Head
function M.head()
  return {
    method = ngx.req.get_method(),
    version = ("%.1f"):format(ngx.req.http_version() or 0),
    path = ngx.var.uri,
    query = ngx.var.args or "",
    headers = headers_of_request(),
  }
end

--- Answers with a line of plain text.
---@param status integer
---@param reason any
---@param headers table<string, string>|nil
function M.answer(status, reason, headers)
  ngx.status = status
  local body = tostring(reason) .. "\n"
  for name, value in pairs(headers or {}) do
    ngx.header[name] = value
  end
  ngx.header["Content-Type"] = "text/plain; charset=utf-8"
  ngx.header["Content-Length"] = #body
  ngx.print(body)
end

return M
