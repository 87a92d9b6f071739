# shellcheck shell=bash disable=SC2154
# Sourced by the batch scripts: the site's settings, starting regulus on all ranks, and going on after the time limit.

say() { printf '[%(%F %T)T] job %s, restart %s: %s\n' -1 "$SLURM_JOB_ID" "$restarts" "$*"; }

threads=${SLURM_CPUS_PER_TASK:-1}
restarts=${SLURM_RESTART_COUNT:-0}
# shellcheck source=site.sh
source "${REGULUS_SITE:-$REGULUS_HOME/slurm/site.sh}"
if [[ ${#modules[@]} -gt 0 ]]; then
  if ! command -v module > /dev/null; then source /etc/profile; fi
  module load "${modules[@]}"
fi
set -euo pipefail

export OMP_NUM_THREADS=$threads
# Without this, ranks would miss their environment where jobs are submitted with --export=NONE.
unset SLURM_EXPORT_ENV

# Slurm counts a job of an array in two ways, and the plain number of one of its jobs stands for them all.
job=$SLURM_JOB_ID
if [[ -n ${SLURM_ARRAY_TASK_ID:-} ]]; then job=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID; fi

# srun may end with 0 when it could not start a single rank (Slurm 22.05). So the first one leaves a note that it was started;
# it runs on the node of this script.
started=$(mktemp)
trap 'rm -f "$started"' EXIT
# shellcheck disable=SC2016
note='if [[ $SLURM_PROCID == 0 ]]; then echo yes > "$0"; fi; exec "$@"'

# One rank for each task of the job.
launch() {
  trap - EXIT
  case $launcher in
    # If a rank dies, the others get a minute to end by themselves.
    srun)
      exec srun --ntasks="$SLURM_NTASKS" --cpus-per-task="$threads" --wait=60 "${srun_options[@]}" \
        bash -c "$note" "$started" "$@"
      ;;
    mpirun) exec mpirun -n "$SLURM_NTASKS" "${mpirun_options[@]}" "$@" ;;
    *) echo "The launcher of the site file must be srun or mpirun, not '$launcher'." >&2 && exit 2 ;;
  esac
}

# Slurm sends USR1 to this script a while before the time limit. The program ends then, in a state to go on from.
pid='' warned='' interrupted=''
on_warning() {
  warned=yes interrupted=yes
  say "the time limit is near"
  if [[ -n $pid ]]; then kill -USR1 "$pid" 2> /dev/null || true; fi
}
trap on_warning USR1

# run_regulus COMMAND OPTIONS...: returns once the command is done. If it was interrupted (exit code 75), the job goes back
# into the queue; after any other error it ends. Both with the exit code of the program.
run_regulus() {
  local code=75
  say "regulus $*"
  if [[ -z $warned ]]; then
    : > "$started"
    launch "$program" "$@" &
    pid=$!
    interrupted=yes
    while [[ -n $interrupted ]]; do
      interrupted='' code=0
      # A signal ends `wait`, not what it waits for: then once more.
      wait "$pid" || code=$?
    done
    # Ended by USR1 itself (128 + 10): the warning came before the program could listen, so it has not begun either.
    if [[ -n $warned && $code -eq 138 ]]; then code=75; fi
    pid=''
    if [[ $code -eq 0 && $launcher == srun && ! -s $started ]]; then
      say "srun could not start the program"
      code=1
    fi
  fi
  if [[ $code -eq 0 ]]; then return; fi
  say "regulus $1 ended with exit code $code"
  if [[ $code -eq 75 ]]; then requeue; fi
  exit "$code"
}

requeue() {
  if [[ $restarts -ge $max_requeues ]]; then
    say "requeued $restarts times already (max_requeues): submit the same job again to go on"
  elif scontrol requeue "$job"; then
    say "requeued, to go on from here"
  else
    say "cannot be requeued: submit the same job again to go on"
  fi
}
