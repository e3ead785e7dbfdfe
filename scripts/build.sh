#!/usr/bin/env bash
# The page and the binary with the page inside: build.sh [release|dev|bench]. The last line printed is the path of the
# binary; `bench` builds the benchmarks beside the release binary.
source "$(dirname "$0")/lib.sh"
what=${1:-release}
case $what in
  release | bench) profile=release ;;
  dev) profile=dev ;;
  *) die "build.sh: release, dev or bench, not '$what'" ;;
esac

# The page is built again when one of its sources is newer than the last build of this profile.
stamp=$ROOT/target/page-$profile
page_is_current() {
  [ -f "$ROOT/dist/index.html" ] && [ -f "$stamp" ] &&
    [ -z "$(cd "$ROOT" && find frontend shared Trunk.toml Cargo.toml Cargo.lock -newer "$stamp" -print -quit)" ]
}

if ! page_is_current; then
  say "building the page ($profile)"
  # Without --release: that flag would ask for wasm-opt; the profile says all the rest.
  page_profile=()
  if [ "$profile" = release ]; then
    page_profile=(--cargo-profile wasm-release --features split)
    # Our wasm-bindgen cuts off what comes later; that needs the relocations of the linker.
    mkdir -p "$ROOT/target/shim"
    WASM_BINDGEN=$(command -v wasm-bindgen) SPLIT_OUT=$ROOT/target/parts
    export WASM_BINDGEN SPLIT_OUT
    ln -sf "$ROOT/scripts/wasm-bindgen.sh" "$ROOT/target/shim/wasm-bindgen"
    PATH=$ROOT/target/shim:$PATH
    export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="--cfg erase_components -C link-args=--emit-relocs"
  fi
  mkdir -p "$ROOT/target"
  rm -f "$ROOT"/target/page-*
  touch "$stamp.new"
  (cd "$ROOT" && CARGO_TARGET_DIR=$PAGE_TARGET trunk build --offline --skip-version-check --locked "${page_profile[@]}" >&2)
  if [ "$profile" = release ]; then python3 "$ROOT/scripts/take_parts.py" "$ROOT/dist" "$SPLIT_OUT"; fi
  # Compressed once and for good: level 11 takes 80 % of the bytes of the level that a server has time for.
  if [ "$profile" = release ]; then brotli -q 11 "$ROOT"/dist/*.{wasm,js,css,svg,txt}; fi
  mv "$stamp.new" "$stamp"
fi

say "building the server ($profile)"
case $what in
  release)
    native_cargo build --locked --release -p godwit --features page
    echo "$NATIVE_TARGET/release/godwit"
    ;;
  bench)
    native_cargo build --locked --release -p godwit -p godwit-tests --features godwit/page,godwit-tests/bench --bin godwit --bin bench
    echo "$NATIVE_TARGET/release/godwit"
    ;;
  dev)
    native_cargo build --locked "${NATIVE_PACKAGES[@]}" --features "$DEV_FEATURES" --bin godwit
    # A copy of its own: another checkout with the same cache may build while this one's tests run.
    mkdir -p "$ROOT/target"
    cp -f "$NATIVE_TARGET/debug/godwit" "$ROOT/target/godwit-dev"
    echo "$ROOT/target/godwit-dev"
    ;;
esac
