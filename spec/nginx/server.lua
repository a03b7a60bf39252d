--- Debian's nginx for specs: in a folder of its own under the temporary directory, on a free port,
-- always stopped.

local uv = require "luv"

-- busted forgets what a file of specs has loaded, and luv breaks when a Lua state loads it again.
package.preload.luv = package.preload.luv or function() return uv end

local M = {}

local modules = "/usr/lib/nginx/modules/"
local patience_s = 10

local Server = {}
Server.__index = Server

local function write_file(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

local function read_file(path)
  local file = io.open(path)
  local text = file and file:read "*a" or ""
  if file then
    file:close()
  end
  return text
end

--- A port of 127.0.0.1 on which nobody listens.
---@return integer
function M.free_port()
  local probe = uv.new_tcp()
  assert(probe:bind("127.0.0.1", 0))
  local port = probe:getsockname().port
  probe:close()
  return port
end

--- Lets libuv run until `condition()` is true or the time is up.
---@return boolean
function M.wait_until(condition, timeout_s)
  local deadline = uv.hrtime() + (timeout_s or patience_s) * 1e9
  local timer = uv.new_timer()
  timer:start(10, 10, function() end)
  while not condition() and uv.hrtime() < deadline do
    uv.run "once"
  end
  timer:close()
  return condition() and true or false
end

-- Everything that this tree's modules need, for a worker of whatever user.
local template = [[
load_module %sndk_http_module.so;
load_module %sngx_http_lua_module.so;
daemon off;
%s
pid %s/nginx.pid;
error_log %s/error.log info;
worker_processes %d;
env LIMITS;
%s
events { worker_connections %d; }
http {
  access_log off;
  client_body_temp_path %s/body;
  proxy_temp_path %s/proxy;
  fastcgi_temp_path %s/fastcgi;
  uwsgi_temp_path %s/uwsgi;
  scgi_temp_path %s/scgi;
  lua_package_path "%s/%s?.lua;%s/?.lua;%s/lua/?.lua;%s/lua/?/init.lua;;";
  lua_package_cpath "%s/lib/lua/5.1/?.so;;";
%s
}
]]

-- nginx warns when it is to have more connections than files.
local function open_files_limit()
  local pipe = assert(io.popen "ulimit -n")
  local limit = tonumber(pipe:read "*l") or 30000
  pipe:close()
  return math.min(limit, 30000)
end

local function configuration(self, http, main, folder_of_app, workers)
  local root = uv.cwd()
  local build = os.getenv "BUILD" or root .. "/build"
  local folder = self.folder
  local user = uv.getuid() == 0 and "user root;" or ""
  return template:format(modules, modules, user, folder, folder, workers or 1, main or "",
    open_files_limit(), folder, folder, folder, folder, folder, root, folder_of_app or "", root,
    root, root, build, http)
end

--- The file of the error log, whole.
---@return string
function Server:log()
  return read_file(self.folder .. "/error.log")
end

--- Lines of the error log that are worse than a notice.
---@return string[]
function Server:complaints()
  local complaints = {}
  for line in self:log():gmatch "[^\n]+" do
    if line:find "%[warn%]" or line:find "%[error%]" or line:find "%[crit%]"
      or line:find "%[alert%]" or line:find "%[emerg%]" then
      complaints[#complaints + 1] = line
    end
  end
  return complaints
end

--- Pids of the workers, old ones that are still ending included.
---@return integer[]
function Server:workers()
  local found = {}
  local pipe = assert(io.popen("ps --ppid " .. self.pid .. " -o pid="))
  for pid in pipe:read("*a"):gmatch "%d+" do
    found[#found + 1] = tonumber(pid)
  end
  pipe:close()
  return found
end

---@param name string "hup", "quit", …
function Server:signal(name)
  assert(self.handle:kill("sig" .. name))
end

--- Stops gracefully and removes the folder; true when it ended in time by itself.
---@param before_removal fun()|nil called when it has ended, and its log is still there
---@return boolean
function Server:stop(before_removal)
  if self.handle and not self.exited then
    self:signal "quit"
    self.was_graceful = M.wait_until(function() return self.exited end)
    if not self.was_graceful then
      self:signal "term"
      if not M.wait_until(function() return self.exited end, 3) then
        for _, pid in ipairs(self:workers()) do
          uv.kill(pid, "sigkill")
        end
        self:signal "kill"
        M.wait_until(function() return self.exited end, 3)
      end
    end
  end
  if before_removal then
    before_removal()
  end
  os.execute("rm -rf '" .. self.folder .. "'")
  uv.run "nowait" -- what was closed is closed
  return self.was_graceful
end

local function environment_with(more)
  local all = {}
  for name, value in pairs(uv.os_environ()) do
    all[#all + 1] = name .. "=" .. (more[name] or value)
  end
  for name, value in pairs(more) do
    if not os.getenv(name) then
      all[#all + 1] = name .. "=" .. value
    end
  end
  return all
end

local function accepts(port)
  local client, state = uv.new_tcp(), nil
  client:connect("127.0.0.1", port, function(err)
    state = err or "connected"
    client:close()
  end)
  M.wait_until(function() return state end, 1)
  return state == "connected"
end

--- One request of HTTP/1.0; the body of its answer, and its status.
---@param path string
---@return string body
---@return integer|nil status
function Server:get(path, timeout_s)
  local client, parts, over = uv.new_tcp(), {}, false
  client:connect("127.0.0.1", self.port, function(err)
    if err then
      over = true
      return
    end
    client:write("GET " .. path .. " HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
    client:read_start(function(_, data)
      parts[#parts + 1] = data
      over = not data
    end)
  end)
  M.wait_until(function() return over end, timeout_s)
  client:close()
  local answer = table.concat(parts)
  return answer:match "\r\n\r\n(.*)$" or "", tonumber(answer:match "^HTTP/1%.%d (%d+)")
end

--- A server that something else has started, for `get`.
---@param port integer
function M.at(port)
  return setmetatable({ port = port }, Server)
end

--- Starts nginx. `http` is what goes into its http block; `$port` in it is the port. Raises when it
--- does not come up.
---@param http string
---@param main string|nil directives of the main context
---@param environment table<string, string>|nil more of it, for `env` in `main`
---@param folder_of_app string|nil of this tree, with its slash: where `app` is
---@param workers integer|nil default 1
---@param port integer|nil default: any free one
function M.start(http, main, environment, folder_of_app, workers, port)
  local self = setmetatable({ port = port or M.free_port() }, Server)
  self.folder = assert(uv.fs_mkdtemp((os.getenv "TMPDIR" or "/tmp") .. "/presence-nginx-XXXXXX"))
  http = http:gsub("%$port", tostring(self.port))
  write_file(self.folder .. "/nginx.conf", configuration(self, http, main, folder_of_app,
    workers))
  local err_file = assert(uv.fs_open(self.folder .. "/stderr", "w", 420))
  -- A spec that crashes must not leave it behind.
  local handle, pid = uv.spawn("setpriv", {
    args = { "--pdeathsig", "TERM", "nginx", "-e", self.folder .. "/error.log",
      "-p", self.folder, "-c", self.folder .. "/nginx.conf" },
    stdio = { nil, err_file, err_file },
    env = environment_with(environment or {}),
  }, function()
    self.exited = true
    self.handle:close()
  end)
  uv.fs_close(err_file)
  self.handle, self.pid = handle, pid
  if not handle then
    self:stop()
    error("nginx cannot be started: " .. tostring(pid))
  end
  M.wait_until(function() return self.exited or accepts(self.port) end)
  if self.exited then
    local said = read_file(self.folder .. "/stderr") .. self:log()
    self:stop()
    error("nginx did not start:\n" .. said)
  end
  return self
end

return M
