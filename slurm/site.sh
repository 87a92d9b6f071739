# shellcheck shell=bash disable=SC2034
# What differs between clusters: edit this file once, or a copy of it that REGULUS_SITE names. All scripts of this folder
# read it. docs/slurm.md explains each line; your cluster's documentation, or its help desk, knows the values.

# Partition (queue) and account (project) that jobs are submitted to. Empty: the cluster's default.
partition=
account=

# Modules to load, for example: modules=(gcc/12 openmpi/4.1 hdf5-mpi/1.10)
modules=()

# GPUs of a node of that partition; probe and infer then start one rank for each. 0: CPUs alone.
gpus_per_node=0

# What starts the ranks: srun (Slurm built with PMIx: `srun --mpi=list` shows pmix) or mpirun (of the MPI of the build).
launcher=srun

# A job that ran into its time limit is put back into the queue, at most this many times.
max_requeues=20

# The program. REGULUS_HOME is the folder of the sources, above this one.
program=$REGULUS_HOME/build/release/regulus

# How ranks are bound to cores: $threads (--cpus-per-task) cores for each. Other MPIs than Open MPI call it otherwise.
srun_options=(--mpi=pmix --cpu-bind=cores)
mpirun_options=(--map-by "slot:PE=$threads" --bind-to core)
