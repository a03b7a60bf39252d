#!/usr/bin/env bash
# Serves the chat of examples/chat by nginx, in the foreground, from a folder under the temporary
# directory: `make demo-nginx`.
#
# HOST and PORT say where (127.0.0.1, 4000); LIMITS=off lifts the limits on rates, for load tests.
# The address is printed on a line of its own when connections are accepted. INT and TERM stop
# gracefully, which is QUIT to nginx; a second one stops at once.
#
# shellcheck disable=SC2317 # functions that traps call
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
host=${HOST:-127.0.0.1} port=${PORT:-4000} limits=${LIMITS:-}
build=${PRESENCE_BUILD:-${BUILD:-$root/build}}

fail() {
  echo "demo-nginx: $1" >&2
  exit 1
}

case $port in
  '' | *[!0-9]*) fail "PORT must be a number from 1 to 65535, it is '$port'" ;;
esac
if [ "$port" -lt 1 ] || [ "$port" -gt 65535 ]; then
  fail "PORT must be a number from 1 to 65535, it is '$port'"
fi
case $host in *:*) host="[$host]" ;; esac
case "$root$build" in *[\"\$\;\{\}\\]*) fail "nginx cannot be given a folder with such a name: $root" ;; esac
command -v nginx >/dev/null || fail "nginx is missing (Debian: nginx, libnginx-mod-http-lua)"

# Debian has nginx's Lua as modules; OpenResty has it inside.
load_modules() {
  local built folder
  built=$(nginx -V 2>&1)
  folder=${built#*--modules-path=}
  folder=${folder%%[[:space:]]*}
  if [ -e "$folder/ngx_http_lua_module.so" ]; then
    if [ -e "$folder/ndk_http_module.so" ]; then echo "load_module $folder/ndk_http_module.so;"; fi
    echo "load_module $folder/ngx_http_lua_module.so;"
  elif ! grep -q -i -e ngx_lua -e lua-nginx-module <<<"$built"; then
    fail "nginx has no Lua (Debian: libnginx-mod-http-lua)"
  fi
}

# As root, nginx would run its workers as a user who may not read this folder.
user_directive() {
  if [ "$(id -u)" -eq 0 ]; then echo "user $(stat -c '%U %G' "$root");"; fi
}

ulimit -n "$(ulimit -Hn)"
connections=$(ulimit -n)
if [ "$connections" = unlimited ] || [ "$connections" -gt 30000 ]; then connections=30000; fi

prefix=$(mktemp -d "${TMPDIR:-/tmp}/presence-demo-XXXXXX")
nginx_pid=
clean_up() {
  if [ -n "$nginx_pid" ]; then kill -TERM "$nginx_pid" 2>/dev/null || true; fi
  rm -rf "$prefix"
}
trap clean_up EXIT
chmod 755 "$prefix"
modules=$(load_modules)

cat >"$prefix/nginx.conf" <<EOF
$modules
$(user_directive)
daemon off;
worker_processes 1;
pid $prefix/nginx.pid;
error_log stderr warn;
env LIMITS;
events { worker_connections $connections; }
http {
  access_log off;
  types {
    text/html html;
    text/css css;
    text/javascript js mjs;
    application/json json map;
    image/svg+xml svg;
  }
  charset utf-8;
  charset_types text/css text/javascript;
  client_body_temp_path $prefix/body;
  proxy_temp_path $prefix/proxy;
  fastcgi_temp_path $prefix/fastcgi;
  uwsgi_temp_path $prefix/uwsgi;
  scgi_temp_path $prefix/scgi;

  lua_package_path "$root/lua/?.lua;$root/lua/?/init.lua;$root/examples/chat/?.lua;;";
  lua_package_cpath "$build/lib/lua/5.1/?.so;;";
  init_worker_by_lua_block { require("presence.nginx").start(require "app") }

  server {
    listen $host:$port backlog=1024;
    add_header Cache-Control no-cache;
    add_header X-Content-Type-Options nosniff;
    location /socket {
      client_max_body_size 0;
      client_body_buffer_size 1m;
      lua_check_client_abort on;
      content_by_lua_block { require("presence.nginx").serve() }
    }
    location / { root "$root/examples/chat/public"; }
    location /vendor/ { alias "$root/node_modules/phoenix/priv/static/"; }
  }
}
EOF

# In a process group of its own: what a terminal sends to all of ours must not reach nginx, to which
# INT means to drop everything.
set -m
LIMITS=$limits nginx -e stderr -p "$prefix" -c "$prefix/nginx.conf" &
nginx_pid=$!
set +m

stops=0
stop() {
  stops=$((stops + 1))
  if [ "$stops" -eq 1 ]; then kill -QUIT "$nginx_pid"; else kill -TERM "$nginx_pid"; fi
}
trap 'stop 2>/dev/null || true' INT TERM HUP

# nginx writes its pid once it listens.
until [ -s "$prefix/nginx.pid" ]; do
  kill -0 "$nginx_pid" 2>/dev/null || break
  sleep 0.02
done
if [ -s "$prefix/nginx.pid" ] && [ "$stops" -eq 0 ]; then echo "http://$host:$port"; fi

# A signal ends `wait` early.
while :; do
  status=0
  wait "$nginx_pid" || status=$?
  kill -0 "$nginx_pid" 2>/dev/null || break
done
nginx_pid=
if [ "$stops" -gt 0 ]; then status=0; fi
exit "$status"
