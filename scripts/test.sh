#!/usr/bin/env bash
# All tests. Arguments go to the test binaries of the integration tests: test.sh snapshot::
source "$(dirname "$0")/lib.sh"

binary=$("$ROOT/scripts/build.sh" dev | tail -n 1)
export GODWIT_BIN=$binary

say "unit tests, expressions in processes of their own, and random histories against a model"
native_cargo test --locked "${NATIVE_PACKAGES[@]}" --features "$TEST_FEATURES" --lib --bins --test wire --test model --test scripts
say "fuzz targets, each for a moment"
native_cargo test --locked "${NATIVE_PACKAGES[@]}" --features "$TEST_FEATURES" --test fuzz
say "integration tests: real servers, real documents"
native_cargo test --locked "${NATIVE_PACKAGES[@]}" --features "$TEST_FEATURES" --test integration -- "$@"
say "end-to-end tests: the page in a browser"
native_cargo test --locked "${NATIVE_PACKAGES[@]}" --features "$TEST_FEATURES" --test e2e
say "all tests passed"
