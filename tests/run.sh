#!/usr/bin/env bash
# Installs what is missing, builds the preset `ci` and runs every test. Arguments go to ctest (e.g. -L unit).
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install_dependencies.sh --tests
jobs_at_once=$(($(nproc) < 2 ? 1 : 2))

log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! cmake --preset ci > "$log" 2>&1; then
  cat "$log" >&2
  exit 1
fi
cmake --build --preset ci --parallel "$jobs_at_once"

# ctest's summary is held back, so that it comes last.
status=0
ctest --preset ci --parallel "$jobs_at_once" "$@" 2>&1 | tee "$log" | sed '/% tests passed/,$d' || status=$?

# A test case that skips itself, inside a program that passes, is only seen in the programs' own output:
# GoogleTest prints the reason, then "[  SKIPPED ] Suite.Case (0 ms)"; the end-to-end tests print the same.
skipped=$(awk '/^\[  SKIPPED \] .*\(/ { print "  " $4 ": " previous } { previous = $0 }' \
  build/ci/Testing/Temporary/LastTest.log | sort --unique)
echo "Test cases skipped: $(grep --count . <<< "$skipped" || true)"
if [[ -n $skipped ]]; then echo "$skipped"; fi
echo
sed -n '/% tests passed/,$p' "$log"
exit "$status"
