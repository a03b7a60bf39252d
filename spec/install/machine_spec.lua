-- What is installed for the whole machine: found by both interpreters, nginx and the C compiler
-- without a word of configuration, and gone without a trace. On a copy of the machine, see
-- on_a_copy.sh.
local shell = require "spec.install.shell"
local run, quoted = shell.run, shell.quoted

-- Runs in the copy: installs, uses, removes, and compares what lies in /usr before and after.
local script = [[
set -eu
install=$1 remove=$2 folder=$3
files() { find /usr /var/lib/dpkg/info -path '*/__pycache__' -prune -o -print | sort; }
files >"$SCRATCH/before"
eval "$install"
lua5.4 spec/install/use.lua "$folder"
luajit spec/install/use.lua "$folder"
cc -Wall -Werror spec/install/use.c -o "$SCRATCH/use" $(pkg-config --cflags --libs presence)
"$SCRATCH/use"
bash spec/install/use_nginx.sh examples/nginx/minimal.conf "$SCRATCH"
eval "$remove"
files >"$SCRATCH/after"
diff "$SCRATCH/before" "$SCRATCH/after"
echo "nothing is left"
]]

local function on_a_copy(install, remove, folder)
  local scratch = shell.new_folder()
  local output, ok = shell.try("export SCRATCH=" .. quoted(scratch)
    .. "; sh spec/install/on_a_copy.sh sh -c " .. quoted(script)
    .. (" machine %s %s %s"):format(quoted(install), quoted(remove), quoted(folder)))
  run("rm -rf " .. quoted(scratch))
  assert(ok, output)
  assert.matches("\n" .. folder .. "/share/lua/5.4/presence/init.lua\n", output)
  assert.matches("\n" .. folder .. "/share/lua/5.1/presence/init.lua\n", output)
  assert.matches("\n[%d.]+: 0, 1, 2\n", output)
  assert.matches("\nHTTP/1.1 101 Switching Protocols\r?\n", output)
  assert.matches("\nnothing is left\n", output)
end

describe("on this machine", function()
  it("make install needs no prefix and no path", function()
    on_a_copy("make install", "make uninstall", "/usr/local")
  end)

  it("the Debian package installs, works, and leaves nothing when it is removed", function()
    run "rm -f build/deb/*.deb; make deb"
    local package = run("ls build/deb/*.deb"):gsub("%s+$", "")
    assert.matches("^build/deb/lua%-presence_[%d.]+_%w+%.deb$", package)
    local conffiles = run("dpkg-deb --info " .. package)
    assert.matches("Depends: libc6", conffiles)
    assert.matches("Recommends: lua%-cjson, lua%-luv, lua%-luaossl", conffiles)
    assert.is_nil(conffiles:find("conffiles", 1, true))
    on_a_copy("dpkg -i " .. package, "dpkg --purge lua-presence; ! dpkg -s lua-presence 2>&1",
      "/usr")
  end)
end)
