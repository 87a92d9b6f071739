#!/usr/bin/env bash
# Strong and weak scaling of infer or probe: speed-up, efficiency, where the time goes (docs/benchmarks.md).
#   bash benchmarks/run.sh scaling --out DIR   8 minutes on two cores
#     --quick              the same, shorter: 2 minutes
#     --ranks 1,2,4        (powers of two up to the cores; up to four cores one step beyond them)
#     --threads K          of a rank (1)
#     --repeats N          rounds over all runs; the median counts (3)
#     --command NAME       of the job that is made here: infer or probe (infer)
#     --sources N          of the strong sweep (192; of your job: all)
#     --sources-per-rank N of the weak sweep (48; of your job: what the largest number of ranks leaves)
#     --program FILE       a built regulus (default: builds one)
#     --launcher TEXT      (mpirun -n {ranks}; with --slurm: srun --mpi=pmix)
#     --overwrite          replace the study in DIR
#     --keep               keep the outputs of the runs
#     -- COMMAND ...       your own job, such as: -- infer --model model --sources tfs.txt ...
#   on a cluster, DIR on a disk that its nodes share:
#     --slurm              submit each run by sbatch, wait, gather; wants --program and --ranks
#     --sbatch-options "…" of every run, such as "--partition=cpu --exclusive --time=30"
#     --submit-only        do not wait; later:
#     --collect            gather what has finished, with --out alone
set -euo pipefail
started_in=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
  sed -n '2,$ { /^#/!q; s/^# \{0,1\}//p }' benchmarks/scaling.sh >&2
  exit 2
}

out=
own_program=
elsewhere=
arguments=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --out | --program | --ranks | --threads | --repeats | --command | --sources | --sources-per-rank | --launcher | --sbatch-options)
      [[ $# -ge 2 ]] || usage
      case $1 in
        --out) out=$2 ;;
        --program) own_program=$2 ;;
        *) arguments+=("$1=$2") ;;
      esac
      shift 2
      ;;
    --quick | --smoke | --overwrite | --keep | --submit-only)
      arguments+=("$1")
      shift
      ;;
    --slurm | --collect)
      arguments+=("$1")
      elsewhere=$1
      shift
      ;;
    --)
      break
      ;;
    *)
      echo "scaling: unknown option '$1'" >&2
      usage
      ;;
  esac
done
if [[ -z $out ]]; then
  echo "scaling: --out DIR is missing" >&2
  usage
fi
if [[ $elsewhere == --slurm && -z $own_program ]]; then
  echo "scaling: --slurm wants --program FILE, built as this cluster needs it" >&2
  exit 2
fi
absolute() { (cd "$started_in" && realpath --canonicalize-missing "$1"); }
out=$(absolute "$out")

# A cluster has its own MPI settings; those of common.sh are for single machines and containers.
if [[ -z $elsewhere ]]; then
  # shellcheck source=jobs/common.sh
  source jobs/common.sh
fi
if [[ -n $own_program ]]; then
  arguments+=(--program "$(absolute "$own_program")")
elif [[ $elsewhere != --collect ]]; then
  scripts/install_dependencies.sh --benchmarks
  build_regulus
  arguments+=(--program "$program")
fi

python=
for candidate in python3 /usr/bin/python3; do
  if "$candidate" -c 'import h5py' 2> /dev/null; then
    python=$candidate
    break
  fi
done
if [[ -z $python ]]; then
  echo "scaling: no python3 here has h5py, which reads the runs' outputs (Debian: python3-h5py)" >&2
  exit 1
fi
exec "$python" -B benchmarks/scaling/scaling.py --out "$out" --started-in "$started_in" "${arguments[@]}" "$@"
