#!/usr/bin/env bash
# Serves a configuration's http block with nginx as it is and asks it for a socket; prints the status
# line of the answer. No Lua path is set: nginx must find the module itself.
#
#   bash spec/install/use_nginx.sh http.conf scratch-folder
set -euo pipefail
http=$1 scratch=$2
port=$(lua5.4 -e 'local s = require "luv".new_tcp() s:bind("127.0.0.1", 0) print(s:getsockname().port)')
mkdir "$scratch/nginx"
sed "s/listen 127.0.0.1:4000/listen 127.0.0.1:$port/" "$http" >"$scratch/http.conf"
grep -q "127.0.0.1:$port" "$scratch/http.conf"
cat >"$scratch/nginx.conf" <<EOF
load_module /usr/lib/nginx/modules/ndk_http_module.so;
load_module /usr/lib/nginx/modules/ngx_http_lua_module.so;
daemon off;
master_process off;
pid $scratch/nginx/pid;
events {}
http {
  access_log off;
  client_body_temp_path $scratch/nginx;
  proxy_temp_path $scratch/nginx;
  fastcgi_temp_path $scratch/nginx;
  uwsgi_temp_path $scratch/nginx;
  scgi_temp_path $scratch/nginx;
  include $scratch/http.conf;
}
EOF
nginx -e stderr -p "$scratch" -c "$scratch/nginx.conf" &
nginx=$!
trap 'kill -QUIT $nginx; wait $nginx || true' EXIT
for _ in $(seq 200); do
  if { exec 3<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null; then break; fi
  sleep 0.05
done
printf '%s\r\n' 'GET /socket/websocket?vsn=2.0.0&user_id=ann HTTP/1.1' "Host: 127.0.0.1:$port" \
  'Upgrade: websocket' 'Connection: Upgrade' 'Sec-WebSocket-Version: 13' \
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==' '' >&3
read -r -t 10 status <&3
echo
echo "$status"
exec 3>&-
