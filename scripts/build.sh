#!/usr/bin/env bash
# Configures (once) and builds a preset of CMakePresets.json:
#
#   scripts/build.sh [default|sanitize|clang|tiny|tsan] [tests]
#   scripts/build.sh fuzz|cover|memcheck|deb
#
# The C tests need cmocka, so only `tests` builds them (and cover, which runs them).
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:-default} tests=${2:-}
case $preset in
  default) tree=build ;;
  *) tree=build/$preset ;;
esac
case $preset in
  fuzz) targets=fuzzers ;;
  tiny | tsan) targets=c_tests ;;
  memcheck) targets="lua54_module luajit_module" ;;
  deb) targets=package ;;
  cover) targets="c_tests fuzzers" tests=tests ;;
  *) targets=all ;;
esac
# The flags of the make that called are not meant for CMake's makefiles.
unset MAKEFLAGS MFLAGS MAKELEVEL || true

cached() { sed -n "s/^$1:[A-Z]*=//p" "$tree/CMakeCache.txt" 2>/dev/null || true; }

configure() {
  log=$(mktemp)
  if ! cmake --preset "$preset" "$@" >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    exit 1
  fi
  rm -f "$log"
}

# A tree that was configured somewhere else (a copied or moved clone) starts afresh; so does one
# whose first configuration failed.
if [ "$(cached CMAKE_HOME_DIRECTORY)" != "$PWD" ] || ! [ -e "$tree/Makefile" ]; then
  if [ "$tests" = tests ]; then
    configure --fresh -DBUILD_TESTING=ON
  else
    configure --fresh -DBUILD_TESTING=OFF
  fi
elif [ "$tests" = tests ] && [ "$(cached BUILD_TESTING)" != ON ]; then
  configure -DBUILD_TESTING=ON
fi
# Only what is compiled, linked or wrong: a build with nothing to do is silent.
# shellcheck disable=SC2086  # one word a target
cmake --build "$tree" -j "$(nproc)" --target $targets 2>&1 | { grep -v -E '^\[ *[0-9]+%\] Built target|^Consolidate ' || true; }
