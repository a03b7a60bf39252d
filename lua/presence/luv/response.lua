--- The head of an HTTP/1.1 response.

local M = {}

local status_texts = {
  [200] = "OK", [301] = "Moved Permanently", [304] = "Not Modified", [400] = "Bad Request",
  [401] = "Unauthorized", [403] = "Forbidden", [404] = "Not Found", [405] = "Method Not Allowed",
  [408] = "Request Timeout", [410] = "Gone", [411] = "Length Required",
  [413] = "Content Too Large", [426] = "Upgrade Required",
  [429] = "Too Many Requests", [431] = "Request Header Fields Too Large",
  [500] = "Internal Server Error", [503] = "Service Unavailable",
}

--- The reason phrase of a status.
---@param status integer
---@return string
function M.status_text(status)
  return status_texts[status] or "Status " .. status
end

--- A time as HTTP writes it.
---@param time_s number seconds since 1970
---@return string
function M.http_date(time_s)
  return os.date("!%a, %d %b %Y %H:%M:%S GMT", math.floor(time_s)) --[[@as string]]
end

-- A header's value on one line: what an application gives as a reason must not add lines.
local function one_line(value)
  return (tostring(value):gsub("%c+", " "))
end

--- The bytes of a head, its empty line included. Headers go out in the order of their names.
---@param status integer
---@param headers table<string, string|number>
---@return string
function M.head(status, headers)
  local names = {}
  for name in pairs(headers) do
    names[#names + 1] = name
  end
  table.sort(names)
  local lines = { ("HTTP/1.1 %d %s"):format(status, M.status_text(status)) }
  for _, name in ipairs(names) do
    lines[#lines + 1] = name .. ": " .. one_line(headers[name])
  end
  lines[#lines + 1] = "\r\n"
  return table.concat(lines, "\r\n")
end

return M
