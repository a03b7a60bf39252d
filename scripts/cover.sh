#!/usr/bin/env bash
# Which branches of src/text, src/core and src/net do the C tests and the fuzz corpus reach?
#
# Prints branches and MC/DC file by file (clang's source-based coverage) and fails when a branch is
# missed that spec/c/uncovered.txt does not explain. Details of a file:
#   llvm-cov-19 show … as printed at the end.
set -euo pipefail
cd "$(dirname "$0")/.."
tree=build/cover profiles=build/cover/profiles

bash scripts/build.sh cover
rm -rf "$profiles"
mkdir -p "$profiles"
export LLVM_PROFILE_FILE=$PWD/$profiles/%m-%p.profraw
# Random tests take this seed, so that a branch is not reached by chance.
export PRESENCE_SEED=1

objects=()
run() {
  local program=$tree/$1
  shift
  if ! timeout 300 "$program" "$@" >"$tree/run.log" 2>&1; then
    cat "$tree/run.log"
    echo "$program failed: its coverage means nothing" >&2
    exit 1
  fi
  objects+=(-object "$program")
}
for source in spec/c/test_*.c; do run "$(basename "$source" .c)"; done
for source in spec/fuzz/fuzz_*.c; do
  name=$(basename "$source" .c)
  run "$name" "spec/fuzz/corpus/${name#fuzz_}"/*
done

llvm-profdata-19 merge -sparse "$profiles"/*.profraw -o "$tree/all.profdata"
sources=(src/text/*.[ch] src/core/*.[ch] src/net/*.[ch])
llvm-cov-19 export "${objects[@]}" -instr-profile="$tree/all.profdata" -sources "${sources[@]/#/$PWD/}" \
  >"$tree/coverage.json"
status=0
lua5.4 scripts/cover.lua "$PWD" "$tree/coverage.json" spec/c/uncovered.txt || status=$?
echo "one file, line by line:"
echo "  llvm-cov-19 show -show-branches=count -show-mcdc -instr-profile=$tree/all.profdata \\"
echo "    $(printf -- '-object %s ' "$tree"/test_core_*) -sources $PWD/src/core/trie.c" | tr -s ' ' | fold -s -w 100
exit $status
