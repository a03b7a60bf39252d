#!/usr/bin/env bash
# Runs every suite, or those that are named: scripts/test.sh [suite…]
#
# A name also stands for all that begin with it and a dash: `unit` is unit-lua5.4 and unit-luajit.
# Each suite shows its own output. What it counted is read from that output; a suite that could not
# run, that crashed, or that counted nothing is a failure. The closing line alone on its line is
# `N passed, N failed`, summed over all suites.
set -uo pipefail
cd "$(dirname "$0")/.." || exit

suites=(c c-sanitize c-clang c-tiny c-tsan c-lua c-valgrind fuzz
  unit-lua5.4 unit-luajit
  contract-lua5.4 contract-luajit bugs-lua5.4 bugs-luajit nginx
  valgrind-lua5.4 gc0-lua5.4 install house bench e2e e2e-nginx)
# Run when they are named, to keep the whole short: specs that also run on another interpreter or in
# another build.
named_only=(unit-sanitize valgrind-luajit gc0-luajit)
time_limit_s=${SUITE_TIME_LIMIT_S:-600}
logs=$PWD/build/test-logs

# --- counting: each reads a log and prints "passed failed pending" ------------------------------

# cmocka's own counts, program by program; a program that failed without one counts as one failure.
count_cmocka() {
  awk '
    function close_program() {
      if (in_program && bad && failed_here == 0) failed++
      in_program = 1; bad = 0; failed_here = 0
    }
    /^== program / { close_program() }
    /^== exit [^0]/ { bad = 1 }
    match($0, /\[  PASSED  \] [0-9]+ test/) { split(substr($0, RSTART), w, " "); passed += w[4] }
    match($0, /\[  FAILED  \] [0-9]+ test/) { split(substr($0, RSTART), w, " "); failed += w[4]; failed_here += w[4] }
    END { close_program(); print passed + 0, failed + 0, 0 }' "$1"
}

count_busted() {
  awk '
    / success(es)? \/ [0-9]+ failures? \/ [0-9]+ errors? \/ [0-9]+ pending/ {
      passed += $1; failed += $4 + $7; pending += $10
    }
    END { print passed + 0, failed + 0, pending + 0 }' "$1"
}

count_fuzz() {
  awk '
    /^ok / { passed++ }
    /^FAILED / { failed++ }
    END { print passed + 0, failed + 0, 0 }' "$1"
}

count_node() {
  awk '
    /^# pass / { passed += $3 }
    /^# (fail|cancelled) / { failed += $3 }
    /^# (skipped|todo) / { pending += $3 }
    END { print passed + 0, failed + 0, pending + 0 }' "$1.tap"
}

# --- running -----------------------------------------------------------------------------------

