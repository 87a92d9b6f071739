#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "regulus/comm/communicator.h"
#include "regulus/translator/adamw.h"
#include "regulus/translator/translator.h"

namespace regulus::translator {

/// An MLP between two steps of its training; the same on every rank.
struct MlpState {
  TrainedMlp mlp;           ///< as it is now
  std::vector<float> best;  ///< parameters of the best epoch; empty without a validation part
  AdamW::State optimiser;
  std::int64_t batches = 0;  ///< of the present epoch, done
  double epoch_loss = 0.0;   ///< sum over them of the loss, weighted
};

/// All that a training run carries: the MLPs in the order of their training.
struct TrainingState {
  std::vector<TrainedMlp> finished;
  std::vector<MlpState> running;  ///< none or one
};

/// Writes state and job to a safetensors file, atomically: a kill leaves the old one or the new one.
/// \throws StorageError \collective no
void write_checkpoint(const std::filesystem::path& file, const TrainingState& state,
                      const nlohmann::json& job);

/// Reads what write_checkpoint() wrote.
/// \param job what the run wants to compute
/// \throws OptionError naming the option in which the checkpoint's job differs; ModelError if it is damaged
/// \collective no
TrainingState read_checkpoint(const std::filesystem::path& file, const nlohmann::json& job);

/// \param saved, wanted jobs: values by the names of the command's options; "features" and "network" are the
/// SHA-256 of the files \param where the job was saved
/// \throws OptionError naming the first option in which the two differ
void require_same_job(const nlohmann::json& saved, const nlohmann::json& wanted, const std::string& where);

/// Root's state on every rank. \collective yes
void broadcast(const comm::Communicator& comm, TrainingState& state);

}  // namespace regulus::translator
