# Sourced by the other scripts: where things are, and how to say something.
# shellcheck shell=bash
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
GODWIT_CACHE=${GODWIT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/godwit}
NATIVE_TARGET=$GODWIT_CACHE/target
PAGE_TARGET=$GODWIT_CACHE/target-wasm
GODWIT_MONGOD=${GODWIT_MONGOD:-$GODWIT_CACHE/mongod/bin/mongod}
export GODWIT_CACHE GODWIT_MONGOD
export PATH=$GODWIT_CACHE/tools/bin:$HOME/.cargo/bin:$PATH

# The packages whose native code and tests are built together, so that all of them share one set of features.
NATIVE_PACKAGES=(-p godwit-shared -p godwit -p godwit-frontend -p godwit-tests)
# The page inside of the server; the points at which tests can hold it, which a release does not have.
DEV_FEATURES=godwit/page,godwit/hooks
TEST_FEATURES=$DEV_FEATURES,godwit-tests/bench

say() { printf '\033[1m==> %s\033[0m\n' "$*" >&2; }
die() { printf '\033[1merror: %s\033[0m\n' "$*" >&2; exit 1; }

# A folder whose files are run, or hold secrets, must be ours: refuses one of somebody else, or that others may write to.
# Makes it where it is missing.
ours() { # folder
  local folder=$1 owner mode
  mkdir -p "$folder" || die "$folder cannot be made"
  # A link counts as well: who made it says where it leads.
  for owner in $(stat -c %u "$folder") $(stat -L -c %u "$folder"); do
    [ "$owner" = "$(id -u)" ] || die "$folder belongs to $(id -nu "$owner" 2>/dev/null || echo "the user $owner"): choose another folder ($2), or remove it"
  done
  mode=$(stat -L -c %a "$folder")
  [ $((0$mode & 022)) = 0 ] || die "others may write to $folder (its mode is $mode): chmod go-w '$folder', or choose another folder ($2)"
}

# The version of a package in Cargo.lock.
locked_version() {
  awk -v name="name = \"$1\"" '$0 == name { found = 1; next } found && /^version/ { gsub(/"/, "", $3); print $3; exit }' "$ROOT/Cargo.lock"
}

# The newest server installed, or the one that pg_config speaks of.
postgres_bindir() {
  local dir
  dir=$(find /usr/lib/postgresql -mindepth 3 -maxdepth 3 -path '*/bin/initdb' 2>/dev/null | sort -V | tail -n 1)
  if [ -n "$dir" ]; then dirname "$dir"; return; fi
  dir=$(pg_config --bindir 2>/dev/null || true)
  if [ -n "$dir" ] && [ -x "$dir/initdb" ]; then echo "$dir"; fi
}

native_cargo() { (cd "$ROOT" && CARGO_TARGET_DIR=$NATIVE_TARGET cargo "$@"); }
page_cargo() { (cd "$ROOT" && CARGO_TARGET_DIR=$PAGE_TARGET cargo "$@"); }
