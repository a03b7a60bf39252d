#!/bin/sh
# Installs what a make target needs and this machine lacks, saying what and why.
#
#   scripts/bootstrap.sh make|build|demo|demo-nginx|test|fuzz|cover|mutate|bench|bench-server|lint|fmt|deb
#
# When everything is there it only looks, which takes a fraction of a second. Debian packages come
# by apt-get and never at the cost of an installed one (--no-remove); npm packages come from
# package-lock.json. Without root or sudo it prints what to install and fails.
set -eu
cd "$(dirname "$0")/.."

goal=${1:-build}
missing=
notice=

# --- what there is -----------------------------------------------------------------------------

have() { command -v "$1" >/dev/null 2>&1; }
have_file() { [ -e "$1" ]; }
have_header() { have pkg-config && pkg-config --exists "$1"; }
have_lua_library() { have lua5.4 && have luajit && lua5.4 -l "$1" -e '' 2>/dev/null && luajit -l "$1" -e '' 2>/dev/null; }
have_lua_file() { [ -e "/usr/share/lua/5.1/$1" ] && [ -e "/usr/share/lua/5.4/$1" ]; }
have_busted() { [ -e /usr/bin/busted ] && have_lua_file busted/init.lua; }
have_c_library() { have cc && printf 'int main(void){return 0;}' | cc -x c - -o /dev/null "$@" 2>/dev/null; }
have_fuzzer() { have clang-19 && [ -e "$(clang-19 -print-file-name="libclang_rt.fuzzer-$(uname -m).a")" ]; }
have_llvm_19() { have llvm-cov-19 && have llvm-profdata-19; }
have_chromium() { [ -n "${CHROMIUM:-}" ] || have chromium; }
have_nginx_lua() { [ -e /usr/lib/nginx/modules/ngx_http_lua_module.so ]; }
installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null || true)" = installed ]; }

# want PACKAGE "why" probe…: notes the package when the probe fails.
want() {
  package=$1 why=$2
  shift 2
  if "$@"; then return 0; fi
  case " $missing " in *" $package "*) return 0 ;; esac
  missing="$missing $package"
  notice="$notice
  $(printf '%-20s %s' "$package" "$why")"
}

# Debian's LuaJIT and OpenResty's (luajit2) exclude each other, with their libraries and headers.
# Either one runs this project; the one that is installed, perhaps for another program, stays.
luajit_interpreter=luajit2 luajit_headers=libluajit2-5.1-dev
choose_luajit() {
  have dpkg-query || return 0
  if installed luajit || installed libluajit-5.1-2 || installed libluajit-5.1-common; then
    luajit_interpreter=luajit luajit_headers=libluajit-5.1-dev
  fi
}
say_conflict() {
  case "$luajit_interpreter $missing " in
    luajit\ *\ luajit\ * | luajit\ *\ libluajit*) ;;
    *) return 0 ;;
  esac
  echo "conflict: Debian's LuaJIT (luajit, libluajit-5.1-2) is installed and excludes OpenResty's (luajit2,"
  echo "          libluajit2-5.1-dev). Nothing is removed: Debian's is used. nginx's Lua module needs the other."
}

# --- what each goal needs ----------------------------------------------------------------------

