#!/usr/bin/env bash
# Benchmarks: scripts/bench.sh core
#
# Builds build/bench with PRESENCE_BENCH on, runs everything one after another (some minutes), prints
# a table and writes build/bench/core.json. SIZES="10000 100000" measures fewer sizes.
set -euo pipefail
cd "$(dirname "$0")/.."
[ "${1:-}" = core ] || { echo "usage: $0 core" >&2 && exit 2; }
tree=$PWD/build/bench raw=$PWD/build/bench/raw
sizes=${SIZES:-10000 100000 1000000}
unset MAKEFLAGS MFLAGS MAKELEVEL || true

log=$(mktemp)
if ! { cmake -S . -B "$tree" -DPRESENCE_BENCH=ON -DBUILD_TESTING=OFF && cmake --build "$tree" -j "$(nproc)"; } >"$log" 2>&1; then
  cat "$log" >&2
  rm -f "$log"
  exit 1
fi
rm -rf "$log" "$raw"
mkdir -p "$raw"

BUILD=$tree
. scripts/env.sh
LUA_PATH="$PWD/?.lua;$LUA_PATH" LUA_PATH_5_4="$PWD/?.lua;$LUA_PATH_5_4"

# measure KIND SIZE LAYOUT command…: its rows go to a file of that name.
measure() {
  local file=$raw/$1.$2.$3.tsv
  echo "  $1, $2 presences, $3" >&2
  shift 3
  "$@" >"$file"
}

# callgrind KIND SIZE LAYOUT command…: its dumps go to a folder of that name.
callgrind() {
  local folder=$raw/$1.$2.$3 kind=$1 size=$2 layout=$3
  shift 3
  mkdir "$folder"
  measure "$kind" "$size" "$layout" \
    valgrind --quiet --tool=callgrind --instr-atstart=no --collect-atstart=no \
    --callgrind-out-file="$folder/callgrind.out" "$@" 2>"$folder/log" || { cat "$folder/log" >&2 && return 1; }
}

echo "measuring" >&2
for size in $sizes; do
  for layout in one tens; do
    topics=1
    if [ $layout = tens ]; then topics=$((size / 10)); fi
    callgrind instructions "$size" $layout "$tree/bench_instructions" "$size" $topics
    callgrind instructions-malloc "$size" $layout "$tree/bench_instructions" "$size" $topics malloc
    measure times "$size" $layout "$tree/bench_times" "$size" $topics
    measure lua "$size" $layout lua5.4 bench/core/lua_times.lua "$size" $topics
    measure luajit "$size" $layout luajit bench/core/lua_times.lua "$size" $topics
    measure erlang "$size" $layout erl +S 1:1 -noshell -pa "$tree" -run presence_maps main "$size" $topics
  done
  measure versions "$size" one "$tree/bench_versions" "$size"
done
largest=${sizes##* }
measure pauses "$largest" one lua5.4 bench/core/lua_pauses.lua "$largest"
measure pauses-luajit "$largest" one luajit bench/core/lua_pauses.lua "$largest"
measure live 10000 one lua5.4 bench/core/lua_live.lua
measure live-luajit 10000 one luajit bench/core/lua_live.lua
measure memory 10000 one lua5.4 bench/core/lua_memory.lua
measure memory-luajit 10000 one luajit bench/core/lua_memory.lua

lua5.4 bench/core/report.lua "$raw" "$tree/core.json"