# c_programs TREE [wrapper…]: each test program, by name, so that the wrapper may be valgrind: one for
# each spec/c/test_*.c, or those that the array `programs` names. As many at a time as there are
# processors; what they print is shown program by program.
programs=()
c_programs() {
  local tree=$1 out name failed names=("${programs[@]}")
  shift
  shopt -s nullglob
  if [ ${#names[@]} -eq 0 ]; then
    for name in spec/c/test_*.c; do names+=("$(basename "$name" .c)"); done
  fi
  if [ ${#names[@]} -eq 0 ]; then
    echo "no C tests: spec/c/test_*.c"
    return 1
  fi
  out=$(mktemp -d)
  # shellcheck disable=SC2016  # the inner shell's own arguments
  printf '%s\n' "${names[@]}" | xargs -P "$(nproc)" -I{} bash -c '
    out=$1 tree=$2 name=$3
    shift 3
    "$@" "$tree/$name" >"$out/$name" 2>&1
    echo "== exit $?" >>"$out/$name"' _ "$out" "$tree" {} "$@"
  for name in "${names[@]}"; do
    echo "== program $name"
    cat "$out/$name" || echo "== exit 1, it left nothing"
  done
  failed=$(grep -L -x '== exit 0' -r "$out" | wc -l)
  rm -rf "$out"
  [ "$failed" -eq 0 ]
}

# lua_specs INTERPRETER PATH…: busted under a named interpreter.
lua_specs() {
  local interpreter=$1 specs
  shift
  for specs in "$@"; do
    case $specs in --*) continue ;; esac
    if [ -z "$(find "$specs" -name '*_spec.lua' -print -quit)" ]; then
      echo "no specs in $specs"
      return 1
    fi
  done
  "$interpreter" /usr/bin/busted --output=plainTerminal "$@"
}

sanitized_lua() {
  # The interpreter is not instrumented, so the runtime comes first by preloading; what lua itself
  # leaves at exit is not ours to judge, and the C suites look for leaks. A small quarantine, for
  # there are specs that look at the size of the process.
  LD_PRELOAD="$(cc -print-file-name=libasan.so) $(cc -print-file-name=libubsan.so)" \
    ASAN_OPTIONS=detect_leaks=0:abort_on_error=1:quarantine_size_mb=4 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 \
    lua5.4 "$@"
}

# node_tests SUITE FOLDER…: the .mjs files of each folder.
node_tests() {
  shopt -s nullglob
  local suite=$1 files=() folder
  shift
  for folder in "$@"; do
    local found=("$folder"/*.mjs)
    if [ ${#found[@]} -eq 0 ]; then
      echo "no end-to-end tests: $folder/*.mjs"
      return 1
    fi
    files+=("${found[@]}")
  done
  local options=(--test-reporter=spec --test-reporter-destination=stdout
    --test-reporter=tap --test-reporter-destination="$logs/$suite.log.tap")
  if node --help | grep -e --test-concurrency >/dev/null; then options+=(--test-concurrency=1); fi
  node --test "${options[@]}" "${files[@]}"
}

# Also nodes of two and of four slots.
run_c() {
  local source
  for source in spec/c/test_*.c; do programs+=("$(basename "$source" .c)"); done
  programs+=(test_core_{model,trie,entry,memory}_{2,4}way)
  bash scripts/build.sh default tests && c_programs build
}
run_c-sanitize() { bash scripts/build.sh sanitize tests && c_programs build/sanitize; }
run_c-clang() { bash scripts/build.sh clang tests && c_programs build/clang; }
run_c-tiny() { bash scripts/build.sh tiny tests && c_programs build/tiny; }
run_c-tsan() {
  programs=(test_core_threads test_core_heap test_core_state test_core_memory)
  bash scripts/build.sh tsan tests && PRESENCE_COUNT=10000 c_programs build/tsan
}
run_c-lua() {
  local source name
  for source in spec/c/lua/test_*.c; do
    name=$(basename "$source" .c)
    programs+=("${name}_lua54" "${name}_luajit")
  done
  bash scripts/build.sh sanitize tests && c_programs build/sanitize
}
run_fuzz() { bash scripts/fuzz.sh 20; }
run_c-valgrind() {
  bash scripts/build.sh default tests &&
    PRESENCE_STEPS=150 PRESENCE_COUNT=10000 PRESENCE_STRIDE=7 c_programs build \
      valgrind --quiet --leak-check=full --errors-for-leak-kinds=definite,indirect,possible --error-exitcode=99
}
run_unit-lua5.4() { bash scripts/build.sh && lua_specs lua5.4 spec/unit; }
run_unit-luajit() { bash scripts/build.sh && lua_specs luajit spec/unit; }
run_unit-sanitize() {
  bash scripts/build.sh sanitize tests && BUILD=$PWD/build/sanitize && . scripts/env.sh && lua_specs sanitized_lua spec/unit
}
run_contract-lua5.4() { bash scripts/build.sh && lua_specs lua5.4 spec/contract; }
run_contract-luajit() { bash scripts/build.sh && lua_specs luajit spec/contract; }
run_bugs-lua5.4() { bash scripts/build.sh && lua_specs lua5.4 spec/bugs; }
run_bugs-luajit() { bash scripts/build.sh && lua_specs luajit spec/bugs; }

# What exercises C, for checkers that are slow; models at a small size. Left out is what measures the
# memory of the whole process, which a checker takes for itself. Each object in C is a block of its
# own.
c_specs=(spec/unit/{pure,pure_diff,pure_entry,pure_json,pure_misuse,owner,lifetime}_spec.lua
  spec/unit/{core_net,core_text,channel,tracker}_spec.lua)
checked_specs() {
  bash scripts/build.sh memcheck && BUILD=$PWD/build/memcheck && . scripts/env.sh &&
    PRESENCE_EDITS=300 PRESENCE_SEEDS=2 lua_specs "$@" "${c_specs[@]}" --filter-out='fragments of one byte hold'
}
# The interpreters of Debian are clean under memcheck, so nothing is suppressed; LuaJIT only without
# its compiler, whose code memcheck cannot follow.
memcheck() {
  valgrind --quiet --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite \
    --num-callers=30 --error-exitcode=99 "$@"
}
memcheck_lua() { memcheck lua5.4 "$@"; }
memcheck_luajit() { memcheck luajit -joff "$@"; }
run_valgrind-lua5.4() { checked_specs memcheck_lua spec/unit/model_spec.lua; }
run_valgrind-luajit() { checked_specs memcheck_luajit spec/unit/model_spec.lua; }
# To walk by pages allocates in Lua only, and much.
# What was freed is overwritten at once (MALLOC_PERTURB_ of glibc), so that nobody reads on in it.
eager_specs() { MALLOC_PERTURB_=165 checked_specs "$1" --helper=spec/eager_collector.lua --filter-out='^page '; }
run_gc0-lua5.4() { eager_specs lua5.4; }
run_gc0-luajit() { eager_specs luajit; }

run_nginx() { bash scripts/build.sh && lua_specs lua5.4 spec/nginx; }
run_install() { bash scripts/build.sh && lua_specs lua5.4 spec/install; }
run_house() { bash scripts/build.sh default tests && lua_specs lua5.4 spec/house_spec.lua spec/house; }
run_bench() { bash scripts/build.sh && lua_specs lua5.4 spec/bench; }
run_e2e() { bash scripts/build.sh && node_tests e2e spec/e2e; }
run_e2e-nginx() {
  bash scripts/build.sh &&
    PRESENCE_SERVER_CMD=scripts/demo-nginx.sh PRESENCE_WIRE_CMD="lua5.4 spec/nginx/wire_server.lua" \
      node_tests e2e-nginx spec/e2e spec/nginx
}

describe() {
  case $1 in
    c) echo "C tests" ;;
    c-sanitize) echo "C tests under AddressSanitizer and UndefinedBehaviorSanitizer" ;;
    c-clang) echo "C tests, compiled by clang" ;;
    c-tiny) echo "C tests, nodes of two slots, under both sanitizers" ;;
    c-tsan) echo "C tests with atomic counts, several threads among them, under ThreadSanitizer" ;;
    c-lua) echo "C tests of the binding with Lua 5.4 and LuaJIT: memory that fails, under both sanitizers" ;;
    fuzz) echo "the fuzz corpus again, then 20 s of each target" ;;
    c-valgrind) echo "C tests under valgrind" ;;
    unit-sanitize) echo "specs of spec/unit under Lua 5.4, the C module under both sanitizers" ;;
    nginx) echo "specs of spec/nginx inside real nginx workers" ;;
    install) echo "make install, the rock and the Debian package, used and removed" ;;
    house) echo "the rules of the house" ;;
    bench) echo "bench-server at a small scale, and that it complains" ;;
    e2e) echo "end to end: Node and a browser against real servers" ;;
    e2e-nginx) echo "end to end: the same, and reloads, against nginx" ;;
    valgrind-*) echo "specs that exercise C, under valgrind" ;;
    gc0-*) echo "specs that exercise C, while the collector never rests" ;;
    *-lua5.4) echo "specs of spec/${1%-*} under Lua 5.4" ;;
    *-luajit) echo "specs of spec/${1%-*} under LuaJIT" ;;
  esac
}

counter_of() {
  case $1 in
    c | c-*) echo count_cmocka ;;
    fuzz) echo count_fuzz ;;
    e2e | e2e-*) echo count_node ;;
    *) echo count_busted ;;
  esac
}

total_passed=0 total_failed=0 summary="" suite_pid=""

run_suite() {
  local name=$1 log=$logs/$1.log started=$EPOCHREALTIME code passed failed pending note=
  echo
  echo "=== $name: $(describe "$name")"
  rm -f "$log.tap"
  : >"$log"
  # `timeout` makes the suite a process group, so that one that hangs is ended with all it started.
  timeout --kill-after=10 "$time_limit_s" bash scripts/test.sh --run "$name" </dev/null >"$log" 2>&1 &
  suite_pid=$!
  tail -n +1 -s 0.1 --pid=$suite_pid -f "$log" &
  local tail_pid=$!
  wait $suite_pid
  code=$?
  wait $tail_pid
  suite_pid=
  read -r passed failed pending < <("$(counter_of "$name")" "$log" 2>/dev/null || echo 0 0 0)
  : "${passed:=0}" "${failed:=0}" "${pending:=0}"
  if [ "$code" -eq 124 ] || [ "$code" -eq 137 ]; then
    failed=$((failed + 1)) note=", ended after $time_limit_s s"
  elif [ "$code" -ne 0 ] && [ "$failed" -eq 0 ]; then
    failed=1 note=", could not run to its end (exit $code)"
  elif [ $((passed + failed)) -eq 0 ]; then
    failed=1 note=", counted no test"
  fi
  if [ "$pending" -ne 0 ]; then note="$note, $pending pending"; fi
  total_passed=$((total_passed + passed)) total_failed=$((total_failed + failed))
  local line
  line=$(LC_ALL=C awk -v n="$name" -v p="$passed" -v f="$failed" -v note="$note" -v a="$started" -v b="$EPOCHREALTIME" \
    'BEGIN { printf "%-16s %6d passed %4d failed %7.1f s%s", n, p, f, b - a, note }')
  echo "--- $line"
  summary="$summary$line"$'\n'
}

# --- which suites ------------------------------------------------------------------------------

if [ "${1:-}" = --count ]; then # --count SUITE LOG, for the spec of this script
  "$(counter_of "$2")" "$3"
  exit $?
elif [ "${1:-}" = --run ]; then
  . scripts/env.sh
  "run_$2"
  exit $?
fi

selected=()
if [ $# -eq 0 ]; then selected=("${suites[@]}"); fi
for suite in "${suites[@]}" "${named_only[@]}"; do
  for wanted in "$@"; do
    case $suite in "$wanted" | "$wanted"-*) selected+=("$suite") && break ;; esac
  done
done
if [ ${#selected[@]} -eq 0 ]; then
  echo "no suite is called '$*'; there are: ${suites[*]} ${named_only[*]}" >&2
  exit 2
fi

trap 'if [ -n "$suite_pid" ]; then kill "$suite_pid"; fi; exit 130' INT TERM HUP
mkdir -p "$logs"
started=$EPOCHREALTIME
for suite in "${selected[@]}"; do run_suite "$suite"; done
echo
printf '%s' "$summary"
LC_ALL=C awk -v a="$started" -v b="$EPOCHREALTIME" 'BEGIN { printf "all suites: %.1f s\n", b - a }'
echo
echo "$total_passed passed, $total_failed failed"
[ "$total_failed" -eq 0 ]