want_make() {
  want make "runs the targets" have make
}
want_build() {
  want_make
  want gcc "compiles the C core" have cc
  want libc6-dev "headers of the C library" have_c_library
  want pkg-config "finds the headers of both Luas" have pkg-config
  want cmake "describes the build" have cmake
  want lua5.4 "interpreter" have lua5.4
  want liblua5.4-dev "headers for the module of Lua 5.4" have_header lua5.4
  want "$luajit_interpreter" "interpreter" have luajit
  want "$luajit_headers" "headers for the module of LuaJIT" have_header luajit
}
want_npm() {
  want nodejs "$1" have node
  want npm "fetches npm packages by package-lock.json" have npm
}
want_demo() {
  want_build
  want lua-luv "event loop and sockets of the stand-alone server" have_lua_library luv
  want lua-luaossl "SHA-1 and random bytes for handshakes" have_lua_library openssl.digest
  want lua-cjson "opens the JSON that channels ask for" have_lua_library cjson
  want_npm "runs npm, which brings phoenix.js to the page"
}
want_nginx() {
  want nginx "$1" have nginx
  want libnginx-mod-http-lua "Lua in nginx" have_nginx_lua
}
want_demo_nginx() {
  want_build
  want lua-cjson "opens the JSON that channels ask for" have_lua_library cjson
  want_nginx "serves the demo"
  want_npm "runs npm, which brings phoenix.js to the page"
}
want_clang_19() {
  want clang-19 "$1" have clang-19
  want libclang-rt-19-dev "its fuzzer, sanitizers and counters" have_fuzzer
}
want_fuzz() {
  want_build
  want_clang_19 "compiles the fuzz targets"
}
want_cover() {
  want_build
  want libcmocka-dev "C tests" have_header cmocka
  want_clang_19 "counts what the C tests reach"
  want llvm-19 "reads those counts" have_llvm_19
  want lua-cjson "opens what it reads" have_lua_library cjson
}
want_mutate() {
  want_build
  want libcmocka-dev "C tests" have_header cmocka
}
want_deb() {
  want_build
  want dpkg-dev "finds what the package depends on (dpkg-shlibdeps)" have dpkg-shlibdeps
  want file "tells programs from other files, for CPack" have file
}
want_test() {
  want_demo
  want_deb
  want luarocks "builds the rock" have luarocks
  want util-linux "tries installations on a copy of the machine (unshare)" have unshare
  want lua-busted "runs the Lua specs" have_busted
  want libcmocka-dev "C tests" have_header cmocka
  want valgrind "C tests under memcheck" have valgrind
  want clang "the C code also compiles clean with clang" have clang
  want_clang_19 "compiles the fuzz targets"
  want_npm "runs the end-to-end tests"
  want chromium "browser of the end-to-end tests" have_chromium
  want_nginx "the specs of the nginx platform run in real workers"
  want redis-server "an example of a channel that asks Redis" have redis-server
}
want_bench() {
  want_build
  want g++ "compiles the maps of C++ that the core is compared with" have c++
  want valgrind "counts instructions (callgrind)" have valgrind
  want libabsl-dev "absl::flat_hash_map, to compare with" have_header absl_flat_hash_map
  want libmimalloc-dev "another allocator under the core" have_file /usr/include/mimalloc.h
  want erlang-base "nested maps of Erlang, to compare with" have erlc
}
# What the demo needs. nginx is measured where it is installed.
want_bench_server() {
  want_demo
}
want_fmt() {
  want clang-format "formats the C code" have clang-format
}
want_lint() {
  want_build
  want_fmt
  want lua-check "lints the Lua code (luacheck)" have luacheck
  want libcmocka-dev "the C tests are linted too" have_header cmocka
  want clang "headers for clang-tidy" have clang
  want clang-tidy "lints the C code" have clang-tidy
  want shellcheck "lints the scripts" have shellcheck
}

# --- installing --------------------------------------------------------------------------------

say_npm_first() {
  case " $missing " in *" npm "*) ;; *) return 0 ;; esac
  echo "notice: npm is missing. Debian's npm package pulls in about 350 further packages. If you would rather"
  echo "        not have them, interrupt now and put a node (18 or later) with npm of your choice on the PATH."
  echo
  if [ -t 0 ] && [ -t 1 ]; then sleep 5; fi
}

give_up() {
  echo
  echo "$1 Install these, then run this again:"
  echo
  echo "  apt-get install --no-install-recommends$missing"
  exit 1
} >&2

as_root=
find_root() {
  have apt-get || give_up "This machine has no apt-get."
  if [ "$(id -u)" -eq 0 ]; then return 0; fi
  have sudo || give_up "Neither root nor sudo is at hand."
  if ! sudo -n true 2>/dev/null && ! [ -t 0 ]; then give_up "sudo asks for a password and there is no terminal."; fi
  as_root=sudo
}

