#!/usr/bin/env bash
# The twin of the demo without a page: the sample shop from a private PostgreSQL into a private MongoDB, by commands alone.
# Everything lies in a folder of its own and goes with it. GODWIT: another program than the release build.
source "$(dirname "$0")/lib.sh"
binary=${GODWIT:-}
if [ -z "$binary" ]; then binary=$("$ROOT/scripts/build.sh" release | tail -n 1); fi
if [ "$(id -u)" = 0 ]; then as_postgres=(runuser -u postgres --); else as_postgres=(); fi

work=$(mktemp -d /var/tmp/godwit-headless.XXXXXX)
chmod 711 "$work"
mkdir -p "$work"/{postgres,mongo}
if [ "$(id -u)" = 0 ]; then chown postgres "$work/postgres"; fi
chmod 700 "$work/postgres" "$work/mongo"
pids=()
finish() {
  local status=$? i
  trap - EXIT
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
    kill -INT "${pids[i]}" 2>/dev/null || true
    wait "${pids[i]}" 2>/dev/null || true
  done
  rm -rf "$work"
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

free_port() { python3 "$ROOT/demo/client.py" free-port "$1"; }
pg_port=$(free_port 15532)
mongo_port=$(free_port 27217)
bindir=$(postgres_bindir)
echo godwit >"$work/password"
chmod 644 "$work/password"
"${as_postgres[@]}" "$bindir/initdb" -D "$work/postgres" -U postgres --auth=scram-sha-256 --pwfile="$work/password" \
  -E UTF8 --locale=C.UTF-8 >"$work/initdb.log" 2>&1 || { cat "$work/initdb.log" >&2; die "initdb failed"; }
identity=()
if [ "$(id -u)" = 0 ]; then identity=(setpriv --reuid postgres --regid postgres --init-groups --); fi
setsid "${identity[@]}" "$bindir/postgres" -D "$work/postgres" -p "$pg_port" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
  -c wal_level=logical </dev/null >"$work/postgres.log" 2>&1 &
pids+=($!)
setsid "$GODWIT_MONGOD" --dbpath "$work/mongo" --port "$mongo_port" --bind_ip 127.0.0.1 --nounixsocket \
  --wiredTigerCacheSizeGB 0.5 </dev/null >"$work/mongo.log" 2>&1 &
pids+=($!)
sql() { PGPASSWORD=godwit PGOPTIONS='-c client_min_messages=warning' psql -X -q -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$pg_port" -U postgres "$@"; }
for _ in $(seq 600); do
  if sql -d postgres -c 'select 1' >/dev/null 2>&1; then break; fi
  kill -0 "${pids[0]}" 2>/dev/null || { cat "$work/postgres.log" >&2; die "PostgreSQL has ended"; }
  sleep 0.05
done
say "filling the sample shop"
sql -d postgres -c "create role shop login replication password 'shop'" -c 'create database shop owner shop'
sql -d shop -c 'set role shop' -f "$ROOT/demo/shop.sql"

export GODWIT_SOURCE=postgresql://shop@127.0.0.1:$pg_port/shop GODWIT_SOURCE_PASSWORD=shop
export GODWIT_TARGET=mongodb://127.0.0.1:$mongo_port/shop
cp "$ROOT/demo/shop.relmig" "$work/shop.relmig"
cd "$work"
run() { say "godwit $*"; "$binary" "$@"; }
run doctor --output text
run convert shop.relmig shop.yaml --output text
run check shop.yaml --output text
run plan shop.yaml --output text
run preview shop.yaml --limit 1 --output text | head -n 40 || true
run migrate shop.yaml --drop --output text
run verify shop.yaml --output text
say "fifty moments of the shop are followed, then the job completes"
"$binary" migrate shop.yaml --continuous --prepare-source --output text &
job=$!
for _ in $(seq 50); do sql -d shop -f "$ROOT/demo/day.sql" >/dev/null; done
kill -USR1 "$job"
wait "$job"
run verify shop.yaml --output text
