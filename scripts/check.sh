#!/usr/bin/env bash
# Format and lints, native and wasm; warnings are errors.
source "$(dirname "$0")/lib.sh"

state() { (cd "$ROOT" && git status --porcelain && git diff) | cksum; }
before=$(state)

say "format"
native_cargo fmt --all --check
say "what is bundled, as its users are told"
"$ROOT/scripts/licences.sh" --check
say "what the program is made of: licenses, crates that are banned, where they come from"
native_cargo deny --locked check bans licenses sources
say "lints of everything native"
# The binary embeds the page: an empty one will do here.
mkdir -p "$ROOT/dist"
native_cargo clippy --locked -p godwit-shared -p godwit -p godwit-tests --features "$TEST_FEATURES" --all-targets -- -D warnings
say "lints of the page"
page_cargo clippy --locked -p godwit-frontend --target wasm32-unknown-unknown -- -D warnings

[ "$before" = "$(state)" ] || die "the checks changed files of the checkout: see git diff"
say "all checks passed"
