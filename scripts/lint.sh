#!/usr/bin/env bash
# Every linter, to its end; fails when one of them complained. Changes nothing.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
complaints=()

check() {
  local name=$1
  shift
  echo "=== $name"
  if ! "$@"; then complaints+=("$name"); fi
}

lua_files() { git ls-files --cached --others --exclude-standard '*.lua' '*.rockspec'; }
c_files() { git ls-files --cached --others --exclude-standard 'src/*.[ch]' 'spec/c/*.[ch]' 'spec/fuzz/*.[ch]' 'spec/install/*.[ch]' 'bench/*.[ch]'; }

# Both interpreters must be able to read every file.
lua_syntax() { lua_files | xargs "$1" scripts/syntax.lua; }

clang_format() { c_files | xargs clang-format --dry-run -Werror; }

# Only what the compile database knows: the flags of each file decide what clang-tidy sees.
clang_tidy() {
  bash scripts/build.sh default tests >/dev/null || return 1
  c_files | grep '\.c$' | while read -r file; do
    if grep -q "\"file\": \"$PWD/$file\"" build/compile_commands.json; then echo "$file"; fi
  done | xargs -P "$(nproc)" -n 4 clang-tidy -p build --quiet 2> >(grep -v 'warnings\? \(generated\|treated\)' >&2)
}

check luacheck luacheck --quiet .
check "syntax, Lua 5.4" lua_syntax lua5.4
check "syntax, LuaJIT" lua_syntax luajit
check clang-format clang_format
check clang-tidy clang_tidy
check shellcheck shellcheck -x scripts/*.sh spec/install/*.sh .ci/run

echo
if [ ${#complaints[@]} -ne 0 ]; then
  printf 'lint: complaints by %s\n' "${complaints[*]}"
  exit 1
fi
echo "lint: clean"
