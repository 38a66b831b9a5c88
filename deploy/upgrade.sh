#!/usr/bin/env bash
# Replaces the executable and restarts the instances one after the other, so that Caddy (deploy/Caddyfile) always has one that
# serves and no request fails. For usage, run `upgrade.sh --help`.
set -euo pipefail

EXECUTABLE=${REDLIGHT_EXECUTABLE:-/usr/local/bin/redlight}
PORTS=${REDLIGHT_PORTS:-4000,4001}
# A command that restarts the instance whose port is its last argument. It may return before the instance is ready.
RESTART=${REDLIGHT_RESTART:-restart_unit}
# How long an instance may take to become ready, including its migrations.
TIMEOUT_SECONDS=${REDLIGHT_TIMEOUT_SECONDS:-900}
# Caddy checks each instance once a second, and must see this one as healthy before the next one stops.
SETTLE_SECONDS=${REDLIGHT_SETTLE_SECONDS:-3}

usage() {
  cat <<EOF
Usage: upgrade.sh NEW_EXECUTABLE     install it, and restart every instance
       upgrade.sh --restart          restart every instance, for example after a change of the settings

Environment: REDLIGHT_EXECUTABLE ($EXECUTABLE), REDLIGHT_PORTS ($PORTS), REDLIGHT_RESTART (systemctl restart redlight@PORT),
REDLIGHT_TIMEOUT_SECONDS ($TIMEOUT_SECONDS), REDLIGHT_SETTLE_SECONDS ($SETTLE_SECONDS)

If the first instance doesn't serve with the new executable, the old one is restored and the other instances keep running.
Migrations stay: the previous version works with them.
EOF
}

fail() {
  echo "upgrade.sh: $*" >&2
  exit 1
}
restart_unit() { systemctl restart "redlight@$1"; }
serves() { env -i PATH="$PATH" HOST=127.0.0.1 PORT="$1" "$EXECUTABLE" healthcheck >/dev/null 2>&1; }

restart_and_wait() {
  local port=$1 until=$((SECONDS + TIMEOUT_SECONDS))
  "$RESTART" "$port" || return 1
  until serves "$port"; do
    ((SECONDS < until)) || return 1
    sleep 0.2
  done
}

case ${1:-} in
  -h | --help) usage && exit 0 ;;
  --restart) new='' ;;
  '' | -*) usage >&2 && exit 2 ;;
  *) new=$1 ;;
esac
[ $# -le 1 ] || { usage >&2 && exit 2; }
IFS=, read -ra ports <<<"$PORTS"
[ "${#ports[@]}" -ge 2 ] || fail "REDLIGHT_PORTS=$PORTS names only one instance, so nothing would serve while it restarts; name two, such as 4000,4001"

for port in "${ports[@]}"; do
  serves "$port" || fail "the instance on port $port doesn't serve, so the others can't be restarted: see 'systemctl status redlight@$port'"
done

if [ -n "$new" ]; then
  version=$("$new" version 2>&1) || fail "$new isn't an executable of Redlight for this machine: $version"
  echo "upgrading $("$EXECUTABLE" version) to $version"
  # Written to the same folder and renamed: an instance that starts meanwhile finds either the old or the new file, complete.
  install -m 755 "$new" "$EXECUTABLE.new"
  ln -f "$EXECUTABLE" "$EXECUTABLE.previous"
  mv -f "$EXECUTABLE.new" "$EXECUTABLE"
fi

done=0
for port in "${ports[@]}"; do
  echo "restarting the instance on port $port"
  if ! restart_and_wait "$port"; then
    if [ -n "$new" ] && [ "$done" = 0 ]; then
      mv -f "$EXECUTABLE.previous" "$EXECUTABLE"
      restart_and_wait "$port" || fail "port $port serves neither with $new nor with the previous executable: see 'journalctl -u redlight@$port'; the other instances are running"
      fail "port $port doesn't serve with $new; the previous executable was restored and serves: see 'journalctl -u redlight@$port'"
    fi
    fail "port $port doesn't serve: see 'journalctl -u redlight@$port'; the instances after it were not restarted"
  fi
  done=$((done + 1))
  sleep "$SETTLE_SECONDS"
done
echo "all ${#ports[@]} instances serve"
