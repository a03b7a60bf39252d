--- The default runtime, which the module-level functions act on outside of any process: made at
--- its first use, on nginx's loop inside nginx, else on luv's when luv is there.
local process = require "presence.process"
local runtime = require "presence.runtime"

local M = {}

local default
local configured

--- Set the options of the default runtime, before its first use.
---@param opts table see docs/options.md
function M.configure(opts)
  if type(opts) ~= "table" then
    error("configure: needs a table of options, got " .. type(opts), 2)
  end
  if default then
    error("configure: the default runtime is in use already", 2)
  end
  runtime.merge_options("configure", opts, 2) -- what is wrong is said here, not at the first use
  configured = opts
end

local function make_loop()
  local name = rawget(_G, "ngx") and "nginx" or "luv"
  local found, library = pcall(require, "presence." .. name .. ".loop")
  if not found then
    error("there is no event loop here: install luv (Debian: lua-luv), or make a runtime with "
      .. "presence.new{loop = …}\n" .. tostring(library), 0)
  end
  return library.new()
end

--- The runtime of the process that calls, else the default one.
---@return presence.Runtime
function M.get()
  local current = process.current()
  if current then
    return current.runtime
  end
  if not default then
    local opts = {}
    for name, value in pairs(configured or {}) do
      opts[name] = value
    end
    opts.loop = opts.loop or make_loop()
    default = runtime.new(opts)
  end
  return default
end

return M
