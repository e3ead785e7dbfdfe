#!/usr/bin/env bash
# The benchmarks, with the release binary: bench.sh [snapshot|cdc|micro]. The README names the variables.
source "$(dirname "$0")/lib.sh"
what=${1:-snapshot}
case $what in snapshot | cdc | micro) ;; *) die "bench.sh: snapshot, cdc or micro, not '$what'" ;; esac

binary=$("$ROOT/scripts/build.sh" bench | tail -n 1)
export GODWIT_BIN=$binary
exec "$(dirname "$binary")/bench" "$what"
