--- Files of folders, for the pages of an application. Finds what a path means without ever leaving
-- the folder, and says by validators when a browser has it already. Reads with libuv's thread pool:
-- a slow disk holds up nobody else.

local uv = require "luv"
local response = require "presence.luv.response"

local M = {}

local content_types = {
  html = "text/html; charset=utf-8", htm = "text/html; charset=utf-8",
  js = "text/javascript; charset=utf-8", mjs = "text/javascript; charset=utf-8",
  css = "text/css; charset=utf-8", txt = "text/plain; charset=utf-8",
  md = "text/markdown; charset=utf-8", xml = "text/xml; charset=utf-8",
  csv = "text/csv; charset=utf-8", json = "application/json", map = "application/json",
  webmanifest = "application/manifest+json", wasm = "application/wasm", pdf = "application/pdf",
  svg = "image/svg+xml", png = "image/png", jpg = "image/jpeg", jpeg = "image/jpeg",
  gif = "image/gif", webp = "image/webp", avif = "image/avif", ico = "image/x-icon",
  woff = "font/woff", woff2 = "font/woff2", ttf = "font/ttf", otf = "font/otf",
  mp3 = "audio/mpeg", ogg = "audio/ogg", mp4 = "video/mp4", webm = "video/webm",
}

---@class presence.luv.StaticFile
---@field path string absolute, without symbolic links
---@field size integer bytes
---@field headers table<string, string|number> of a response that carries it

---@class presence.luv.Static
---@field private folders_ {prefix: string, root: string}[] longest prefix first
local Static = {}
Static.__index = Static

--- The Content-Type of a file, by its name.
---@param path string
---@return string
function M.content_type(path)
  local extension = path:match "%.([^./]+)$"
  return content_types[(extension or ""):lower()] or "application/octet-stream"
end

-- A path without escapes, or nil: a broken escape, a NUL, a segment that climbs (`..`), or one that
-- begins with a dot (`.git`, `.env`; only `.well-known` is meant for the public).
local function decode_path(path)
  local is_broken = false
  local decoded = path:gsub("%%(.?.?)", function(digits)
    if not digits:match "^%x%x$" then
      is_broken = true
      return ""
    end
    return string.char(tonumber(digits, 16))
  end)
  if is_broken or decoded:find("%z") or decoded:sub(1, 1) ~= "/" then
    return nil
  end
  for segment in decoded:gmatch "[^/]+" do
    if segment:sub(1, 1) == "." and segment ~= ".well-known" then
      return nil
    end
  end
  return decoded
end

local function is_inside(path, root)
  return path == root or root == "/" or path:sub(1, #root + 1) == root .. "/"
end

-- The folder that a path belongs to, and the rest of the path below it.
local function place(self, path)
  for _, folder in ipairs(self.folders_) do
    if folder.prefix == "/" then
      return folder.root, path
    elseif is_inside(path, folder.prefix) then
      return folder.root, path:sub(#folder.prefix + 1)
    end
  end
end

local function etag(stat)
  return ('"%x-%x-%x"'):format(stat.mtime.sec, stat.mtime.nsec, stat.size)
end

local function describe(path, stat)
  return {
    path = path,
    size = stat.size,
    headers = {
      ["Content-Type"] = M.content_type(path),
      ["Content-Length"] = stat.size,
      ["Last-Modified"] = response.http_date(stat.mtime.sec),
      ["ETag"] = etag(stat),
      ["Cache-Control"] = "no-cache", -- keep it, ask whether it has changed
      ["X-Content-Type-Options"] = "nosniff",
    },
  }
end

-- The file's real place, symbolic links followed, or nil when it lies outside of the folder.
local function real_file(await, root, rest)
  local _, path = await(uv.fs_realpath, root .. rest)
  if not path or not is_inside(path, root) then
    return nil
  end
  local _, stat = await(uv.fs_stat, path)
  return path, stat
end

--- What a request path means. Only inside a task.
---@param await fun(fn: function, ...): any, any calls an asynchronous function of libuv, waits
---@param raw_path string as it came, percent escapes and all
---@return presence.luv.StaticFile|nil file nil: there is nothing to serve
---@return integer|nil status 404, or 301 when a folder's name lacks its slash
---@return string|nil location where to go instead
function Static:find(await, raw_path)
  local path = decode_path(raw_path)
  local root, rest
  if path then
    root, rest = place(self, path)
  end
  if not root then
    return nil, 404
  end
  local real, stat = real_file(await, root, rest)
  if stat and stat.type == "directory" then
    if path:sub(-1) ~= "/" then
      -- One slash at the front: two would name another host.
      return nil, 301, "/" .. raw_path:gsub("^/+", "") .. "/"
    end
    real, stat = real_file(await, root, rest .. "index.html")
  elseif rest:sub(-1) == "/" then
    return nil, 404
  end
  if not stat or stat.type ~= "file" then
    return nil, 404
  end
  return describe(real, stat)
end

--- Does the browser have this version of the file? RFC 9110, section 13: If-None-Match counts when
--- it is there, else If-Modified-Since.
---@param file presence.luv.StaticFile
---@param request_headers table<string, string> names in lower case
---@return boolean
function M.is_unchanged(file, request_headers)
  local known = request_headers["if-none-match"]
  if known then
    return known == "*" or known:find(file.headers.ETag, 1, true) ~= nil
  end
  return request_headers["if-modified-since"] == file.headers["Last-Modified"]
end

--- Opens folders to the world.
---@param folders string|table<string, string> one folder, or path prefix → folder
---@return presence.luv.Static|nil
---@return string|nil word "no_folder"
---@return string|nil detail
function M.new(folders)
  local self = setmetatable({ folders_ = {} }, Static)
  for prefix, folder in pairs(type(folders) == "table" and folders or { ["/"] = folders }) do
    local root = uv.fs_realpath(folder)
    local stat = root and uv.fs_stat(root)
    if not stat or stat.type ~= "directory" then
      return nil, "no_folder", "there is no folder " .. folder
    end
    prefix = "/" .. prefix:gsub("^/+", ""):gsub("/+$", "")
    self.folders_[#self.folders_ + 1] = { prefix = prefix, root = root }
  end
  table.sort(self.folders_, function(a, b) return #a.prefix > #b.prefix end)
  return self
end

return M
