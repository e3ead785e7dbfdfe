#!/usr/bin/env bash
# Sizes and times of the page of a release: what is sent for the first view, how soon it is there, what an idle server and
# the page of a running job take, how a long history scrolls. Fails where the page is larger than PAGE_KB_MAX (default
# 700 kB, compressed).
source "$(dirname "$0")/lib.sh"

GODWIT_BIN=$("$ROOT/scripts/build.sh" release | tail -n 1)
export GODWIT_BIN PAGE_KB_MAX=${PAGE_KB_MAX:-800}
# One after the other: each would be seen in the figures of the next.
native_cargo test --locked "${NATIVE_PACKAGES[@]}" --features "$TEST_FEATURES" --test e2e -- figures two_hundred --nocapture --test-threads=1
