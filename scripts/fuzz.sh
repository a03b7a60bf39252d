#!/usr/bin/env bash
# Fuzzes the C rooms: scripts/fuzz.sh [seconds] [target…]
#
# Each target of spec/fuzz first gets its corpus again, then is fuzzed for so many seconds (60); two
# run at a time. An input that breaks one is a failure: it is kept in build/fuzz/findings/ and shown.
# Once mended it belongs into spec/fuzz/corpus/<target>/. What the fuzzer finds interesting stays in
# build/fuzz/corpus/ and is where the next run goes on.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
tree=build/fuzz

# Longer inputs are slow and rarely tell more.
max_bytes_of() {
  case $1 in
    state | diff) echo 500 ;;
    websocket) echo 600 ;;
    *) echo 1500 ;;
  esac
}

# fuzz_one TARGET SECONDS: its log ends with what befell it.
fuzz_one() {
  local target=$1 seconds=$2 program=$tree/fuzz_$1 seeds=spec/fuzz/corpus/$1
  local grown=$tree/corpus/$1 limits=(-timeout=20 -rss_limit_mb=2048)
  limits+=(-artifact_prefix="$tree/findings/$target-")
  mkdir -p "$grown"
  echo "== replay"
  nice timeout 60 "$program" "${limits[@]}" "$seeds"/* || return
  if [ "$seconds" -eq 0 ]; then return 0; fi
  echo "== fuzz, $seconds s"
  nice timeout $((seconds + 60)) "$program" "${limits[@]}" -max_total_time="$seconds" \
    -max_len="$(max_bytes_of "$target")" -print_final_stats=1 -verbosity=0 "$grown" "$seeds"
}

show_finding() {
  local target=$1 input
  grep -v -E '^(INFO|#[0-9]|Running|Executed|\*\*\*)' "$tree/logs/$target.log" | tail -n 40
  for input in "$tree/findings/$target-"*; do
    echo "input kept: $input"
    od -A d -t x1z -N 512 "$input"
  done
}

if [ "${1:-}" = --one ]; then
  fuzz_one "$2" "$3" >"$tree/logs/$2.log" 2>&1
  echo "$?" >"$tree/logs/$2.code"
  exit 0
fi

seconds=60
if [ $# -gt 0 ]; then
  seconds=$1
  shift
fi
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
  for source in spec/fuzz/fuzz_*.c; do
    name=${source##*/fuzz_}
    targets+=("${name%.c}")
  done
fi

bash scripts/build.sh fuzz || exit
rm -rf "$tree/findings" "$tree/logs"
mkdir -p "$tree/findings" "$tree/logs"
printf '%s\n' "${targets[@]}" | xargs -P 2 -I '{}' bash scripts/fuzz.sh --one '{}' "$seconds"

passed=0 failed=0
for target in "${targets[@]}"; do
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$tree/logs/$target.log" | tail -n 1)
  seeds=$(find "spec/fuzz/corpus/$target" -type f | wc -l)
  if [ "$(cat "$tree/logs/$target.code" 2>/dev/null)" = 0 ]; then
    passed=$((passed + 1))
    echo "ok     $target: $seeds inputs kept, ${runs:-0} made"
  else
    failed=$((failed + 1))
    echo "FAILED $target"
    show_finding "$target"
  fi
done
echo "fuzz: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
