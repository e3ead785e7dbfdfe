#!/usr/bin/env bash
# A sample shop database in a private PostgreSQL, a private MongoDB, and Godwit between them.
#   demo.sh          a continuous job, and a shop that lives, until Ctrl-C; with DEMO_ONCE=1 until one job has completed
#   demo.sh dev      the same with the development build and the page under live reload
#   demo.sh where    prints the data folder
# DEMO_DATA: the data folder (default: data/ of the checkout).
source "$(dirname "$0")/lib.sh"
mode=${1:-demo}

# Runs a command as the user that may run PostgreSQL: it refuses to be root.
if [ "$(id -u)" = 0 ]; then as_postgres=(runuser -u postgres --); else as_postgres=(); fi

choose_data() {
  if [ -n "${DEMO_DATA:-}" ]; then realpath -m "$DEMO_DATA"; return; fi
  # Below a home that other users cannot enter, PostgreSQL could not read its own files.
  if [ "$(id -u)" = 0 ] && ! "${as_postgres[@]}" test -x "$ROOT" 2>/dev/null; then
    echo "/var/tmp/godwit-demo-$(id -u)"
  else
    echo "$ROOT/data"
  fi
}
case $mode in
  where) choose_data; exit ;;
  demo | dev) data=$(choose_data) ;;
  *) die "demo.sh: demo, dev or where, not '$mode'" ;;
esac

if [ "$mode" = dev ]; then binary=$("$ROOT/scripts/build.sh" dev | tail -n 1); else binary=$("$ROOT/scripts/build.sh" release | tail -n 1); fi

umask 022
ours "$data" DEMO_DATA
mkdir -p "$data"/{postgres,mongo,godwit,log}
chmod 700 "$data"/{mongo,godwit}
exec 9>"$data/lock"
flock -n 9 || die "another demo runs with $data: end it, or set DEMO_DATA to another folder"
if [ "$(id -u)" = 0 ]; then chown postgres "$data/postgres"; fi
chmod 700 "$data/postgres"
"${as_postgres[@]}" test -w "$data/postgres" || die "the user postgres cannot write below $data: set DEMO_DATA to a folder that it can enter"

client() { python3 "$ROOT/demo/client.py" "$@"; }

