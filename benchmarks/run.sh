#!/usr/bin/env bash
# Benchmarks, one script each: installs and builds what is missing, measures, writes results to a folder.
#   bash benchmarks/run.sh engine --out DIR [--quick]     the dual engine: rates, growth, scaling, peers
#   bash benchmarks/run.sh storage --out DIR [--gib N]    the feature store against plain writes to the same disk
#   bash benchmarks/run.sh scaling --out DIR [--quick]    infer on 1, 2, ... ranks: speed-up, efficiency, where the time goes
#   bash benchmarks/run.sh scheduler --out DIR [--quick]  the tile scheduler on 4,096 ranks, simulated
#   bash benchmarks/run.sh advice --out DIR               what genome-wide runs need, as regulus plan says: hours, memory, disk
set -euo pipefail
folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

name=${1:-}
if [[ ! $name =~ ^[a-z]+$ || $name == run || ! -f $folder/$name.sh ]]; then
  {
    echo "run.sh: ${name:+no benchmark is called $name; }give one of these, its options after it:"
    for script in "$folder"/*.sh; do
      if [[ $script != */run.sh ]]; then echo "  $(basename "$script" .sh)  $(sed -n '2s/^# //p' "$script")"; fi
    done
  } >&2
  exit 2
fi
shift
exec bash "$folder/$name.sh" "$@"
