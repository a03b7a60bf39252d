--- The request that nginx has in hand: its head as the endpoint knows heads, and plain answers.

local light_thread = require "presence.nginx.light_thread"

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

--- Answers as it is told.
---@param status integer
---@param headers table<string, string>
---@param body string
function M.respond(status, headers, body)
  ngx.status = status
  for name, value in pairs(headers) do
    ngx.header[name] = value
  end
  ngx.header["Content-Length"] = #body
  ngx.print(body)
end

--- Answers with a line of plain text.
---@param status integer
---@param reason any
---@param headers table<string, string>|nil
function M.answer(status, reason, headers)
  local all = { ["Content-Type"] = "text/plain; charset=utf-8" }
  for name, value in pairs(headers or {}) do
    all[name] = value
  end
  M.respond(status, all, tostring(reason) .. "\n")
end

-- A body that nginx has put into a file comes out of the system's cache: it was just written.
local function read_file(path)
  local file = io.open(path, "rb")
  local text = file and file:read "*a"
  if file then
    file:close()
  end
  return text
end

--- The body of the request in hand. Its length is known, and what the caller will take.
---@param timeout_s number
---@return string|nil body nil: it did not come in time, or was lost
function M.read_body(timeout_s)
  local sem = light_thread.take_semaphore()
  local reader = ngx.thread.spawn(function()
    ngx.req.read_body()
    sem:post()
  end)
  local is_read = sem:wait(timeout_s)
  if not is_read then
    ngx.thread.kill(reader)
    return nil
  end
  light_thread.give_semaphore(sem)
  local file = ngx.req.get_body_file()
  if file then
    return read_file(file)
  end
  return ngx.req.get_body_data() or ""
end

return M
