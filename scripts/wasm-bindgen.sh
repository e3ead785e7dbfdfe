#!/usr/bin/env bash
# Stands before wasm-bindgen while a release of the page is built: first the parts that come when they are needed are cut
# off into files of their own. They go into the folder $SPLIT_OUT, from which build.sh takes them.
set -euo pipefail
arguments=() input= name=
for argument in "$@"; do
  case $argument in
    *.wasm) input=$argument ;;
    --out-name=*) name=${argument#--out-name=} arguments+=("$argument") ;;
    *) arguments+=("$argument") ;;
  esac
done
if [ -z "$input" ] || [ -z "$name" ]; then exec "$WASM_BINDGEN" "$@"; fi
rm -rf "$SPLIT_OUT"
mkdir -p "$SPLIT_OUT"
wasm-split-cli "$input" "$SPLIT_OUT" --target web --out-name "$name"
"$WASM_BINDGEN" "${arguments[@]}" --keep-lld-exports --remove-name-section --remove-producers-section "$SPLIT_OUT/$name.wasm"
rm "$SPLIT_OUT/$name.wasm"
