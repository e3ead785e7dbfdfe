#!/usr/bin/env bash
# Removes what was built from this checkout and the data of its demo. The cache with tools and dependencies stays.
source "$(dirname "$0")/lib.sh"
data=$("$ROOT/scripts/demo.sh" where)
exec 9<"$ROOT"
if [ -e "$data" ]; then ours "$data" DEMO_DATA; fi
if [ -e "$data/lock" ]; then
  exec 9<"$data/lock"
  flock -n 9 || die "the demo is running with $data: end it first"
fi
rm -rf "$ROOT/dist" "$ROOT/target" "$data"
for target in "$NATIVE_TARGET" "$PAGE_TARGET"; do
  if [ -d "$target" ]; then
    (cd "$ROOT" && CARGO_TARGET_DIR=$target cargo clean -q -p godwit-shared -p godwit -p godwit-frontend -p godwit-tests)
  fi
done
say "removed dist, target and $data; tools and dependencies stay in $GODWIT_CACHE"
