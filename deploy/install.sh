#!/usr/bin/env bash
# Installs Redlight on Debian or Ubuntu: the executable, its units, settings, secrets, a database on the local PostgreSQL,
# and Caddy in front of it. It writes only files that are missing or haven't been edited; for an edited file, it writes the
# new text to FILE.new. For usage, run `install.sh --help`.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
executable=$here/../bin/redlight
domain=''
ports=4000,4001
dry_run=false
uninstall=false
purge=false
yes=false
with_database=true
with_caddy=true
internal_ca=false
replaceable=''

BINARY=/usr/local/bin/redlight
SETTINGS=/etc/redlight
UNITS=/etc/systemd/system
CADDYFILE=/etc/caddy/Caddyfile
# The SHA-256 of each file that this script wrote, and the files that it replaced.
WRITTEN=$SETTINGS/.installed
REPLACED=$SETTINGS/.replaced
# The node exporter's folder for the times of backups.
TEXTFILES=/var/lib/prometheus/node-exporter
UNIT_FILES=(redlight.service redlight@.service redlight-backup.service redlight-backup.timer redlight-backup-failed.service)
# A dynamic user's folders are in private/, with a symlink to each.
DATA=(/var/lib/redlight /var/lib/private/redlight /var/lib/redlight-backup /var/lib/private/redlight-backup
  /var/cache/redlight-backup /var/cache/private/redlight-backup /var/lib/systemd/timers/stamp-redlight-backup.timer)

usage() {
  cat <<EOF
Usage: install.sh --domain DOMAIN [OPTIONS]
       install.sh --uninstall [--purge [--yes]] [OPTIONS]

  --domain DOMAIN      domain of the service, which will be at https://DOMAIN
  --executable FILE    executable to install (default: ../bin/redlight)
  --ports PORTS        one instance per port, separated by commas ($ports); deploy/upgrade.sh needs two
  --no-database        use the DATABASE_URL that is already in $SETTINGS/database-url
  --no-caddy           don't configure Caddy, because another proxy is in front
  --internal-ca        let Caddy sign the certificate itself, for a DOMAIN that isn't public
  --uninstall          remove the service and restore the files that it replaced; keep the database, the settings, the
                       secrets and the backups
  --purge              with --uninstall: delete these too, backups included, for good; asks first
  --yes                with --purge: don't ask
  --dry-run            print what would be done, and change nothing
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
    --internal-ca) internal_ca=true ;;
    --uninstall) uninstall=true ;;
    --purge) purge=true ;;
    --yes) yes=true ;;
    --dry-run) dry_run=true ;;
    -h | --help) usage && exit 0 ;;
    *) wrong_usage "unknown option $1" ;;
  esac
  shift
done

# Reports an action, and carries it out unless this is a dry run.
act() {
  local what=$1
  shift
  if $dry_run; then say "would: $what"; else
    say "$what"
    "$@"
  fi
}

# Writes standard input to a file that is missing or hasn't been edited; otherwise to FILE.new.
put() {
  local path=$1 mode=$2 text
  text=$(cat)
  if [ -f "$path" ] && [ ! -L "$path" ] && [ "$(cat "$path")" = "$text" ]; then
    if [ "$(stat -c %a "$path")" = "$mode" ]; then say "up to date: $path"; else act "set the mode of $path to $mode" chmod "$mode" "$path"; fi
    # If an older installation kept no record of the file, treat it as written by this script from now on.
    $dry_run || is_ours "$path" || record "$path"
    $dry_run || rm -f "$path.new"
  elif { [ ! -e "$path" ] && [ ! -L "$path" ]; } || is_ours "$path"; then
    act "write $path (mode $mode)" write "$path" "$mode" "$text"
    $dry_run || record "$path"
    $dry_run || rm -f "$path.new"
  elif [ -f "$path.new" ] && [ "$(cat "$path.new")" = "$text" ]; then
    say "kept, because it was edited: $path; compare $path.new"
  else
    say "kept, because it was edited: $path"
    act "write $path.new (mode $mode) for you to compare" write "$path.new" "$mode" "$text"
  fi
}
write() {
  # Create it unreadable: a secret must not be readable even for a moment.
  (umask 077 && printf '%s\n' "$3" >"$1.unfinished")
  chmod "$2" "$1.unfinished"
  mv -f "$1.unfinished" "$1"
}

