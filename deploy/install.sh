#!/usr/bin/env bash
# Installs Redlight on Debian or Ubuntu: the executable, its units, settings, secrets, a database on the local PostgreSQL,
# and Caddy in front of it. Run again, it leaves what is there as it is. `install.sh --help` says how to call it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
executable=$here/../bin/redlight
domain=''
ports=4000,4001
dry_run=false
uninstall=false
purge=false
with_database=true
with_caddy=true

BINARY=/usr/local/bin/redlight
SETTINGS=/etc/redlight
UNITS=/etc/systemd/system
CADDYFILE=/etc/caddy/Caddyfile
MARK='# Redlight behind Caddy'

usage() {
  cat <<EOF
Usage: install.sh --domain DOMAIN [OPTIONS]
       install.sh --uninstall [--purge] [OPTIONS]

  --domain DOMAIN      where the service will be found: https://DOMAIN
  --executable FILE    what to install (bin/redlight beside this folder)
  --ports PORTS        an instance for each, separated by commas ($ports); deploy/upgrade.sh needs two
  --no-database        DATABASE_URL is already in $SETTINGS/database-url
  --no-caddy           another proxy stands in front
  --uninstall          takes away the service; keeps the database, the settings and the secrets
  --purge              with --uninstall: takes these away too, for good
  --dry-run            says what would be done and does nothing
  --help
EOF
}

fail() {
  echo "install.sh: $*" >&2
  exit 1
}
wrong_usage() {
  echo "install.sh: $*; see install.sh --help" >&2
  exit 2
}
say() { echo "$1"; }

while [ $# -gt 0 ]; do
  case $1 in
    --domain | --executable | --ports)
      [ $# -ge 2 ] || wrong_usage "$1 needs a value"
      case $1 in
        --domain) domain=$2 ;;
        --executable) executable=$2 ;;
        --ports) ports=$2 ;;
      esac
      shift
      ;;
    --no-database) with_database=false ;;
    --no-caddy) with_caddy=false ;;
    --uninstall) uninstall=true ;;
    --purge) purge=true ;;
    --dry-run) dry_run=true ;;
    -h | --help) usage && exit 0 ;;
    *) wrong_usage "there is no option $1" ;;
  esac
  shift
done

# Says what is done, and does it unless this is only a rehearsal.
act() {
  local what=$1
  shift
  if $dry_run; then say "would: $what"; else
    say "$what"
    "$@"
  fi
}

# Writes standard input to a file unless that is what it holds.
put() {
  local path=$1 mode=$2 text
  text=$(cat)
  if [ -f "$path" ] && [ "$(cat "$path")" = "$text" ] && [ "$(stat -c %a "$path")" = "$mode" ]; then
    say "as it should be: $path"
  else
    act "write $path (mode $mode)" write "$path" "$mode" "$text"
  fi
}
write() {
  # Made unreadable first: a secret must not be readable for a moment.
  (umask 077 && printf '%s\n' "$3" >"$1.new")
  chmod "$2" "$1.new"
  mv -f "$1.new" "$1"
}

