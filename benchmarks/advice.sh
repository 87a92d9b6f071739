#!/usr/bin/env bash
# What runs of infer need: hours, memory and disk by genes, model and ranks, from `regulus plan` (docs/benchmarks.md).
#   bash benchmarks/run.sh advice --out DIR    some minutes; the machine should be idle
set -euo pipefail
started_in=$PWD
# shellcheck source=jobs/common.sh
source "$(dirname "$0")/../jobs/common.sh"

if [[ $# -ne 2 || $1 != --out ]]; then
  sed -n '2,$ { /^#/!q; s/^# \{0,1\}//p }' benchmarks/advice.sh >&2
  exit 2
fi
out=$(cd "$started_in" && realpath --canonicalize-missing "$2")

build_regulus
say "Planning (results in $out)"
mkdir -p "$out"
/usr/bin/python3 -B benchmarks/advice/advice.py --program "$program" --out "$out"
