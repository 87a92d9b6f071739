# shellcheck shell=bash
# Shared by the job scripts: paths, the build, mpirun, and steps that are not repeated once they are complete.
# Source it after `set -euo pipefail`; it goes to the project's folder, which every path is then relative to.
#
# Environment: REGULUS_RANKS  ranks of every step (default: the cores, at most 2)

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
program=build/release/regulus
jobs_at_once=$(($(nproc) < 2 ? 1 : 2))
ranks=${REGULUS_RANKS:-$jobs_at_once}

# One thread a rank: the number of ranks then changes nothing in the results (threads may, in the last bits).
export OMP_NUM_THREADS=1
# Open MPI refuses root (as in containers) and more ranks than cores unless told, and pins ranks to single cores.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none
# Containers often forbid ranks to read each other's memory; Open MPI then warns at every start.
export OMPI_MCA_btl_vader_single_copy_mechanism=none
# Waiting ranks give their core away: several ranks may share one.
export OMPI_MCA_mpi_yield_when_idle=1

say() { printf '\n== %s\n' "$*"; }

# Prints the log of a command only if it fails.
quietly() {
  local log
  log=$(mktemp)
  if ! "$@" > "$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}

build_regulus() {
  scripts/install_dependencies.sh
  say "Building $program (minutes at first, seconds when nothing changed)"
  quietly cmake --preset release
  cmake --build --preset release --parallel "$jobs_at_once"
  last_step=$(sha256sum "$program")
}

# Whatever, if changed, makes a step's output out of date: the steps before, the arguments, the files among them.
describe_step() {
  local argument
  for argument in "$last_step" "$@"; do
    printf '%s\n' "$argument"
    if [[ -f $argument ]]; then stat --format='%s %Y' "$argument"; fi
    if [[ $argument == *.ini ]]; then cat "$argument"; fi
  done | sha256sum
}

# step TITLE OUTPUT COMMAND ARGUMENTS...: runs `regulus COMMAND ARGUMENTS... --out OUTPUT` on all ranks, unless an
# earlier run of the same step completed. The file OUTPUT.step remembers that.
step() {
  local title=$1 output=$2 note=$2.step
  shift 2
  last_step=$(describe_step "$@" "$output")
  local before=
  if [[ -f $note ]]; then before=$(< "$note"); fi
  if [[ $before == "complete $last_step" && -e $output ]]; then
    say "$title: skipped, $output is complete"
    return
  fi
  # An interrupted run of the very same step is kept, for the commands that can resume it.
  if [[ $before != "started $last_step" ]]; then rm -rf "$output"; fi
  mkdir -p "$(dirname "$output")"
  echo "started $last_step" > "$note"
  say "$title"
  echo "regulus $* --out $output"
  mpirun -n "$ranks" "$program" "$@" --out "$output"
  echo "complete $last_step" > "$note"
}
