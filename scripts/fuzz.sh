#!/usr/bin/env bash
# The fuzz targets, ten minutes each: fuzz.sh [TARGET...]. tests/fuzz/main.rs names the variables.
source "$(dirname "$0")/lib.sh"

binary=$("$ROOT/scripts/build.sh" dev | tail -n 1)
export GODWIT_BIN=$binary
export GODWIT_FUZZ_SECONDS=${GODWIT_FUZZ_SECONDS:-600}
native_cargo test --locked "${NATIVE_PACKAGES[@]}" --features "$TEST_FEATURES" --test fuzz -- --nocapture "$@"