# What was started, newest last; ended in the other order: Godwit before the servers that it writes to.
names=() pids=()
start() { # name, command: in a session of its own, so that Ctrl-C reaches this script alone; if this script is killed, it ends too
  local name=$1
  shift
  setsid -w setpriv --pdeathsig TERM -- "$@" 9>&- </dev/null >"$data/log/$name.log" 2>&1 &
  names+=("$name") pids+=($!)
}
finish() {
  local status=$? i
  set +e
  trap - EXIT
  trap '' INT TERM HUP
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
    # PostgreSQL: the fast shutdown, which does not wait for clients.
    if [ "${names[i]}" = postgres ]; then kill -INT "${pids[i]}" 2>/dev/null; else kill -TERM "${pids[i]}" 2>/dev/null; fi
    for _ in $(seq 200); do kill -0 "${pids[i]}" 2>/dev/null || break; sleep 0.05; done
    kill -KILL "${pids[i]}" 2>/dev/null
    wait "${pids[i]}" 2>/dev/null
  done
  if [ ${#pids[@]} -gt 0 ]; then say "ended: ${names[*]}"; fi
  exit "$status"
}
trap finish EXIT
trap 'exit 0' INT TERM HUP

# The same ports in every run, as long as they are free.
port_of() { # name, first port to try
  local kept
  kept=$(cat "$data/$1.port" 2>/dev/null || echo "$2")
  client free-port "$kept" | tee "$data/$1.port"
}
pg_port=$(port_of postgres 15432)
mongo_port=$(port_of mongo 27117)

bindir=$(postgres_bindir)
if [ ! -f "$data/postgres/PG_VERSION" ]; then
  say "making a PostgreSQL cluster in $data/postgres"
  echo godwit >"$data/password"
  "${as_postgres[@]}" "$bindir/initdb" -D "$data/postgres" -U postgres --auth=scram-sha-256 --pwfile="$data/password" \
    -E UTF8 --locale=C.UTF-8 >"$data/log/initdb.log" 2>&1 || { cat "$data/log/initdb.log" >&2; die "initdb failed"; }
fi
identity=()
if [ "$(id -u)" = 0 ]; then identity=(setpriv --reuid postgres --regid postgres --init-groups --pdeathsig INT --); fi
start postgres "${identity[@]}" "$bindir/postgres" -D "$data/postgres" -p "$pg_port" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
  -c wal_level=logical -c max_wal_size=1GB -c shared_buffers=256MB -c logging_collector=off
start mongo "$GODWIT_MONGOD" --dbpath "$data/mongo" --port "$mongo_port" --bind_ip 127.0.0.1 --nounixsocket --replSet godwit \
  --wiredTigerCacheSizeGB 1 --setParameter diagnosticDataCollectionEnabled=false

running() { # name: dies with its log when it has ended
  local i
  for i in "${!names[@]}"; do
    if [ "${names[i]}" = "$1" ] && ! kill -0 "${pids[i]}" 2>/dev/null; then tail -n 20 "$data/log/$1.log" >&2; die "$1 has ended"; fi
  done
}
sql() { PGPASSWORD=godwit PGOPTIONS='-c client_min_messages=warning' psql -X -q -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$pg_port" -U postgres "$@"; }
for _ in $(seq 600); do
  running postgres
  if sql -d postgres -c 'select 1' >/dev/null 2>&1; then break; fi
  sleep 0.05
done
client replica-set "$mongo_port" || { running mongo; exit 1; }

if [ -z "$(sql -d postgres -Atc "select 1 from pg_database where datname = 'shop'")" ]; then
  say "filling the sample shop"
  sql -d postgres -c 'drop database if exists shop_new' -c "do \$\$ begin create role shop login replication password 'shop'; exception when duplicate_object then null; end \$\$"
  sql -d postgres -c 'create database shop_new owner shop'
  sql -d shop_new -c 'set role shop' -f "$ROOT/demo/shop.sql"
  sql -d postgres -c 'alter database shop_new rename to shop'
fi

if [ "$mode" = dev ]; then
  port=8278
  [ "$(client free-port 8278)" = 8278 ] || die "port 8278 is taken, and trunk passes requests on to it: end what listens there"
else
  port=$(client free-port 8278)
fi
source_url="jdbc:postgresql://127.0.0.1:$pg_port/shop"
mongo_uri="mongodb://127.0.0.1:$mongo_port/shop?replicaSet=godwit"
page=()
# The page under live reload comes from a port of its own.
if [ "$mode" = dev ]; then page=(--page-origin http://127.0.0.1:8080); fi
start godwit "$binary" serve "${page[@]}" --listen "127.0.0.1:$port" --store-uri "mongodb://127.0.0.1:$mongo_port/godwit?replicaSet=godwit" --data-dir "$data/godwit"
until client health "http://127.0.0.1:$port" 2>/dev/null; do running godwit; done

wait_flag=()
if [ -n "${DEMO_ONCE:-}" ]; then wait_flag=(--wait); fi
live() { sql -d shop -f "$ROOT/demo/day.sql" >/dev/null; }
client prepare "${wait_flag[@]}" --api "http://127.0.0.1:$port" --project "$ROOT/demo/shop.relmig" --source "$source_url" --mongo "$mongo_uri"
if [ -n "${DEMO_ONCE:-}" ]; then
  say "fifty moments of the shop are followed, then the job completes"
  for _ in $(seq 50); do live; done
  client complete --api "http://127.0.0.1:$port"
  exit 0
fi

if [ "$mode" = dev ]; then
  start trunk env CARGO_TARGET_DIR="$PAGE_TARGET" trunk serve --config "$ROOT/Trunk.toml" --offline --skip-version-check
fi
[ "$port" = 8278 ] || say "port 8278 is taken: this demo is on $port"
cat <<TEXT

  Godwit is running.

    open         http://127.0.0.1:$port
    source       postgresql://shop:shop@127.0.0.1:$pg_port/shop
    destination  $mongo_uri
    data, logs   $data
TEXT
if [ "$mode" = dev ]; then
  printf '    live reload  http://127.0.0.1:8080\n'
fi
printf '\n  Ctrl-C ends it and everything that it started.\n\n'
while true; do
  for name in "${names[@]}"; do running "$name"; done
  live || say "the shop could not change its rows: see $data/log/postgres.log"
  sleep 1 &
  wait $!
done
