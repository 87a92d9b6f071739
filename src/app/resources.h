#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "command.h"
#include "regulus/backbone/backbone.h"
#include "regulus/probe/probe_job.h"
#include "regulus/storage/edge_store.h"
#include "regulus/storage/feature_store.h"

namespace regulus::app {

/// What a run takes, in bytes.
struct Needs {
  double memory = 0.0;     ///< of each rank, at its peak
  double workspace = 0.0;  ///< of it: passes through the model
  double output = 0.0;     ///< of the file that stays
  double working = 0.0;    ///< of files that are there while the run lasts
};

/// Since this process was started.
double seconds_since_start();

/// The peak memory of this process so far.
double peak_memory();

/// \param workspace of the passes, measured or engine_workspace_bytes()
/// \param base      memory of the process with model and inputs, without passes
Needs needs_of_tiles(const probe::ProbeJob& job, double base, double workspace);

/// Size of the features of a store, and of the counts of its tiles.
double store_bytes(const storage::FeatureStoreHeader& header);
double edge_store_bytes(const storage::EdgeStoreHeader& header);

/// Estimated before any pass, once model and inputs are in memory.
Needs needs_of_run(const Session& session, const backbone::Backbone& model, const probe::ProbeJob& job,
                   double output);

/// What a host has left for this run's ranks on it, divided by them; the least of all hosts. \collective yes
double memory_per_rank(const comm::Communicator& world);

/// Refuses a run before it starts. \param out a file in the folder that takes the output
/// \throws OptionError (memory) or StorageError (disk) with the numbers, the same on every rank
/// \collective yes
void require_room(const comm::Communicator& world, const Needs& needs, const std::filesystem::path& out);

/// "1.5 GiB"
std::string bytes_text(double bytes);

}  // namespace regulus::app
