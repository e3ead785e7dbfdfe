#!/usr/bin/env bash
# frontend/licences.txt: the licence of Godwit, that of its font, and what is bundled in the program and its page, with the
# licence of each. `licences.sh --check` fails where the file is not what it would write.
source "$(dirname "$0")/lib.sh"
file=$ROOT/frontend/licences.txt
line='================================================================================'

# Everything that becomes a part of the program or of the page: no tools, no tests.
bundled() {
  (
    cd "$ROOT"
    cargo tree --locked --edges normal --prefix none --no-dedupe --format '{p}|{l}|{r}' -p godwit --features page \
      --target x86_64-unknown-linux-gnu
    cargo tree --locked --edges normal --prefix none --no-dedupe --format '{p}|{l}|{r}' -p godwit-frontend \
      --target wasm32-unknown-unknown
  ) | sed -e 's/ (\*)//' -e 's/ (proc-macro)//' | grep -v '^godwit' | LC_ALL=C sort -u |
    awk -F '|' '{ printf "%-42s %-40s %s\n", $1, $2, $3 }'
}

written() {
  printf 'Godwit\n%s\n\n' "$line"
  cat "$ROOT/LICENSE"
  printf '\n\nInter, the font of the page\n%s\n\n' "$line"
  cat "$ROOT/frontend/fonts/LICENSE-inter.txt"
  printf '\n\nWhat is bundled: name and version, licence, where it comes from\n%s\n\n' "$line"
  bundled
}

text=$(written)
if [ "${1:-}" = --check ]; then
  [ "$text" = "$(cat "$file")" ] || die "frontend/licences.txt is not up to date: run scripts/licences.sh"
else
  printf '%s\n' "$text" >"$file"
  say "$(wc -l <"$file") lines in $file"
fi
