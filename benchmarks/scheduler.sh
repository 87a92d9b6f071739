#!/usr/bin/env bash
# The tile scheduler on up to 4,096 ranks, simulated, and the simulation against real runs (docs/scaling.md).
#   bash benchmarks/run.sh scheduler --out DIR   five to ten minutes on two idle cores
#     --quick        short runs and few ranks, to see that it works: two minutes
set -euo pipefail
started_in=$PWD
# shellcheck source=jobs/common.sh
source "$(dirname "$0")/../jobs/common.sh"

usage() {
  sed -n '2,$ { /^#/!q; s/^# \{0,1\}//p }' benchmarks/scheduler.sh >&2
  exit 2
}

out=
arguments=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --out)
      [[ $# -ge 2 ]] || usage
      out=$2
      shift 2
      ;;
    --quick)
      arguments+=("$1")
      shift
      ;;
    *)
      echo "scheduler: unknown option '$1'" >&2
      usage
      ;;
  esac
done
if [[ -z $out ]]; then
  echo "scheduler: --out DIR is missing" >&2
  usage
fi
out=$(cd "$started_in" && realpath --canonicalize-missing "$out")

scripts/install_dependencies.sh
scripts/install_dependencies.sh --benchmarks
say "Building regulus and scheduler_simulation (minutes at first, seconds when nothing changed)"
quietly cmake --preset release -DREGULUS_BENCHMARKS=ON
cmake --build --preset release --parallel "$jobs_at_once" --target regulus scheduler_simulation

say "Measuring and predicting (results in $out)"
mkdir -p "$out"
/usr/bin/python3 -B benchmarks/scheduler/scheduler.py --regulus "$program" \
  --simulation build/release/benchmarks/scheduler/scheduler_simulation --out "$out" "${arguments[@]}"
gnuplot -e "folder='$out'" benchmarks/scheduler/plots.gp
