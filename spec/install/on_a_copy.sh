#!/bin/sh
# Runs a command, as root, on a copy of this machine that vanishes with it: what it changes in /usr,
# /etc and /var is seen by itself alone. Needs mount namespaces and overlayfs, which unprivileged
# users have as well where the kernel lets them; says so and fails where it does not.
#
#   sh spec/install/on_a_copy.sh command argument…
set -eu

if [ "${1:-}" != --inside ]; then
  namespaces=--mount
  if [ "$(id -u)" -ne 0 ]; then namespaces="--user --map-root-user --mount"; fi
  # shellcheck disable=SC2086  # one word an option
  if ! unshare $namespaces true; then
    echo "cannot lay a copy over this machine: 'unshare $namespaces' is refused here." >&2
    echo "Installing packages is tested by root, or where the kernel allows user namespaces." >&2
    exit 1
  fi
  layers=$(mktemp -d)
  status=0
  # shellcheck disable=SC2086
  unshare $namespaces sh "$0" --inside "$layers" "$@" || status=$?
  rmdir "$layers"
  exit $status
fi
layers=$2
shift 2

mount -t tmpfs layers "$layers"
for folder in usr etc var; do
  mkdir "$layers/$folder" "$layers/$folder.work"
  options=lowerdir=/$folder,upperdir=$layers/$folder,workdir=$layers/$folder.work
  mount -t overlay overlay -o "$options" "/$folder" 2>/dev/null ||
    mount -t overlay overlay -o "$options,userxattr" "/$folder"
done
# Not what somebody has installed here.
dpkg --purge lua-presence >/dev/null 2>&1 || true
rm -rf /usr/local/share/lua/*/presence /usr/local/lib/lua/*/presence
"$@"