# Whether a file is unchanged since this script last wrote it.
is_ours() {
  [ -f "$1" ] && [ ! -L "$1" ] || return 1
  [ "$1" = "$replaceable" ] || grep -qsxF "$(sha256sum "$1")" "$WRITTEN"
}
record() {
  forget "$1"
  sha256sum "$1" >>"$WRITTEN"
}
forget() {
  [ -e "$WRITTEN" ] || return 0
  awk -v path="$1" 'substr($0, 67) != path' "$WRITTEN" >"$WRITTEN.unfinished"
  mv -f "$WRITTEN.unfinished" "$WRITTEN"
}

# Removes a file that is unchanged since this script wrote it, and restores the file that it replaced.
remove_file() {
  local path=$1
  if [ -e "$path.new" ]; then act "remove $path.new" rm -f "$path.new"; fi
  if [ ! -e "$path" ]; then :; elif ! is_ours "$path" && ! cmp -s "$path" "$here/${path##*/}"; then
    say "kept, because it was edited: $path"
    return 0
  elif [ -e "$REPLACED$path" ]; then act "restore the earlier $path" mv -f "$REPLACED$path" "$path"; else
    act "remove $path" rm -f "$path"
  fi
  $dry_run || forget "$path"
}

# A machine that wasn't booted by systemd, such as an image being built, gets the units and starts them later.
has_systemd() { [ -d /run/systemd/system ]; }
random() { openssl rand -hex 32; }
as_postgres() { PGOPTIONS='-c client_min_messages=warning' runuser -u postgres -- psql -X -v ON_ERROR_STOP=1 -qtA "$@"; }
units() {
  local port
  for port in ${ports//,/ }; do echo "redlight@$port.service"; done
}

check() {
  [ "$(id -u)" = 0 ] || fail "this writes to /etc and /usr/local: run it as root (sudo)"
  [[ $ports =~ ^[0-9]+(,[0-9]+)*$ ]] || wrong_usage "--ports $ports is not a list of ports such as 4000,4001"
  if $uninstall; then return; fi
  ! $purge || wrong_usage "--purge goes with --uninstall"
  ! $yes || wrong_usage "--yes goes with --purge"
  [ -n "$domain" ] || wrong_usage "--domain is missing"
  [[ $domain =~ ^[A-Za-z0-9.-]+$ ]] || wrong_usage "--domain $domain is not a domain such as movies.example.com"
  [ -x "$executable" ] || fail "$executable doesn't exist: build it with 'npx -y bun@1.4.5 run build', or name another with --executable"
  "$executable" version >/dev/null || fail "$executable doesn't run on this machine"
  command -v openssl >/dev/null || fail "openssl is missing: apt install openssl"
  if $with_database; then
    command -v psql >/dev/null || fail "PostgreSQL is missing: apt install postgresql, or use --no-database if it is on another machine"
    as_postgres -c 'select 1' >/dev/null || fail "PostgreSQL doesn't accept its user postgres: systemctl start postgresql"
  elif ! [ -s $SETTINGS/database-url ]; then
    fail "--no-database needs the database's URL in $SETTINGS/database-url (mode 0600), such as postgres://redlight:secret@db.example.com/redlight"
  fi
  if $with_caddy; then command -v caddy >/dev/null || fail "Caddy is missing: apt install caddy, or use --no-caddy with another proxy"; fi
}

install_executable() {
  if cmp -s "$executable" $BINARY; then
    say "up to date: $BINARY"
    $dry_run || is_ours $BINARY || record $BINARY
  elif [ ! -e $BINARY ] || is_ours $BINARY; then
    # Renamed into place, because a running executable can't be overwritten.
    act "install $BINARY" replace_executable
  else
    say "kept: $BINARY, which wasn't installed by this script; to replace it, run: upgrade.sh $executable"
  fi
}
replace_executable() {
  install -m 755 "$executable" $BINARY.new
  mv -f $BINARY.new $BINARY
  record $BINARY
}

make_settings() { [ -d $SETTINGS ] || act "create $SETTINGS (mode 755)" install -d -m 755 $SETTINGS; }
install_settings() {
  if [ -s $SETTINGS/redlight.env ] && ! is_ours $SETTINGS/redlight.env; then say "kept: $SETTINGS/redlight.env"; else
    put $SETTINGS/redlight.env 644 <<EOF
# Settings of Redlight, one NAME=value per line; its README lists them. After a change, run deploy/upgrade.sh --restart.
# Don't set PORT: it is the instance's name. Secrets are separate files in this folder.
PUBLIC_URL=https://$domain
TRUSTED_PROXIES=127.0.0.1,::1
#SMTP_HOST=mail.example.com
#SMTP_USERNAME=redlight
EOF
  fi
  if [ -s $SETTINGS/jwt-secret ]; then say "kept: $SETTINGS/jwt-secret"; else
    act "write $SETTINGS/jwt-secret (mode 600)" write $SETTINGS/jwt-secret 600 "$(random)"
  fi
}

install_database() {
  $with_database || return 0
  local password
  if [ -s $SETTINGS/database-url ]; then say "kept: $SETTINGS/database-url"; else
    # The role gets this password below, even if an interrupted earlier run created the role.
    password=$(random)
    if [ "$(as_postgres -c "select 1 from pg_roles where rolname = 'redlight'")" = 1 ]; then
      act 'give the role redlight a new password' set_password alter "$password"
    else act 'create the role redlight' set_password create "$password"; fi
    act "write $SETTINGS/database-url (mode 600)" write $SETTINGS/database-url 600 \
      "postgres://redlight:$password@127.0.0.1:$(as_postgres -c 'show port')/redlight"
  fi
  if [ "$(as_postgres -c "select 1 from pg_database where datname = 'redlight'")" = 1 ]; then
    say 'up to date: the database redlight'
  else act 'create the database redlight' as_postgres -c 'create database redlight owner redlight template template0 encoding UTF8'; fi
}
# Through standard input, because anyone on the machine can read arguments.
set_password() { as_postgres <<<"set log_statement = 'none'; $1 role redlight login password '$2'"; }

install_units() {
  local name
  for name in "${UNIT_FILES[@]}"; do
    put "$UNITS/$name" 644 <"$here/$name"
  done
  if has_systemd; then act 'reload systemd' systemctl daemon-reload; fi
  for name in $(units); do
    if [ -e "$UNITS/multi-user.target.wants/$name" ]; then say "up to date: $name is enabled"; else
      act "enable $name" systemctl enable --quiet "$name"
    fi
    if has_systemd; then act "start $name unless it runs" systemctl start "$name"; fi
  done
  if [ ! -e "$UNITS/timers.target.wants/redlight-backup.timer" ]; then
    act 'enable the nightly backup' systemctl enable --quiet redlight-backup.timer
    if has_systemd; then act 'start its timer' systemctl start redlight-backup.timer; fi
  fi
}

install_caddy() {
  $with_caddy || return 0
  local upstreams before tls='#tls'
  upstreams=$(sed 's/[0-9]*/127.0.0.1:&/; s/,/ 127.0.0.1:/g' <<<"$ports")
  ! $internal_ca || tls=tls
  before=$(sha256sum $CADDYFILE 2>/dev/null || true)
  if is_debians_caddyfile; then
    act "keep Debian's $CADDYFILE in $REPLACED" keep_replaced
    replaceable=$CADDYFILE
  fi
  sed "s|{\$REDLIGHT_SITE:[^}]*}|$domain|; s|{\$REDLIGHT_UPSTREAMS:[^}]*}|$upstreams|; s|#tls internal|$tls internal|" "$here/Caddyfile" |
    put $CADDYFILE 644
  reload_caddy "$before"
  if $internal_ca; then say "clients must trust /var/lib/caddy/.local/share/caddy/pki/authorities/local/root.crt"; fi
}
# The package's default page, which says that Caddy works.
is_debians_caddyfile() {
  [ -f $CADDYFILE ] && [ ! -L $CADDYFILE ] && ! is_ours $CADDYFILE &&
    dpkg-query -W -f='${Conffiles}\n' caddy 2>/dev/null | grep -qF " $CADDYFILE $(md5sum <$CADDYFILE | cut -d' ' -f1)"
}
keep_replaced() {
  install -d -m 755 "$REPLACED${CADDYFILE%/*}"
  cp -a $CADDYFILE $REPLACED$CADDYFILE
}
reload_caddy() {
  if [ "$1" = "$(sha256sum $CADDYFILE 2>/dev/null || true)" ] || ! has_systemd; then return 0; fi
  if [ -e $CADDYFILE ]; then act 'reload Caddy' systemctl reload-or-restart caddy; else
    act 'stop Caddy, which has no configuration now' systemctl stop caddy
  fi
}

remove() {
  local unit path
  for unit in redlight-backup.timer $(enabled_units); do
    [ -n "$(find $UNITS -path "*.wants/$unit")" ] || continue
    if has_systemd; then act "stop and disable $unit" systemctl disable --now --quiet "$unit"; else
      act "disable $unit" systemctl disable --quiet "$unit"
    fi
  done
  if has_systemd; then act 'reset its failed units' systemctl reset-failed 'redlight*'; fi
  for unit in "${UNIT_FILES[@]}"; do remove_file "$UNITS/$unit"; done
  for path in $BINARY $BINARY.previous; do [ ! -e "$path" ] || act "remove $path" rm -f "$path"; done
  $dry_run || forget $BINARY
  if $with_caddy; then remove_caddy; fi
  if has_systemd; then act 'reload systemd' systemctl daemon-reload; fi
  if $purge; then purge; else
    say "kept: $SETTINGS, the database redlight, /var/lib/redlight, the backups in /var/lib/redlight-backup (--purge deletes them)"
  fi
}
# With any ports.
enabled_units() { find $UNITS/multi-user.target.wants -name 'redlight.service' -o -name 'redlight@*.service' 2>/dev/null | sed 's|.*/||'; }
remove_caddy() {
  local before
  before=$(sha256sum $CADDYFILE 2>/dev/null || true)
  remove_file $CADDYFILE
  reload_caddy "$before"
}

purge() {
  local path
  if grep -qs '^postgres://redlight:[0-9a-f]*@127.0.0.1:[0-9]*/redlight$' $SETTINGS/database-url && command -v psql >/dev/null; then
    act 'drop the database and the role redlight' as_postgres -c 'drop database if exists redlight with (force)' -c 'drop role if exists redlight'
  else
    say 'kept: the database, because this script did not create it'
  fi
  for path in $SETTINGS "${DATA[@]}" "${UNIT_FILES[@]/#/$UNITS/}" "$UNITS"/redlight*.d "$TEXTFILES"/redlight-backup*.prom; do
    if [ -e "$path" ] || [ -L "$path" ]; then act "remove $path" rm -rf "$path"; fi
  done
  if has_systemd; then act 'reload systemd' systemctl daemon-reload; fi
}
confirm_purge() {
  $purge && ! $yes && ! $dry_run || return 0
  [ -t 0 ] || fail '--purge deletes the database, the settings, the secrets and every backup on this machine, for good: add --yes to confirm'
  local answer
  read -rp 'This deletes the database, the settings, the secrets and every backup on this machine, for good. Type purge to continue: ' answer
  [ "$answer" = purge ] || fail 'nothing was deleted'
}

check
if $uninstall; then
  confirm_purge
  remove
  exit 0
fi
make_settings
install_executable
install_settings
install_database
install_units
install_caddy
if $dry_run; then say 'nothing was changed'; else
  say "done: https://$domain/docs; to send emails, set SMTP_HOST in $SETTINGS/redlight.env and run upgrade.sh --restart"
fi
