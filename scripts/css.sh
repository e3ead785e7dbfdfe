#!/usr/bin/env bash
# The styles of the page as one file, target/page.css: they lie beside their components, and one request brings them all.
# Trunk runs this before each build.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mkdir -p target
# What a part says comes after what its parent says: folders by their depth, then by name.
parts() { find "$@" -name '*.css' -printf '%d %p\n' | LC_ALL=C sort -k1n -k2 | cut -d' ' -f2; }
components=frontend/src/components
# shellcheck disable=SC2046
cat frontend/styles/{fonts,tokens,base,layout}.css $(parts "$components") $(parts frontend/src -path "$components" -prune -o) frontend/styles/print.css >target/page.css.new
# Whole or not at all, and untouched where nothing has changed.
if ! cmp -s target/page.css.new target/page.css; then mv target/page.css.new target/page.css; else rm target/page.css.new; fi
