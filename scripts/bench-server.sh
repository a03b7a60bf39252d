#!/usr/bin/env bash
# Loads the demo's server and measures what it costs: `make bench-server`.
#
#   BENCH="storm churn"           which loads; default: all, about ten minutes a server
#   SERVERS="lua5.4 luajit nginx" which servers; default: all that this machine has
#   SCALE=0.1                     a tenth of the clients and of the time: a try, without targets
#
# The load `floor` is a process that only takes and writes bytes, where the server runs: what the machine
# itself costs. Beside it the rows "by the floor" compare machines of other speeds.
#
# Every load gets a server of its own: `make demo`'s with LIMITS=off, on a free port. With two cores
# or more the server has one and the clients have another. Prints a table, writes
# build/bench/server.json. Exits 1 when something could not be measured, or went wrong.
set -euo pipefail
cd "$(dirname "$0")/.."
all_loads="storm crowds churn fanout fanout-many latency idle slow floor"
loads=${BENCH:-$all_loads} servers=${SERVERS:-lua5.4 luajit nginx} scale=${SCALE:-1}
loads=${loads//,/ } servers=${servers//,/ }
build=${BUILD:-$PWD/build}
out=$build/bench raw=$build/bench/server-raw
load_limit_s=600

fail() {
  echo "bench-server: $1" >&2
  exit 1
}

for load in $loads; do
  case " $all_loads " in *" $load "*) ;; *) fail "no load is called '$load'; there are: $all_loads" ;; esac
done
for server in $servers; do
  case $server in lua5.4 | luajit | nginx) ;; *) fail "no server is called '$server'; there are: lua5.4 luajit nginx" ;; esac
done

# --- what this machine has ---------------------------------------------------------------------

have_nginx_lua() {
  command -v nginx >/dev/null && { [ -e /usr/lib/nginx/modules/ngx_http_lua_module.so ] || nginx -V 2>&1 | grep -q -i -e ngx_lua -e lua-nginx-module; }
}
if [[ " $servers " == *" nginx "* ]] && ! have_nginx_lua; then
  echo "bench-server: nginx with Lua is not here and not measured (Debian: nginx, libnginx-mod-http-lua)" >&2
  servers=" $servers " servers=${servers// nginx / }
fi
on_server_core=() on_load_core=()
if [ "$(nproc)" -ge 2 ] && command -v taskset >/dev/null; then
  on_server_core=(taskset -c 0) on_load_core=(taskset -c 1)
else
  echo "bench-server: server and clients share a core: latencies and times are worth little" >&2
fi
ulimit -n "$(ulimit -Hn)"

# --- a server ----------------------------------------------------------------------------------

server_pid='' scratch=$(mktemp -d)
stop_server() {
  if [ -n "$server_pid" ]; then
    kill -TERM "$server_pid" 2>/dev/null || true
    wait "$server_pid" 2>/dev/null || true
  fi
  server_pid=
}
trap 'stop_server; rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM HUP

free_port() {
  lua5.4 -e 'local uv = require "luv"; local s = uv.new_tcp(); s:bind("127.0.0.1", 0); print(s:getsockname().port)'
}

children_of() { cat "/proc/$1/task/$1/children"; }

# The processes that serve: the interpreter, or nginx's workers.
serving_pids() {
  local pids=$server_pid master
  if [ "$1" = nginx ]; then
    pids=
    for master in $(children_of "$server_pid"); do
      if [ "$(cat "/proc/$master/comm")" = nginx ]; then pids=$(children_of "$master"); fi
    done
  fi
  pids=$(xargs <<<"$pids")
  echo "${pids// /,}"
}

# start_server NAME: sets port; the address comes on a line of its own once connections are accepted.
start_server() {
  local name=$1 i
  export HOST=127.0.0.1 LIMITS=off
  # Nobody is to read the port of the server before this one.
  : >"$scratch/out"
  if [ "$name" = nginx ]; then
    port=$(free_port)
    PORT=$port BUILD=$build "${on_server_core[@]}" bash scripts/demo-nginx.sh >"$scratch/out" 2>"$scratch/err" &
  else
    PORT=0 "${on_server_core[@]}" "$name" examples/chat/main.lua >"$scratch/out" 2>"$scratch/err" &
  fi
  server_pid=$!
  for ((i = 0; i < 200; i++)); do
    port=$(sed -n 's|^http://.*:\([0-9]*\)$|\1|p' "$scratch/out" | head -n 1)
    if [ -n "$port" ]; then return 0; fi
    kill -0 "$server_pid" 2>/dev/null || break
    sleep 0.05
  done
  cat "$scratch/err" >&2
  server_pid=
  return 1
}

measure() {
  local server=$1 load=$2 status=0
  echo "  $server, $load" >&2
  if ! start_server "$server"; then
    echo "bench-server: the server ($server) did not start; above is what it said" >&2
    return 1
  fi
  timeout "$load_limit_s" "${on_load_core[@]}" "$build/bench_load" --port "$port" --pid "$(serving_pids "$server")" \
    --scale "$scale" "$load" >"$raw/$server.$load.tsv" || status=$?
  stop_server
  if [ $status -eq 124 ]; then echo "bench-server: $load took longer than $load_limit_s s and was ended" >&2; fi
  if [ -s "$scratch/err" ]; then
    echo "bench-server: the server ($server) said during $load:" >&2
    head -n 10 "$scratch/err" >&2
  fi
  return $status
}

# --- all ---------------------------------------------------------------------------------------

. scripts/env.sh
unset MAKEFLAGS MFLAGS MAKELEVEL || true
cmake --build "$build" -j "$(nproc)" --target bench_load >"$scratch/log" 2>&1 || { cat "$scratch/log" >&2 && exit 1; }
rm -rf "$raw"
mkdir -p "$raw" "$out"
echo "measuring" >&2
status=0
for server in $servers; do
  for load in $loads; do measure "$server" "$load" || status=1; done
done
LUA_PATH_5_4="$PWD/?.lua;$LUA_PATH_5_4" lua5.4 bench/server/report.lua "$raw" "$out/server.json" "$servers" "$loads" "$scale"
exit $status
