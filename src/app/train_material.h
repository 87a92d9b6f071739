#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "command.h"
#include "regulus/core/provenance.h"
#include "regulus/translator/train.h"

namespace regulus::app {

/// What a run reads and how it chooses pairs.
struct TrainJob {
  std::vector<std::string> features, networks;  ///< equally many
  std::vector<std::string> probes;              ///< empty: all
  std::string out;
  translator::CandidateOptions candidates;
  double holdout = 0.0;
  std::uint64_t split_seed = 0;
};

/// What the options ask for. \throws OptionError
TrainJob train_job(const Options& options, std::uint64_t seed);

/// What rank 0 reads; only the table reaches the other ranks.
struct TrainMaterial {
  translator::PairTable table;
  translator::TrainingRecord record;
};

/// \throws OptionError, InputError \collective no
TrainMaterial read_material(const TrainJob& job);

/// Records the SHA-256 of all files. \collective no
void add_inputs(const TrainJob& job, Provenance& provenance);

/// What must be equal for a run to be continued, by the names of the options. \param provenance has the
/// inputs
nlohmann::json job_of(const TrainJob& job, const Provenance& provenance);

}  // namespace regulus::app
