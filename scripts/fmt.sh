#!/usr/bin/env bash
# Lays the code out: clang-format for C; for everything else what .editorconfig says of line ends.
set -euo pipefail
cd "$(dirname "$0")/.."
files() { git ls-files --cached --others --exclude-standard "$@"; }

files '*.[ch]' | xargs --no-run-if-empty clang-format -i
# shellcheck disable=SC1003,SC2016  # a script of sed, ending in a\
files '*.lua' '*.rockspec' '*.sh' '*.md' '*.cmake' '*.json' '*.mjs' '*.js' '*.css' '*.html' |
  xargs --no-run-if-empty sed -i -e 's/[ \t\r]*$//' -e '$a\'
