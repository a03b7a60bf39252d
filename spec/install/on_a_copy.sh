#!/bin/sh
# Runs a command on a copy of this machine that vanishes with it: what it changes in /usr, /etc and
# /var is seen by itself alone. Takes root, mount namespaces and overlayfs; says so where they lack.
#
#   sh spec/install/on_a_copy.sh command argument…
set -eu

if [ "${1:-}" != --inside ]; then
  if [ "$(id -u)" -ne 0 ]; then
    echo "Installing for the whole machine is tested as root: run this suite by sudo." >&2
    exit 1
  fi
  if ! unshare --mount true; then
    echo "Installing for the whole machine is tested on a copy of it, which takes mount namespaces;" >&2
    echo "'unshare --mount' is refused here." >&2
    exit 1
  fi
  layers=$(mktemp -d)
  status=0
  unshare --mount sh "$0" --inside "$layers" "$@" || status=$?
  rmdir "$layers"
  exit $status
fi
layers=$2
shift 2

mount -t tmpfs layers "$layers"
for folder in usr etc var; do
  mkdir "$layers/$folder" "$layers/$folder.work"
  mount -t overlay overlay "/$folder" \
    -o "lowerdir=/$folder,upperdir=$layers/$folder,workdir=$layers/$folder.work"
done
# Not what somebody has installed here.
dpkg --purge lua-presence >/dev/null 2>&1 || true
rm -rf /usr/local/share/lua/*/presence /usr/local/lib/lua/*/presence
"$@"