# A machine that was not started by systemd, such as an image being built, gets the units and starts them later.
has_systemd() { [ -d /run/systemd/system ]; }
random() { openssl rand -hex 32; }
as_postgres() { PGOPTIONS='-c client_min_messages=warning' runuser -u postgres -- psql -X -v ON_ERROR_STOP=1 -qtA "$@"; }
units() {
  local port
  for port in ${ports//,/ }; do echo "redlight@$port.service"; done
}

check() {
  [ "$(id -u)" = 0 ] || fail "it writes to /etc and /usr/local: run it as root (sudo)"
  [[ $ports =~ ^[0-9]+(,[0-9]+)*$ ]] || wrong_usage "--ports $ports is not a list of ports such as 4000,4001"
  if $uninstall; then return; fi
  ! $purge || wrong_usage "--purge goes with --uninstall"
  [ -n "$domain" ] || wrong_usage "--domain is missing"
  [[ $domain =~ ^[A-Za-z0-9.-]+$ ]] || wrong_usage "--domain $domain is not a domain such as films.example.com"
  [ -x "$executable" ] || fail "$executable is not there: 'npx -y bun@1.4.5 run build' makes it, or name it with --executable"
  "$executable" version >/dev/null || fail "$executable does not run on this machine"
  command -v openssl >/dev/null || fail "openssl is missing: apt install openssl"
  if $with_database; then
    command -v psql >/dev/null || fail "PostgreSQL is missing: apt install postgresql, or --no-database for one elsewhere"
    as_postgres -c 'select 1' >/dev/null || fail "PostgreSQL does not answer its own user: systemctl start postgresql"
  elif ! [ -s $SETTINGS/database-url ]; then
    fail "--no-database needs the address in $SETTINGS/database-url (mode 0600), such as postgres://redlight:secret@db.example.com/redlight"
  fi
  if $with_caddy; then command -v caddy >/dev/null || fail "Caddy is missing: apt install caddy, or --no-caddy for another proxy"; fi
}

install_executable() {
  if cmp -s "$executable" $BINARY; then say "as it should be: $BINARY"; else
    # Renamed into place: the one that runs can't be written to.
    act "install $BINARY" replace_executable
  fi
}
replace_executable() {
  install -m 755 "$executable" $BINARY.new
  mv -f $BINARY.new $BINARY
}

install_settings() {
  [ -d $SETTINGS ] || act "make $SETTINGS (mode 755)" install -d -m 755 $SETTINGS
  if [ -s $SETTINGS/redlight.env ]; then say "kept as it is: $SETTINGS/redlight.env"; else
    put $SETTINGS/redlight.env 644 <<EOF
# Settings of Redlight, one NAME=value a line; its README lists them. After a change: deploy/upgrade.sh --restart
# No PORT here, which is the name of the instance; secrets are files of their own in this folder.
PUBLIC_URL=https://$domain
TRUSTED_PROXIES=127.0.0.1,::1
#SMTP_HOST=mail.example.com
#SMTP_USERNAME=redlight
EOF
  fi
  if [ -s $SETTINGS/jwt-secret ]; then say "kept as it is: $SETTINGS/jwt-secret"; else
    random | put $SETTINGS/jwt-secret 600
  fi
}

install_database() {
  $with_database || return 0
  local password
  if [ -s $SETTINGS/database-url ]; then say "kept as it is: $SETTINGS/database-url"; else
    # The role gets this very password below, also if an earlier run made it and was cut short.
    password=$(random)
    if [ "$(as_postgres -c "select 1 from pg_roles where rolname = 'redlight'")" = 1 ]; then
      act 'give the role redlight a new password' set_password alter "$password"
    else act 'make the role redlight' set_password create "$password"; fi
    put $SETTINGS/database-url 600 <<<"postgres://redlight:$password@127.0.0.1:$(as_postgres -c 'show port')/redlight"
  fi
  if [ "$(as_postgres -c "select 1 from pg_database where datname = 'redlight'")" = 1 ]; then
    say 'as it should be: the database redlight'
  else act 'make the database redlight' as_postgres -c 'create database redlight owner redlight template template0 encoding UTF8'; fi
}
# Through standard input: an argument could be read by anyone on the machine.
set_password() { as_postgres <<<"set log_statement = 'none'; $1 role redlight login password '$2'"; }

install_units() {
  local name
  for name in redlight.service redlight@.service redlight-backup.service redlight-backup.timer; do
    put "$UNITS/$name" 644 <"$here/$name"
  done
  if has_systemd; then act 'let systemd read its units' systemctl daemon-reload; fi
  for name in $(units); do
    if [ -e "$UNITS/multi-user.target.wants/$name" ]; then say "as it should be: $name is enabled"; else
      act "enable $name" systemctl enable --quiet "$name"
    fi
    if has_systemd; then act "start $name, if it does not run" systemctl start "$name"; fi
  done
  if [ ! -e "$UNITS/timers.target.wants/redlight-backup.timer" ]; then
    act 'enable the nightly backup' systemctl enable --quiet redlight-backup.timer
    if has_systemd; then act 'start its timer' systemctl start redlight-backup.timer; fi
  fi
}

install_caddy() {
  $with_caddy || return 0
  local upstreams
  upstreams=$(sed 's/[0-9]*/127.0.0.1:&/; s/,/ 127.0.0.1:/g' <<<"$ports")
  # Debian's own file is a page that says that Caddy works; whatever else is there is somebody's.
  if [ -s $CADDYFILE ] && ! grep -q "$MARK" $CADDYFILE && ! grep -q '^# The Caddyfile is an easy way' $CADDYFILE; then
    say "kept as it is: $CADDYFILE; add what deploy/Caddyfile says, for $domain and $upstreams"
    return 0
  fi
  sed "s|{\$REDLIGHT_SITE:[^}]*}|$domain|; s|{\$REDLIGHT_UPSTREAMS:[^}]*}|$upstreams|" "$here/Caddyfile" | put $CADDYFILE 644
  if has_systemd; then act 'let Caddy read its file' systemctl reload-or-restart caddy; fi
}

remove() {
  local unit path
  for unit in $(units); do
    [ -e "$UNITS/multi-user.target.wants/$unit" ] || continue
    if has_systemd; then act "stop and disable $unit" systemctl disable --now --quiet "$unit"; else
      act "disable $unit" systemctl disable --quiet "$unit"
    fi
  done
  if [ -e $UNITS/timers.target.wants/redlight-backup.timer ]; then
    act 'disable the nightly backup' systemctl disable --quiet redlight-backup.timer
    if has_systemd; then act 'stop its timer' systemctl stop redlight-backup.timer; fi
  fi
  for path in $UNITS/redlight.service $UNITS/redlight@.service $UNITS/redlight-backup.service $UNITS/redlight-backup.timer $BINARY $BINARY.previous; do
    [ ! -e "$path" ] || act "remove $path" rm -f "$path"
  done
  if [ -e $CADDYFILE ] && grep -q "$MARK" $CADDYFILE; then act "remove $CADDYFILE" rm -f $CADDYFILE; fi
  if has_systemd; then act 'let systemd read its units' systemctl daemon-reload; fi
  if ! $purge; then
    say "kept: $SETTINGS, the database redlight, /var/lib/redlight (--purge takes them away)"
    return 0
  fi
  if $with_database && command -v psql >/dev/null; then
    act 'drop the database and the role redlight' as_postgres -c 'drop database if exists redlight with (force)' -c 'drop role if exists redlight'
  fi
  for path in $SETTINGS /var/lib/redlight /var/lib/private/redlight; do
    [ ! -e "$path" ] || act "remove $path" rm -rf "$path"
  done
}

check
if $uninstall; then
  remove
  exit 0
fi
install_executable
install_settings
install_database
install_units
install_caddy
if $dry_run; then say 'nothing was changed'; else
  say "done: https://$domain/docs; first mails need SMTP_HOST in $SETTINGS/redlight.env, then: upgrade.sh --restart"
fi
