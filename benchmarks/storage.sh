#!/usr/bin/env bash
# The feature store: its writing rate against plain writes to the same disk (docs/benchmarks.md).
#   bash benchmarks/run.sh storage --out DIR   a minute or two; DIR should be on the disk that is meant
#     --gib N        written by each measurement (1); more than memory holds for the disk alone
#     --ranks N      (4)
#     --repeats N    rounds over all measurements (3)
set -euo pipefail
started_in=$PWD
# shellcheck source=jobs/common.sh
source "$(dirname "$0")/../jobs/common.sh"

usage() {
  sed -n '2,$ { /^#/!q; s/^# \{0,1\}//p }' benchmarks/storage.sh >&2
  exit 2
}

out=
arguments=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --out | --gib | --ranks | --repeats)
      [[ $# -ge 2 ]] || usage
      if [[ $1 == --out ]]; then out=$2; else arguments+=("$1" "$2"); fi
      shift 2
      ;;
    *)
      echo "storage: unknown option '$1'" >&2
      usage
      ;;
  esac
done
if [[ -z $out ]]; then
  echo "storage: --out DIR is missing" >&2
  usage
fi
out=$(cd "$started_in" && realpath --canonicalize-missing "$out")

scripts/install_dependencies.sh
scripts/install_dependencies.sh --benchmarks
say "Building storage_benchmark (minutes at first, seconds when nothing changed)"
quietly cmake --preset release -DREGULUS_BENCHMARKS=ON
cmake --build --preset release --parallel "$jobs_at_once" --target storage_benchmark

say "Measuring (results in $out)"
mkdir -p "$out"
/usr/bin/python3 -B benchmarks/storage/storage.py --program build/release/benchmarks/storage_benchmark --out "$out" "${arguments[@]}"