apt() {
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o Dpkg::Use-Pty=0 "$@" </dev/null
}

# Packages with a service (nginx, redis-server) would start it at once. Here only the program is wanted.
policy=/usr/sbin/policy-rc.d
services_held=
hold_services() {
  if [ -e $policy ]; then return 0; fi
  services_held=yes
  trap release_services EXIT
  trap 'exit 130' INT TERM HUP
  printf '#!/bin/sh\nexit 101\n' | $as_root tee $policy >/dev/null
  $as_root chmod +x $policy
}
release_services() {
  if [ -z "$services_held" ]; then return 0; fi
  $as_root rm -f $policy
  services_held=
  trap - EXIT INT TERM HUP
}

# apt_install PACKAGE…: dpkg's hundreds of lines are shown only when it fails.
apt_install() {
  options="--no-remove --no-install-recommends"
  # shellcheck disable=SC2086  # one word an option
  count=$(apt -s install $options "$@" 2>/dev/null | grep -c '^Inst ' || true)
  echo "apt-get install $options $*"
  if [ "$count" -gt "$#" ]; then echo "  $count packages with all that they depend on; this may take some minutes"; fi
  case " $* " in
    *" nginx "* | *" redis-server "*)
      echo "  services of these packages are not started now; the packages enable them for the next boot,"
      echo "  which 'systemctl disable nginx redis-server' undoes"
      hold_services
      ;;
  esac
  log=$(mktemp)
  status=0
  # shellcheck disable=SC2086
  apt -y install $options "$@" >"$log" 2>&1 || status=$?
  release_services
  if [ $status -eq 0 ]; then
    rm -f "$log"
    return 0
  fi
  cat "$log" >&2
  rm -f "$log"
  return 1
}

install_packages() {
  if [ -z "$missing" ]; then return 0; fi
  say_npm_first
  echo "Needed for 'make $goal', and not installed yet:"
  echo "$notice"
  echo
  say_conflict
  find_root
  echo "apt-get update"
  apt update >/dev/null || echo "apt-get update failed; trying with the package lists at hand" >&2
  # shellcheck disable=SC2086  # one word a package
  if ! apt_install $missing; then
    say_conflict >&2
    give_up "apt-get could not install everything without removing packages that are installed."
  fi
}

# The demo needs the page's scripts only; tests need the development packages as well.
install_npm_packages() {
  scope=$1
  if ! [ -f package-lock.json ]; then
    echo "package-lock.json is missing from this tree" >&2
    exit 1
  fi
  stamp=node_modules/.installed-by-lock-file
  wanted=$(cksum <package-lock.json)
  case $(cat $stamp 2>/dev/null || true) in
    "$wanted all" | "$wanted $scope") return 0 ;;
  esac
  omit=--omit=dev
  if [ "$scope" = all ]; then omit=--include=dev; fi
  echo "npm ci: installing npm packages from package-lock.json into node_modules/"
  if [ "$scope" = all ]; then
    echo "  (phoenix.js for the page; a browser driver for the end-to-end tests)"
  else
    echo "  (phoenix.js for the page)"
  fi
  npm ci $omit --no-audit --no-fund --ignore-scripts </dev/null
  echo "$wanted $scope" >$stamp
}

choose_luajit
case $goal in
  make | build | demo | test | fuzz | cover | mutate | bench | lint | fmt | deb) "want_$goal" ;;
  demo-nginx) want_demo_nginx ;;
  bench-server) want_bench_server ;;
  *)
    echo "usage: $0 make|build|demo|demo-nginx|test|fuzz|cover|mutate|bench|bench-server|lint|fmt|deb" >&2
    exit 2
    ;;
esac
install_packages
case $goal in
  demo | demo-nginx | bench-server) install_npm_packages demo ;;
  test) install_npm_packages all ;;
esac
