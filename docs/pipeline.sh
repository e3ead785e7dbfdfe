#!/usr/bin/env bash
# A migration as a pipeline: makes the project or takes the one that lies in Git, checks it, migrates, verifies.
#
#   GODWIT_SOURCE=postgresql://reader@db/shop GODWIT_TARGET=mongodb://mongo/shop docs/pipeline.sh shop.yaml
#
# Passwords: GODWIT_SOURCE_PASSWORD and GODWIT_TARGET_PASSWORD, or the names of files in GODWIT_SOURCE_PASSWORD_FILE and
# GODWIT_TARGET_PASSWORD_FILE. GODWIT: the program, where it is not in the PATH. The exit code is that of the step that
# ended it: see docs/command-line.md.
set -euo pipefail
project=${1:?the project: shop.yaml or shop.relmig}
godwit=${GODWIT:-godwit}
export GODWIT_OUTPUT=json
log=${project%.*}.jsonl

# 1. The mapping, once: it is reviewed, changed and kept in Git from then on.
if [ ! -f "$project" ]; then
  "$godwit" init "$project" --recommended >>"$log"
  echo "made $project: look at it" >&2
fi

# 2. Has the source changed since? That is to be seen, and is no reason to stop.
"$godwit" diff "$project" >>"$log" || [ $? = 5 ] || exit 1

# 3. Whatever would keep the job from starting, before anything is written.
"$godwit" check "$project" --target "$GODWIT_TARGET" >>"$log"

# 4. The job. One that was interrupted (130), or that a crash has ended, goes on where it was: run this again.
"$godwit" migrate "$project" --resume --drop --errors "${ERRORS:-0}" >>"$log"

# 5. Every document against the rows that give it, with a report that can be checked later.
"$godwit" verify "$project" --report "${project%.*}.report.json" >>"$log"
"$godwit" check-report "${project%.*}.report.json" >&2
echo "migrated and verified: see $log" >&2
