#!/usr/bin/env bash
# The dual engine: rates, accuracy, growth, scaling and peers (docs/benchmarks.md).
#   bash benchmarks/run.sh engine --out DIR   everything: half an hour on two idle cores
#     --quick        the same, coarser: 3 minutes
#     --threads N    of the rates and the growth (1)
#     --no-peers     without the comparison with python3-torch
#     --clock cpu    counts processor time: for a machine that is busy with others, --threads 1
set -euo pipefail
started_in=$PWD
# shellcheck source=jobs/common.sh
source "$(dirname "$0")/../jobs/common.sh"

usage() {
  sed -n '2,$ { /^#/!q; s/^# \{0,1\}//p }' benchmarks/engine.sh >&2
  exit 2
}

out=
arguments=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --out | --threads | --clock)
      [[ $# -ge 2 ]] || usage
      if [[ $1 == --out ]]; then out=$2; else arguments+=("$1" "$2"); fi
      shift 2
      ;;
    --quick | --no-peers | --smoke)
      arguments+=("$1")
      shift
      ;;
    *)
      echo "engine: unknown option '$1'" >&2
      usage
      ;;
  esac
done
if [[ -z $out ]]; then
  echo "engine: --out DIR is missing" >&2
  usage
fi
out=$(cd "$started_in" && realpath --canonicalize-missing "$out")

scripts/install_dependencies.sh
scripts/install_dependencies.sh --benchmarks
say "Building engine_benchmark (minutes at first, seconds when nothing changed)"
quietly cmake --preset release -DREGULUS_BENCHMARKS=ON
cmake --build --preset release --parallel "$jobs_at_once" --target engine_benchmark

say "Measuring (results in $out)"
mkdir -p "$out"
/usr/bin/python3 -B benchmarks/engine/engine.py --program build/release/benchmarks/engine_benchmark --out "$out" "${arguments[@]}"
gnuplot -e "folder='$out'" benchmarks/engine/plots.gp
