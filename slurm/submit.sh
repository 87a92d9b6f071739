#!/usr/bin/env bash
# Submits a job with the partition, account and GPUs of the site file:
#   slurm/submit.sh JOB [OPTIONS OF SBATCH] [-- OPTIONS OF REGULUS]
# JOB is pretrain, probe, train, infer or array: the script JOB.sbatch of this folder, where its options are explained.
set -euo pipefail

REGULUS_HOME=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export REGULUS_HOME
threads=1  # of the job, which the site file reads
# shellcheck source=site.sh
source "${REGULUS_SITE:-$REGULUS_HOME/slurm/site.sh}"

script=$REGULUS_HOME/slurm/${1:-}.sbatch
if [[ ! -f $script ]]; then
  sed -n '2,4s/^# //p' "${BASH_SOURCE[0]}" >&2
  exit 2
fi
site=()
if [[ -n $partition ]]; then site+=("--partition=$partition"); fi
if [[ -n $account ]]; then site+=("--account=$account"); fi
# Only these use GPUs. An --ntasks of the command line is then the number of GPUs.
if [[ $gpus_per_node -gt 0 && $1 =~ ^(probe|infer|array)$ ]]; then
  site+=("--gpus-per-node=$gpus_per_node" "--ntasks-per-node=$gpus_per_node" "--ntasks=$gpus_per_node")
fi
shift

sbatch=()
while [[ $# -gt 0 && $1 != -- ]]; do
  sbatch+=("$1")
  shift
done
exec sbatch "${site[@]}" "${sbatch[@]}" "$script" "${@:2}"
