#!/usr/bin/env bash
# Installs what build/ holds, or removes it: scripts/install.sh install|uninstall
#
# PREFIX (/usr/local) is where it is to be used, DESTDIR a folder before that, for packagers.
# `uninstall` removes the files that this tree would install there, and folders that are empty then.
set -euo pipefail
start=$PWD
cd "$(dirname "$0")/.."
prefix=${PREFIX:-/usr/local} destdir=${DESTDIR:-}
case $prefix in /*) ;; *) prefix=$start/$prefix ;; esac
case $destdir in '' | /*) ;; *) destdir=$start/$destdir ;; esac
if [ "$prefix" != / ]; then prefix=${prefix%/}; fi

# Where files go within a prefix is a matter of configuration, for /usr is not like the others.
configured=$(sed -n 's/^CMAKE_INSTALL_PREFIX:[A-Z]*=//p' build/CMakeCache.txt)
if [ "$configured" != "$prefix" ]; then
  cmake -S . -B build -DCMAKE_INSTALL_PREFIX="$prefix" >/dev/null
fi

# A C program finds libpresence.so in the system's own folders by the loader's cache.
refresh_loader() {
  case $destdir$prefix in /usr | /usr/local) ;; *) return 0 ;; esac
  if [ "$(id -u)" -eq 0 ] && command -v ldconfig >/dev/null; then ldconfig; fi
}

case ${1:-} in
  install)
    DESTDIR=$destdir cmake --install build
    refresh_loader
    ;;
  uninstall)
    stage=$(mktemp -d)
    trap 'rm -rf "$stage"' EXIT
    DESTDIR=$stage cmake --install build >/dev/null
    cd "$stage$prefix"
    find . ! -type d | while read -r file; do
      if [ -e "$destdir$prefix/$file" ] || [ -L "$destdir$prefix/$file" ]; then
        echo "-- Removing: $destdir$prefix/${file#./}"
        rm -f "$destdir$prefix/$file"
      fi
    done
    # Not lib, share and include themselves.
    find . -mindepth 2 -depth -type d | while read -r folder; do
      rmdir "$destdir$prefix/$folder" 2>/dev/null || true
    done
    refresh_loader
    ;;
  *)
    echo "usage: $0 install|uninstall" >&2
    exit 2
    ;;
esac
