#pragma once

#include "command.h"

namespace regulus::app {

/// Lets the allocator keep large freed blocks instead of returning them to the system: fresh pages for every
/// large tensor halve the speed. Call first in main().
void tune_allocator();

/// Configures the log from the common options. \throws Error on every rank \collective yes
void start_log(const comm::Communicator& world, const Options& options);

/// Sets the threads of this rank: --threads, else OMP_NUM_THREADS, else the cores that the rank may use
/// divided by the ranks of its host that share them. Warns if matrix products would run on reference BLAS.
/// \return threads per rank, the same on every rank
/// \collective yes
int start_threads(const comm::Communicator& world, const Options& options);

std::uint64_t seed_of(const Options& options);

/// True on rank 0 if --progress and --log-level ask for it.
bool shows_progress(const comm::Communicator& world, const Options& options);

}  // namespace regulus::app
